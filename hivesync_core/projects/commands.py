"""What can be asked of a project."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import ApprovalPolicy, Role

NAME_MAX = 120
"""Characters of a project's name."""
DESCRIPTION_MAX = 65_536
"""Characters of a project's description."""
MEMBERS_MAX = 1_000
"""Members of one project."""


class CreateProject(msgspec.Struct, frozen=True, kw_only=True):
    """Make the project, with ``by`` as its owner."""

    project_id: ProjectId
    by: AccountId
    name: str
    description: str = ""
    policy: ApprovalPolicy = ApprovalPolicy()


class _OwnersCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command that owners may give, and an admin of the server where the door says that ``by`` is one."""

    by: AccountId
    is_admin: bool = False


class EditProject(_OwnersCommand, frozen=True, kw_only=True):
    """Rename or describe anew; what is unset stays."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


class AddMember(_OwnersCommand, frozen=True, kw_only=True):
    """Let an account in."""

    account_id: AccountId
    role: Role


class ChangeMemberRole(_OwnersCommand, frozen=True, kw_only=True):
    """Give a member another role."""

    account_id: AccountId
    role: Role


class RemoveMember(_OwnersCommand, frozen=True, kw_only=True):
    """Take a member out; a member of any role may take themselves out."""

    account_id: AccountId


class ChangePolicy(_OwnersCommand, frozen=True, kw_only=True):
    """Decide who may approve."""

    policy: ApprovalPolicy


ProjectCommand = CreateProject | EditProject | AddMember | ChangeMemberRole | RemoveMember | ChangePolicy
