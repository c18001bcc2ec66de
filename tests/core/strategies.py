"""Random histories of projects and tasks that could really have happened, for every test that folds or projects them.

``histories()`` gives ``(stream id, event)`` in the order of the log, ``recordings()`` the same in its envelopes. All
streams are interleaved; every event was decided by the rules on the state that its stream had.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import strategies as st

from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event, Meta, Recorded
from hivesync_core.kernel.ids import SYSTEM_ACTOR, AccountId, ProjectId
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.kernel.roles import ApprovalPolicy, Approvers, Role
from hivesync_core.projects import commands as pc
from hivesync_core.projects.decider import Project, project
from hivesync_core.tasks import commands as tc
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.events import ExternalAssignee, Priority
from hivesync_core.tasks.importing import imported_task_id
from hivesync_core.tasks.state import Task
from hivesync_core.tasks.transitions import TRANSITIONS, Status, Transition

PEOPLE = tuple(AccountId(UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000 + n)) for n in range(1, 6))
BEGINNING = datetime(2025, 1, 1, 9, 0, tzinfo=UTC)

_AWKWARD = ("=1+1", "@cmd", "-3", 'She said "no", twice', "ÄÖ ß 漢字 🐝", "\u202egnp.exe", "<b>bold</b>", "%s {0} \\n")
_letters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])

people = st.sampled_from(PEOPLE)
one_liners = st.one_of(
    st.sampled_from(("Mend the gate", "Paint the fence", *_AWKWARD)),
    st.text(_letters, min_size=1, max_size=30).filter(lambda text: text.strip() != ""),
)
texts = st.one_of(st.just(""), one_liners, st.lists(one_liners, min_size=2, max_size=3).map("\n".join))
said = one_liners | st.lists(one_liners, min_size=2, max_size=3).map("\r\n".join)
labels = st.lists(st.sampled_from(("bug", "docs", "garden", "Ünï", "=x")), max_size=3).map(tuple)
priorities = st.sampled_from(Priority)
due_dates = st.none() | st.dates(date(2024, 12, 1), date(2026, 12, 1))
policies = st.builds(ApprovalPolicy, approvers=st.sampled_from(Approvers), may_approve_own_work=st.booleans())
_OFTEN = {Transition.REQUEST_HELP, Transition.CLAIM_HELP, Transition.CHECK_IN_HELP, Transition.RELEASE_HELP}
"""Drawn more often than the others, because they need a chain of them."""

Draw = Callable[[st.SearchStrategy[Any]], Any]


class Step(NamedTuple):
    """One event with what its envelope says; the events of one command share ``command``, counted from 1."""

    stream_id: UUID
    event: Event
    actor: str
    at: datetime
    command: int


class _World:
    """What has happened so far; every command to a stream goes through ``give``."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.now = BEGINNING
        self.steps: list[Step] = []
        self.commands = 0
        self.projects: dict[ProjectId, Project] = {}
        self.tasks: dict[UUID, Task] = {}

    def give(self, decider: Decider[Any, Any], states: dict[Any, Any], stream_id: UUID, command: Any) -> None:
        """Decide and fold; a refusal is a thing that did not happen."""
        try:
            events = decider.decide(states.get(stream_id, decider.initial), command)
        except Refusal:
            return
        self.commands += 1
        actor = str(getattr(command, "by", SYSTEM_ACTOR))
        self.steps += [Step(stream_id, event, actor, self.now, self.commands) for event in events]
        if events:
            states[stream_id] = decider.fold(events, states.get(stream_id))

    def next_id(self) -> UUID:
        """An id of the form of a UUIDv7 that sorts after those before it."""
        return UUID(int=0x0190_0001_0000_7000_8000_0000_0000_0000 + (len(self.steps) << 80) + self.commands)

    def pass_time(self) -> None:
        self.now += timedelta(
            microseconds=self.draw(st.sampled_from((1_000_000, 1, 60_000_000, 3_600_000_000, 90_000_000_000)))
        )

    def worker(self, project_id: ProjectId) -> dict[str, Any]:
        """Who gives the next command to a task of the project: somebody who may work there."""
        members = self.projects[project_id].members
        workers = [account for account, role in members.items() if role.writes]
        by = self.draw(st.sampled_from(workers))
        return {"by": by, "role": members[by], "at": self.now}

    def assignee(self, project_id: ProjectId) -> dict[str, Any]:
        members = self.projects[project_id].members
        workers = [account for account, role in members.items() if role.writes]
        assignee = self.draw(st.none() | st.sampled_from(workers))
        return {"assignee_id": assignee, "assignee_role": members.get(assignee)}


