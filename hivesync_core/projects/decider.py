"""The rules of projects: only owners manage one, and it never runs out of owners (TASK-1)."""

from __future__ import annotations

from typing import assert_never

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import ApprovalPolicy, Role
from hivesync_core.kernel.text import many_lines, one_line
from hivesync_core.projects.commands import (
    DESCRIPTION_MAX,
    MEMBERS_MAX,
    NAME_MAX,
    AddMember,
    ChangeMemberRole,
    ChangePolicy,
    CreateProject,
    EditProject,
    ProjectCommand,
    RemoveMember,
)
from hivesync_core.projects.events import (
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    ProjectCreated,
    ProjectEdited,
    ProjectEvent,
    ProjectPolicyChanged,
)
from hivesync_core.projects.refusals import (
    AlreadyAMember,
    LastOwner,
    MemberNotFound,
    NotAnOwner,
    ProjectExists,
    ProjectNotFound,
    TooManyMembers,
)


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project as its rules need it; ``project_id`` is none before it was created. ``members`` is never changed in place."""

    project_id: ProjectId | None = None
    name: str = ""
    description: str = ""
    members: dict[AccountId, Role] = {}
    policy: ApprovalPolicy = ApprovalPolicy()

    @property
    def owners(self) -> int:
        """How many owners there are."""
        return sum(role is Role.OWNER for role in self.members.values())


def decide(state: Project, command: ProjectCommand) -> tuple[ProjectEvent, ...]:
    """The events that follow from ``command``, or a refusal."""
    if isinstance(command, CreateProject):
        return _create(state, command)
    if state.project_id is None:
        raise ProjectNotFound
    leaves = isinstance(command, RemoveMember) and command.account_id == command.by in state.members
    if not (leaves or command.is_admin or state.members.get(command.by) is Role.OWNER):
        raise NotAnOwner
    match command:
        case EditProject():
            return _edit(state, command)
        case AddMember():
            return _add_member(state, command)
        case ChangeMemberRole():
            return _change_role(state, command)
        case RemoveMember():
            return _remove_member(state, command)
        case ChangePolicy(policy=policy):
            return (ProjectPolicyChanged(policy=policy),) if policy != state.policy else ()
        case _:
            assert_never(command)


def _create(state: Project, command: CreateProject) -> tuple[ProjectEvent, ...]:
    if state.project_id is not None:
        raise ProjectExists
    created = ProjectCreated(
        project_id=command.project_id,
        name=one_line(command.name, "name", chars_max=NAME_MAX),
        description=many_lines(command.description, "description", chars_max=DESCRIPTION_MAX, may_be_blank=True),
        created_by=command.by,
        policy=command.policy,
    )
    return (created,)


def _edit(state: Project, command: EditProject) -> tuple[ProjectEvent, ...]:
    name, description = command.name, command.description
    if name is not UNSET:
        name = one_line(name, "name", chars_max=NAME_MAX)
    if description is not UNSET:
        description = many_lines(description, "description", chars_max=DESCRIPTION_MAX, may_be_blank=True)
    edited = ProjectEdited(
        name=UNSET if name == state.name else name,
        description=UNSET if description == state.description else description,
    )
    return (edited,) if edited != ProjectEdited() else ()


def _add_member(state: Project, command: AddMember) -> tuple[ProjectEvent, ...]:
    role = state.members.get(command.account_id)
    if role is command.role:
        return ()
    if role is not None:
        raise AlreadyAMember(f"The account is a member already, as {role}: change its role instead.", role=role)
    if len(state.members) >= MEMBERS_MAX:
        raise TooManyMembers(members_max=MEMBERS_MAX)
    return (MemberAdded(account_id=command.account_id, role=command.role),)


def _change_role(state: Project, command: ChangeMemberRole) -> tuple[ProjectEvent, ...]:
    role = state.members.get(command.account_id)
    if role is None:
        raise MemberNotFound
    if role is command.role:
        return ()
    _refuse_losing_the_last_owner(state, role)
    return (MemberRoleChanged(account_id=command.account_id, role=command.role),)


def _remove_member(state: Project, command: RemoveMember) -> tuple[ProjectEvent, ...]:
    role = state.members.get(command.account_id)
    if role is None:
        raise MemberNotFound
    _refuse_losing_the_last_owner(state, role)
    return (MemberRemoved(account_id=command.account_id),)


def _refuse_losing_the_last_owner(state: Project, role: Role) -> None:
    if role is Role.OWNER and state.owners == 1:
        raise LastOwner("The last owner can neither leave nor take another role: make another member an owner first.")


def evolve(state: Project, event: Event) -> Project:
    """The project after ``event``."""
    match event:
        case ProjectCreated():
            return Project(
                project_id=event.project_id,
                name=event.name,
                description=event.description,
                members={event.created_by: Role.OWNER},
                policy=event.policy,
            )
        case ProjectEdited():
            return replace(
                state,
                name=state.name if event.name is UNSET else event.name,
                description=state.description if event.description is UNSET else event.description,
            )
        case MemberAdded() | MemberRoleChanged():
            return replace(state, members={**state.members, event.account_id: event.role})
        case MemberRemoved():
            others = {account: role for account, role in state.members.items() if account != event.account_id}
            return replace(state, members=others)
        case ProjectPolicyChanged():
            return replace(state, policy=event.policy)
        case _:
            raise AssertionError(f"not an event of a project: {event!r}")


project: Decider[Project, ProjectCommand] = Decider(name="project", initial=Project(), decide=decide, evolve=evolve)
"""The rules of the streams of projects."""
