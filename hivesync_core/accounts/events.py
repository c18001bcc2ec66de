"""What can have happened to an account, to an invitation and to the admins' seats; no event names a person."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from hivesync_core.accounts.scopes import Scope
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role

Origin = Literal["set_up", "admin", "invitation"]
"""How an account came to be: as the first admin, by an admin's hand, or through an invitation."""

PasswordChangeCause = Literal["own", "admin"]
"""Who changed a password: the account itself, or an admin for it."""


class AccountRegistered(Event, frozen=True, kw_only=True, tag="account.registered.v1"):
    """An account exists from here on."""

    account_id: AccountId
    origin: Origin
    is_admin: bool
    invitation_id: UUID | None = None


class AccountRoleChanged(Event, frozen=True, kw_only=True, tag="account.role_changed.v1"):
    """The account became an admin, or is none any more."""

    is_admin: bool


class AccountDisabled(Event, frozen=True, kw_only=True, tag="account.disabled.v1"):
    """Nobody can sign in to the account, and its tokens are void."""


class AccountEnabled(Event, frozen=True, kw_only=True, tag="account.enabled.v1"):
    """The account can sign in again; its former tokens stay void."""


class AccountPasswordChanged(Event, frozen=True, kw_only=True, tag="account.password_changed.v1"):
    """The password is another one; the other sessions of the account ended."""

    cause: PasswordChangeCause


class AccountTokenCreated(Event, frozen=True, kw_only=True, tag="account.token_created.v1"):
    """A personal access token was made; its name and its secret are not in the log."""

    token_id: UUID
    scopes: tuple[Scope, ...]
    expires_at: datetime | None


class AccountTokenRevoked(Event, frozen=True, kw_only=True, tag="account.token_revoked.v1"):
    """A personal access token is void."""

    token_id: UUID


class AccountRefreshTokenReused(Event, frozen=True, kw_only=True, tag="account.refresh_token_reused.v1"):
    """A refresh token was shown a second time: somebody holds a copy, so the whole session ended."""

    session_id: UUID
    client_id: str


class AccountErased(Event, frozen=True, kw_only=True, tag="account.erased.v1"):
    """The personal data of the account is deleted; its history stays, without a name."""


class InvitationMade(Event, frozen=True, kw_only=True, tag="invitation.made.v1"):
    """Somebody who holds the invitation's secret may make an account until ``expires_at``."""

    invited_by: AccountId
    expires_at: datetime
    project_id: ProjectId | None = None
    role: Role | None = None


class InvitationAccepted(Event, frozen=True, kw_only=True, tag="invitation.accepted.v1"):
    """The invitation was used, once and for all."""

    account_id: AccountId


class InvitationRevoked(Event, frozen=True, kw_only=True, tag="invitation.revoked.v1"):
    """The invitation was taken back before anybody used it."""


class AdminSeatTaken(Event, frozen=True, kw_only=True, tag="admins.seat_taken.v1"):
    """The account counts among those who can administer this installation."""

    account_id: AccountId


class AdminSeatGivenUp(Event, frozen=True, kw_only=True, tag="admins.seat_given_up.v1"):
    """The account no longer counts among those who can administer this installation."""

    account_id: AccountId


AccountEvent = (
    AccountRegistered
    | AccountRoleChanged
    | AccountDisabled
    | AccountEnabled
    | AccountPasswordChanged
    | AccountTokenCreated
    | AccountTokenRevoked
    | AccountRefreshTokenReused
    | AccountErased
)
InvitationEvent = InvitationMade | InvitationAccepted | InvitationRevoked
AdminsEvent = AdminSeatTaken | AdminSeatGivenUp

EVENTS: tuple[type[Event], ...] = (
    AccountRegistered,
    AccountRoleChanged,
    AccountDisabled,
    AccountEnabled,
    AccountPasswordChanged,
    AccountTokenCreated,
    AccountTokenRevoked,
    AccountRefreshTokenReused,
    AccountErased,
    InvitationMade,
    InvitationAccepted,
    InvitationRevoked,
    AdminSeatTaken,
    AdminSeatGivenUp,
)