@st.composite
def steps(draw: Draw, *, turns_max: int = 15, projects_max: int = 2, tasks_max: int = 4) -> list[Step]:
    """What a few people did, one step an event, in up to ``turns_max`` turns of up to three commands on one task."""
    world = _World(draw)
    _create_project(world)
    for _ in range(draw(st.integers(0, turns_max))):
        world.pass_time()
        kind = draw(st.integers(0, 11))
        if kind == 0 and len(world.projects) < projects_max:
            _create_project(world)
        elif kind <= 1:
            _change_project(world)
        elif kind <= 3 or not world.tasks:
            if len(world.tasks) < tasks_max:
                (_import_task if draw(st.booleans()) else _create_task)(world)
        else:
            _change_task(world)
    return world.steps


def histories(**limits: int) -> st.SearchStrategy[list[tuple[UUID, Event]]]:
    """Histories as ``(stream id, event)`` in the order of the log; the limits are those of ``steps``."""
    return steps(**limits).map(lambda taken: [(step.stream_id, step.event) for step in taken])


def recordings(**limits: int) -> st.SearchStrategy[list[Recorded]]:
    """Histories in their envelopes: positions and versions from 1 without a gap, times that never go back."""
    return steps(**limits).map(recorded)


def recorded(taken: list[Step]) -> list[Recorded]:
    """The envelopes of ``taken``, as the store would give them to a projection."""
    versions: dict[UUID, int] = {}
    log: list[Recorded] = []
    for position, step in enumerate(taken, 1):
        versions[step.stream_id] = versions.get(step.stream_id, 0) + 1
        command_id = UUID(int=0x0190_0003_0000_7000_8000_0000_0000_0000 + step.command)
        meta = Meta(
            event_id=UUID(int=0x0190_0002_0000_7000_8000_0000_0000_0000 + position),
            recorded_at=step.at,
            actor=step.actor,
            correlation_id=command_id,
            command_id=command_id,
        )
        log.append(Recorded(position, step.stream_id, versions[step.stream_id], step.event, meta))
    return log


def _create_project(world: _World) -> None:
    draw, project_id = world.draw, ProjectId(world.next_id())
    command = pc.CreateProject(
        project_id=project_id, by=draw(people), name=draw(one_liners), description=draw(texts), policy=draw(policies)
    )
    world.give(project, world.projects, project_id, command)
    for account in draw(st.lists(people, unique=True, min_size=1, max_size=4)):
        add = pc.AddMember(
            by=command.by, account_id=account, role=draw(st.sampled_from((Role.MEMBER, Role.MEMBER, *Role)))
        )
        world.give(project, world.projects, project_id, add)


def _change_project(world: _World) -> None:
    draw = world.draw
    project_id = draw(st.sampled_from(list(world.projects)))
    members = world.projects[project_id].members
    owner = draw(st.sampled_from([account for account, role in members.items() if role is Role.OWNER]))
    command: pc.ProjectCommand
    match draw(st.sampled_from(("add", "add", "add", "edit", "role", "remove", "policy"))):
        case "add":
            command = pc.AddMember(by=owner, account_id=draw(people), role=draw(st.sampled_from(Role)))
        case "edit":
            command = pc.EditProject(by=owner, name=draw(one_liners), description=draw(texts))
        case "role":
            member = draw(st.sampled_from(list(members)))
            command = pc.ChangeMemberRole(by=owner, account_id=member, role=draw(st.sampled_from(Role)))
        case "remove":
            command = pc.RemoveMember(by=owner, account_id=draw(st.sampled_from(list(members))))
        case _:
            command = pc.ChangePolicy(by=owner, policy=draw(policies))
    world.give(project, world.projects, project_id, command)


def _create_task(world: _World) -> None:
    draw = world.draw
    project_id = draw(st.sampled_from(list(world.projects)))
    command = tc.CreateTask(
        **world.worker(project_id),
        **world.assignee(project_id),
        project_id=project_id,
        title=draw(one_liners),
        description=draw(texts),
        labels=draw(labels),
        priority=draw(priorities),
        due=draw(due_dates),
    )
    world.give(task, world.tasks, world.next_id(), command)


