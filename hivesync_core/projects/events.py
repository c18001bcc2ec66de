"""What can happen to a project."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import ApprovalPolicy, Role


class ProjectCreated(Event, frozen=True, kw_only=True, tag="project.created.v1"):
    """A project exists. Its creator is its first owner: no ``MemberAdded`` follows for them."""

    project_id: ProjectId
    name: str
    description: str
    created_by: AccountId
    policy: ApprovalPolicy


class ProjectEdited(Event, frozen=True, kw_only=True, tag="project.edited.v1"):
    """Name or description changed; what did not change is unset."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


class MemberAdded(Event, frozen=True, kw_only=True, tag="project.member_added.v1"):
    """An account is a member now."""

    account_id: AccountId
    role: Role


class MemberRoleChanged(Event, frozen=True, kw_only=True, tag="project.member_role_changed.v1"):
    """A member has another role now."""

    account_id: AccountId
    role: Role


class MemberRemoved(Event, frozen=True, kw_only=True, tag="project.member_removed.v1"):
    """An account is no member any more: it left, or was removed."""

    account_id: AccountId


class ProjectPolicyChanged(Event, frozen=True, kw_only=True, tag="project.policy_changed.v1"):
    """Who may approve is decided otherwise from now on."""

    policy: ApprovalPolicy


ProjectEvent = ProjectCreated | ProjectEdited | MemberAdded | MemberRoleChanged | MemberRemoved | ProjectPolicyChanged

EVENTS: tuple[type[Event], ...] = (
    ProjectCreated,
    ProjectEdited,
    MemberAdded,
    MemberRoleChanged,
    MemberRemoved,
    ProjectPolicyChanged,
)
"""Every event of this feature, for the catalogue."""
