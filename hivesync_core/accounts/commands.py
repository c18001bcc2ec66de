"""What can be asked of an account, of an invitation and of the admins' seats."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from hivesync_core.accounts.events import Origin
from hivesync_core.accounts.scopes import Scope
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role


class Actor(msgspec.Struct, frozen=True):
    """Who asks, and whether that account is an admin and asks with a token that may act as one."""

    account_id: AccountId
    is_admin: bool = False


class RegisterAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Make the account. ``by`` is none for the first admin and for an invitation: their secrets are the permission."""

    account_id: AccountId
    origin: Origin
    by: Actor | None = None
    is_admin: bool = False
    invitation_id: UUID | None = None


class ChangeRole(msgspec.Struct, frozen=True, kw_only=True):
    """Make the account an admin, or an ordinary account."""

    by: Actor
    is_admin: bool


class DisableAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Lock the account out."""

    by: Actor


class EnableAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Let the account in again."""

    by: Actor


class EraseAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Delete what is known of the person."""

    by: Actor


class ChangePassword(msgspec.Struct, frozen=True, kw_only=True):
    """Record that the password is another one; the password itself never comes near the rules."""

    by: Actor


class CreateToken(msgspec.Struct, frozen=True, kw_only=True):
    """Make a personal access token that can do ``scopes`` and no more, until ``expires_at`` where one is given."""

    by: Actor
    token_id: UUID
    scopes: tuple[Scope, ...]
    expires_at: datetime | None
    at: datetime


class RevokeToken(msgspec.Struct, frozen=True, kw_only=True):
    """Make a personal access token void."""

    by: Actor
    token_id: UUID


class RecordTokenReuse(msgspec.Struct, frozen=True, kw_only=True):
    """Record that a used refresh token came back and that its session ended for it."""

    session_id: UUID
    client_id: str


class MakeInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """Invite somebody, into a project where one is named; ``by_role`` is the inviter's role in that project."""

    by: Actor
    by_role: Role | None = None
    at: datetime
    expires_at: datetime
    project_id: ProjectId | None = None
    role: Role | None = None


class AcceptInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """Use the invitation for the account that is made with it."""

    account_id: AccountId
    at: datetime


class RevokeInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """Take the invitation back."""

    by: Actor


class TakeFirstSeat(msgspec.Struct, frozen=True, kw_only=True):
    """Take a seat on the condition that none is taken: the set-up of a new installation."""

    account_id: AccountId


class TakeSeat(msgspec.Struct, frozen=True, kw_only=True):
    """Count the account among the admins."""

    account_id: AccountId


class GiveUpSeat(msgspec.Struct, frozen=True, kw_only=True):
    """Count the account among the admins no longer; the last one has to stay."""

    account_id: AccountId


AccountCommand = (
    RegisterAccount
    | ChangeRole
    | DisableAccount
    | EnableAccount
    | EraseAccount
    | ChangePassword
    | CreateToken
    | RevokeToken
    | RecordTokenReuse
)
InvitationCommand = MakeInvitation | AcceptInvitation | RevokeInvitation
AdminsCommand = TakeFirstSeat | TakeSeat | GiveUpSeat