def _import_task(world: _World) -> None:
    draw = world.draw
    project_id = draw(st.sampled_from(list(world.projects)))
    external_id = f"garden/gate#{draw(st.integers(1, 3))}"
    closed = draw(st.booleans())
    assignee = world.assignee(project_id)["assignee_id"]
    command = tc.ImportTask(
        **world.worker(project_id),
        project_id=project_id,
        source="github",
        external_id=external_id,
        url=draw(st.none() | st.just("https://github.com/garden/gate/issues/1")),
        title=draw(one_liners),
        description=draw(texts),
        labels=draw(labels),
        author=draw(st.none() | st.just("octocat")),
        assignees=(ExternalAssignee(name="octocat", account_id=assignee),) if assignee else (),
        assignee_id=assignee,
        created_at=BEGINNING - timedelta(days=400),
        updated_at=BEGINNING - timedelta(days=300),
        closed=closed,
        closed_at=BEGINNING - timedelta(days=300) if closed else None,
        closed_reason=draw(st.sampled_from(("completed", "not_planned"))) if closed else None,
    )
    world.give(task, world.tasks, imported_task_id(project_id, "github", external_id), command)


def _change_task(world: _World) -> None:
    draw = world.draw
    stream_id = draw(st.sampled_from(list(world.tasks)))
    for _ in range(draw(st.sampled_from((3, 2, 1)))):
        state = world.tasks[stream_id]
        possible = [name for name in TRANSITIONS[state.status] for _ in range(4 if name in _OFTEN else 1)]
        world.give(task, world.tasks, stream_id, _task_command(world, state, draw(st.sampled_from(possible))))
        world.pass_time()


def _task_command(world: _World, state: Task, transition: Transition) -> tc.TaskCommand:
    draw = world.draw
    assert state.project_id is not None, "the task exists"
    policy = world.projects[state.project_id].policy
    who = world.worker(state.project_id)
    match transition:
        case Transition.COMPLETE:
            return tc.CompleteTask(**who)
        case Transition.REQUEST_HELP:
            return tc.RequestHelp(**who, reason=draw(said))
        case Transition.CLAIM_HELP:
            return tc.ClaimHelp(**_as_another(world, state, who), lease_s=draw(st.sampled_from((86_400, 3600, 60))))
        case Transition.CHECK_IN_HELP:
            return tc.CheckInHelp(**_as_helper(world, state, who), lease_s=172_800)
        case Transition.RELEASE_HELP:
            return tc.ReleaseHelp(**_as_helper(world, state, who))
        case Transition.EXPIRE_HELP:
            world.now = max(world.now, state.lease_expires_at or world.now)
            return tc.ExpireHelpLease(at=world.now)
        case Transition.WITHDRAW_HELP:
            return tc.WithdrawHelp(**who)
        case Transition.APPROVE:
            return tc.ApproveTask(**who, policy=policy)
        case Transition.DENY:
            return tc.DenyTask(**who, policy=policy, reason=draw(said))
        case Transition.REASSIGN:
            return tc.ReassignTask(**who, policy=policy, **world.assignee(state.project_id))
        case Transition.COMMENT:
            return tc.CommentTask(**who, comment_id=world.next_id(), text=draw(said))
        case Transition.ARCHIVE:
            return tc.ArchiveTask(**who)
        case Transition.RESTORE:
            return tc.RestoreTask(**who)
        case _:
            return _edit_task(draw, who)


def _as_another(world: _World, state: Task, who: dict[str, Any]) -> dict[str, Any]:
    """Somebody who did not ask gives the command, where the project has such a person."""
    assert state.project_id is not None, "the task exists"
    members = world.projects[state.project_id].members
    others = [account for account, role in members.items() if role.writes and account != state.asked_by]
    by = world.draw(st.sampled_from(others or [who["by"]]))
    return {**who, "by": by, "role": members[by]}


def _as_helper(world: _World, state: Task, who: dict[str, Any]) -> dict[str, Any]:
    """The helper gives the command, as long as they may still work in the project."""
    assert state.project_id is not None, "the task exists"
    assert state.status is Status.HELPING, "somebody helps"
    role = world.projects[state.project_id].members.get(state.helper_id or who["by"])
    return {**who, "by": state.helper_id, "role": role} if role is not None else who


def _edit_task(draw: Draw, who: dict[str, Any]) -> tc.EditTask:
    fields = {
        "title": one_liners,
        "description": texts,
        "labels": labels,
        "priority": priorities,
        "due": due_dates,
    }
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=3, unique=True))
    return tc.EditTask(**who, **{name: draw(fields[name]) for name in chosen})
