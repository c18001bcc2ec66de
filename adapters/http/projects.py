"""Projects: making, editing, members, policy (TASK-1)."""

from __future__ import annotations

import msgspec
from litestar import Controller, delete, get, patch, post, put
from litestar.params import JSONBody

from adapters.http.access import reach_project
from adapters.http.answers import JsonAnswer
from adapters.http.commanding import COMMAND, changed, command_context, execute, refuse_body
from adapters.http.conditional import etag, is_known
from adapters.http.limits import PAGE
from adapters.http.reading import (
    AsOf,
    Cursor,
    Limit,
    MinPosition,
    MinPositionHeader,
    as_of_position,
    page_body,
    shown_at,
    shown_now,
)
from adapters.http.request import ApiRequest, PathId
from hivesync_core.accounts.decider import account
from hivesync_core.accounts.refusals import NoSuchAccount
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import ApprovalPolicy, Approvers, Role
from hivesync_core.projects.commands import (
    AddMember,
    ChangeMemberRole,
    ChangePolicy,
    CreateProject,
    EditProject,
    RemoveMember,
)
from hivesync_core.projects.decider import project
from projections.projects.queries import ProjectUnknown, project_detail, project_page
from shared.api.projects import (
    CreateProjectRequest,
    EditProjectRequest,
    MemberRequest,
    Policy,
    ProjectPage,
    ShownProject,
)

PROJECTS_PATH = "/api/v1/projects/"


def policy_from(policy: Policy) -> ApprovalPolicy:
    """The policy as the rules know it."""
    return ApprovalPolicy(approvers=Approvers(policy.approvers), may_approve_own_work=policy.may_approve_own_work)


class ProjectCommands(Controller):
    """What changes projects."""

    path = "/projects"
    tags = ("Projects",)
    opt = COMMAND

    @post("", summary="Make a project")
    async def create(self, request: ApiRequest, data: JSONBody[CreateProjectRequest]) -> JsonAnswer:
        """The caller becomes the project's owner."""
        context = await command_context(request)
        project_id = ProjectId(context.command_id)
        command = CreateProject(
            project_id=project_id,
            by=request.user.account_id,
            name=data.name,
            description=data.description,
            policy=policy_from(data.policy),
        )
        outcome = await request.services.log.execute(project, project_id, command, context)
        return changed(request, outcome, status_code=201, location=PROJECTS_PATH)

    @patch("/{project_id:uuid}", summary="Rename or describe a project anew", opt={"must_match": True})
    async def edit(self, request: ApiRequest, project_id: PathId, data: JSONBody[EditProjectRequest]) -> JsonAnswer:
        """By an owner, for the version that `If-Match` names."""
        caller = request.user
        await reach_project(request.services, caller, project_id, as_admin=True)
        command = EditProject(
            by=caller.account_id,
            is_admin=caller.acts_as_admin,
            name=data.name,
            description=data.description,
        )
        return await execute(request, project, project_id, command, await command_context(request), must_match=True)

    @put("/{project_id:uuid}/policy", summary="Decide who may approve", opt={"must_match": True})
    async def set_policy(self, request: ApiRequest, project_id: PathId, data: JSONBody[Policy]) -> JsonAnswer:
        """By an owner, for the version that `If-Match` names."""
        caller = request.user
        await reach_project(request.services, caller, project_id, as_admin=True)
        command = ChangePolicy(by=caller.account_id, is_admin=caller.acts_as_admin, policy=policy_from(data))
        return await execute(request, project, project_id, command, await command_context(request), must_match=True)

    @put("/{project_id:uuid}/members/{account_id:uuid}", summary="Let an account in, or change its role")
    async def set_member(
        self, request: ApiRequest, project_id: PathId, account_id: PathId, data: JSONBody[MemberRequest]
    ) -> JsonAnswer:
        """By an owner."""
        caller, services = request.user, request.services
        reached = await reach_project(services, caller, project_id, as_admin=True)
        member_id, role = AccountId(account_id), Role(data.role)
        command: AddMember | ChangeMemberRole
        if member_id in reached.project.members:
            command = ChangeMemberRole(
                by=caller.account_id, is_admin=caller.acts_as_admin, account_id=member_id, role=role
            )
        else:
            if not (await services.log.state(account, account_id)).version:
                raise NoSuchAccount
            command = AddMember(by=caller.account_id, is_admin=caller.acts_as_admin, account_id=member_id, role=role)
        return await execute(request, project, project_id, command, await command_context(request))

    @delete("/{project_id:uuid}/members/{account_id:uuid}", status_code=200, summary="Take a member out, or leave")
    async def remove_member(self, request: ApiRequest, project_id: PathId, account_id: PathId) -> JsonAnswer:
        """By an owner, or by the member itself."""
        caller = request.user
        await refuse_body(request)
        await reach_project(request.services, caller, project_id, as_admin=True)
        command = RemoveMember(by=caller.account_id, is_admin=caller.acts_as_admin, account_id=AccountId(account_id))
        return await execute(request, project, project_id, command, await command_context(request))


@get("/projects", tags=["Projects"], opt={"access": "read", "answer": ProjectPage}, summary="One's projects, by name")
async def list_projects(
    request: ApiRequest,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    as_of: AsOf = None,
    min_position: MinPosition = 0,
    min_position_header: MinPositionHeader = 0,
) -> JsonAnswer:
    """The projects that the caller is a member of, as they are or as they stood at `as_of`."""
    services = request.services
    at = await as_of_position(services, as_of)
    position = await shown_at(services, "projects", at, min_position, min_position_header)
    page = await project_page(
        services.database, member_id=request.user.account_id, cursor=cursor, limit=limit, as_of=at
    )
    return JsonAnswer(page_body(page, position if at is None else at))


@get(
    "/projects/{project_id:uuid}",
    tags=["Projects"],
    opt={"access": "read", "answer": ShownProject, "has_etag": True},
    summary="One project with its members and its policy",
)
async def show_project(
    request: ApiRequest,
    project_id: PathId,
    as_of: AsOf = None,
    min_position: MinPosition = 0,
    min_position_header: MinPositionHeader = 0,
) -> JsonAnswer:
    """Now, or as it stood at `as_of`. For members, and for admins, who manage projects without being in them."""
    services = request.services
    await reach_project(services, request.user, project_id, as_admin=True)
    at = await as_of_position(services, as_of)
    await shown_at(services, "projects", at, min_position, min_position_header)
    try:
        document = await project_detail(services.database, project_id, as_of=at)
    except ProjectUnknown:
        if at is not None:
            raise
        # The log has it, and the read model not yet.
        await shown_now(services, "projects")
        document = await project_detail(services.database, project_id)
    version = msgspec.json.decode(document, type=_Versioned).version
    tag = (b"etag", etag(version).encode())
    if is_known(request.scope, version):
        return JsonAnswer(b"", tag, status_code=304)
    return JsonAnswer(document.encode(), tag)


class _Versioned(msgspec.Struct):
    """What the door needs to know of a document that it passes on as it is."""

    version: int


HANDLERS = (ProjectCommands, list_projects, show_project)
