"""What is kept of each project and its members."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET

from hivesync_core.kernel.event import Recorded
from hivesync_core.projects.events import (
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    ProjectCreated,
    ProjectEdited,
    ProjectPolicyChanged,
)
from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import Rows


class Member(msgspec.Struct, frozen=True, gc=False):
    """An account in a project, its role, and since when it belongs to it."""

    account_id: UUID
    role: str
    since: datetime


class Policy(msgspec.Struct, frozen=True, gc=False):
    """Who may approve."""

    approvers: str
    may_approve_own_work: bool


class ProjectRow(msgspec.Struct, gc=False):
    """A project as its page shows it; ``version`` and ``position`` are those of its last event."""

    project_id: UUID
    name: str
    description: str
    created_at: datetime
    created_by: UUID
    policy: Policy
    members: list[Member]
    member_ids: list[UUID]
    version: int
    position: int


PROJECTS = Table(
    "project",
    ProjectRow,
    key="project_id",
    exposed=("name", "created_at", "member_ids"),
    history=(),
    indexes=("USING gin (member_ids)", "(name, project_id)"),
)


class Projects(ReadModel):
    """Every project with its members."""

    name = "projects"
    version = 2
    tables = (PROJECTS,)
    events = (ProjectCreated, ProjectEdited, MemberAdded, MemberRoleChanged, MemberRemoved, ProjectPolicyChanged)

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Apply one event of a project."""
        projects, project_id, at = rows.of(PROJECTS), recorded.stream_id, recorded.meta.recorded_at
        event = recorded.event
        if isinstance(event, ProjectCreated):
            projects.insert(
                ProjectRow(
                    project_id=project_id,
                    name=event.name,
                    description=event.description,
                    created_at=at,
                    created_by=event.created_by,
                    policy=Policy(str(event.policy.approvers), event.policy.may_approve_own_work),
                    members=[Member(event.created_by, "owner", at)],
                    member_ids=[event.created_by],
                    version=recorded.version,
                    position=recorded.position,
                )
            )
            return
        row = projects.change(project_id)
        row.version, row.position = recorded.version, recorded.position
        match event:
            case ProjectEdited(name=name, description=description):
                if name is not UNSET:
                    row.name = name
                if description is not UNSET:
                    row.description = description
            case MemberAdded(account_id=account_id, role=role):
                row.members = [*row.members, Member(account_id, str(role), at)]
            case MemberRoleChanged(account_id=account_id, role=role):
                row.members = [_with_role(member, account_id, str(role)) for member in row.members]
            case MemberRemoved(account_id=account_id):
                row.members = [member for member in row.members if member.account_id != account_id]
            case ProjectPolicyChanged(policy=policy):
                row.policy = Policy(str(policy.approvers), policy.may_approve_own_work)
        row.member_ids = [member.account_id for member in row.members]


def _with_role(member: Member, account_id: UUID, role: str) -> Member:
    return msgspec.structs.replace(member, role=role) if member.account_id == account_id else member
