"""Projects over the API: what is sent to change one, and how one is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from shared.api.base import NO_NUL, ONE_LINE, Answer, Request

PROJECT_NAME_MAX = 120
PROJECT_DESCRIPTION_MAX = 65_536

RoleName = Literal["owner", "member", "auditor"]
ApproversName = Literal["owners", "members"]
ProjectName = Annotated[str, Meta(min_length=1, max_length=PROJECT_NAME_MAX, pattern=ONE_LINE)]
ProjectDescription = Annotated[str, Meta(max_length=PROJECT_DESCRIPTION_MAX, pattern=NO_NUL)]


class Policy(Request, frozen=True, kw_only=True):
    """Who may approve completed tasks beside the owners, and whether one may approve one's own work."""

    approvers: ApproversName
    may_approve_own_work: bool


class CreateProjectRequest(Request, frozen=True, kw_only=True):
    """A new project; its creator becomes its owner."""

    name: ProjectName
    description: ProjectDescription = ""
    policy: Policy = Policy(approvers="owners", may_approve_own_work=True)


class EditProjectRequest(Request, frozen=True, kw_only=True):
    """What is left out stays as it is."""

    name: ProjectName | UnsetType = UNSET
    description: ProjectDescription | UnsetType = UNSET


class MemberRequest(Request, frozen=True, kw_only=True):
    """The role that an account is to have."""

    role: RoleName


class ShownMember(Answer, frozen=True, kw_only=True):
    """An account in a project."""

    account_id: UUID
    role: RoleName
    since: datetime


class ShownProject(Answer, frozen=True, kw_only=True):
    """A project; ``version`` and ``position`` are those of its last event."""

    project_id: UUID
    name: str
    description: str
    created_at: datetime
    created_by: UUID
    policy: Policy
    members: list[ShownMember]
    version: int
    position: int


class ProjectPage(Answer, frozen=True, kw_only=True):
    """Projects by name."""

    items: list[ShownProject]
    next_cursor: str | None
    position: int
