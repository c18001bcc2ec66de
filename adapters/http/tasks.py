"""Tasks: making, editing, commenting, and every transition of TASK-2."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypedDict
from uuid import UUID

from litestar import Controller, patch, post
from litestar.params import JSONBody

from adapters.http.access import TaskMembership, member_of, reach_task
from adapters.http.answers import JsonAnswer
from adapters.http.commanding import COMMAND, changed, command_context, execute, refuse_body
from adapters.http.request import ApiRequest, PathId
from hivesync_core.eventstore.log import Context
from hivesync_core.kernel.ids import AccountId, ProjectId, TaskId
from hivesync_core.kernel.roles import Role
from hivesync_core.tasks import commands
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.events import Priority
from shared.api.tasks import (
    CommentRequest,
    CreateTaskRequest,
    EditTaskRequest,
    LeaseRequest,
    ReasonRequest,
    ReassignRequest,
)

TASKS_PATH = "/api/v1/tasks/"


class _Who(TypedDict):
    """What every command of a member carries."""

    by: AccountId
    role: Role
    at: datetime


class _Asked(NamedTuple):
    """A request for a command to a task that the caller reaches."""

    request: ApiRequest
    task_id: UUID
    context: Context
    reached: TaskMembership

    @property
    def who(self) -> _Who:
        """By whom, as what, and when."""
        return {"by": self.request.user.account_id, "role": self.reached.role, "at": self.context.at}

    async def give(self, command: commands.TaskCommand, *, must_match: bool = False) -> JsonAnswer:
        """Give the command and answer it."""
        return await execute(self.request, task, self.task_id, command, self.context, must_match=must_match)


async def _ask(request: ApiRequest, task_id: UUID) -> _Asked:
    return _Asked(
        request,
        task_id,
        await command_context(request),
        await reach_task(request.services, request.user, task_id),
    )


async def _ask_without_body(request: ApiRequest, task_id: UUID) -> _Asked:
    await refuse_body(request)
    return await _ask(request, task_id)


@post("/projects/{project_id:uuid}/tasks", summary="Make a task", tags=["Tasks"], opt=COMMAND)
async def create_task(request: ApiRequest, project_id: PathId, data: JSONBody[CreateTaskRequest]) -> JsonAnswer:
    """By any member who may work."""
    project, role = await member_of(request.services, request.user, project_id)
    context = await command_context(request)
    assignee_id = None if data.assignee_id is None else AccountId(data.assignee_id)
    command = commands.CreateTask(
        by=request.user.account_id,
        role=role,
        at=context.at,
        project_id=ProjectId(project_id),
        title=data.title,
        description=data.description,
        labels=data.labels,
        priority=Priority(data.priority),
        due=data.due,
        assignee_id=assignee_id,
        assignee_role=None if assignee_id is None else project.members.get(assignee_id),
    )
    outcome = await request.services.log.execute(task, TaskId(context.command_id), command, context)
    return changed(request, outcome, status_code=201, location=TASKS_PATH)


class TaskCommands(Controller):
    """What changes one task."""

    path = "/tasks/{task_id:uuid}"
    tags = ("Tasks",)
    opt = COMMAND

    @patch("", summary="Edit a task", opt={"must_match": True})
    async def edit(self, request: ApiRequest, task_id: PathId, data: JSONBody[EditTaskRequest]) -> JsonAnswer:
        """For the version that `If-Match` names; what is left out stays."""
        asked = await _ask(request, task_id)
        command = commands.EditTask(
            **asked.who,
            title=data.title,
            description=data.description,
            labels=data.labels,
            priority=Priority(data.priority) if isinstance(data.priority, str) else data.priority,
            due=data.due,
        )
        return await asked.give(command, must_match=True)

    @post("/comments", status_code=200, summary="Comment on a task")
    async def comment(self, request: ApiRequest, task_id: PathId, data: JSONBody[CommentRequest]) -> JsonAnswer:
        """In any state but archived."""
        asked = await _ask(request, task_id)
        comment_id = asked.context.command_id
        return await asked.give(commands.CommentTask(**asked.who, comment_id=comment_id, text=data.text))

    @post("/complete", status_code=200, summary="Say that the work is done")
    async def complete(self, request: ApiRequest, task_id: PathId) -> JsonAnswer:
        """Open or helping becomes completed."""
        asked = await _ask_without_body(request, task_id)
        return await asked.give(commands.CompleteTask(**asked.who))

    @post("/request-help", status_code=200, summary="Call for help")
    async def request_help(self, request: ApiRequest, task_id: PathId, data: JSONBody[ReasonRequest]) -> JsonAnswer:
        """Open becomes help_requested."""
        asked = await _ask(request, task_id)
        return await asked.give(commands.RequestHelp(**asked.who, reason=data.reason))

    @post("/claim-help", status_code=200, summary="Help, for the time of a lease")
    async def claim_help(
        self, request: ApiRequest, task_id: PathId, data: JSONBody[LeaseRequest | None] = None
    ) -> JsonAnswer:
        """Help_requested becomes helping; by another member than who asked and than the assignee."""
        asked = await _ask(request, task_id)
        return await asked.give(commands.ClaimHelp(**asked.who, lease_s=(data or LeaseRequest()).lease_s))

    @post("/check-in", status_code=200, summary="Renew the lease of one's help")
    async def check_in(
        self, request: ApiRequest, task_id: PathId, data: JSONBody[LeaseRequest | None] = None
    ) -> JsonAnswer:
        """By the helper, while the lease runs."""
        asked = await _ask(request, task_id)
        return await asked.give(commands.CheckInHelp(**asked.who, lease_s=(data or LeaseRequest()).lease_s))

    @post("/release-help", status_code=200, summary="Give the claim back")
    async def release_help(self, request: ApiRequest, task_id: PathId) -> JsonAnswer:
        """Helping becomes help_requested; by the helper or an owner."""
        asked = await _ask_without_body(request, task_id)
        return await asked.give(commands.ReleaseHelp(**asked.who))

    @post("/withdraw-help", status_code=200, summary="Take the call for help back")
    async def withdraw_help(self, request: ApiRequest, task_id: PathId) -> JsonAnswer:
        """Help_requested becomes open; by who asked, the assignee or an owner."""
        asked = await _ask_without_body(request, task_id)
        return await asked.give(commands.WithdrawHelp(**asked.who))

    @post("/approve", status_code=200, summary="Take the work")
    async def approve(self, request: ApiRequest, task_id: PathId) -> JsonAnswer:
        """Completed becomes approved; by a reviewer, as the project's policy says."""
        asked = await _ask_without_body(request, task_id)
        return await asked.give(commands.ApproveTask(**asked.who, policy=asked.reached.project.policy))

    @post("/deny", status_code=200, summary="Do not take the work")
    async def deny(self, request: ApiRequest, task_id: PathId, data: JSONBody[ReasonRequest]) -> JsonAnswer:
        """Completed becomes open again; by a reviewer, who says why."""
        asked = await _ask(request, task_id)
        policy = asked.reached.project.policy
        return await asked.give(commands.DenyTask(**asked.who, policy=policy, reason=data.reason))

    @post("/reassign", status_code=200, summary="Give the task to somebody, or to nobody")
    async def reassign(self, request: ApiRequest, task_id: PathId, data: JSONBody[ReassignRequest]) -> JsonAnswer:
        """A completed task becomes open again; that is for reviewers."""
        asked = await _ask(request, task_id)
        project = asked.reached.project
        assignee_id = None if data.assignee_id is None else AccountId(data.assignee_id)
        command = commands.ReassignTask(
            **asked.who,
            policy=project.policy,
            assignee_id=assignee_id,
            assignee_role=None if assignee_id is None else project.members.get(assignee_id),
        )
        return await asked.give(command)

    @post("/archive", status_code=200, summary="Put the task away")
    async def archive(self, request: ApiRequest, task_id: PathId) -> JsonAnswer:
        """Any state but archived becomes archived."""
        asked = await _ask_without_body(request, task_id)
        return await asked.give(commands.ArchiveTask(**asked.who))

    @post("/restore", status_code=200, summary="Bring an archived task back")
    async def restore(self, request: ApiRequest, task_id: PathId) -> JsonAnswer:
        """Archived becomes the state that the task had."""
        asked = await _ask_without_body(request, task_id)
        return await asked.give(commands.RestoreTask(**asked.who))


HANDLERS = (create_task, TaskCommands)
