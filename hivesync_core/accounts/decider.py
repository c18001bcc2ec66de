"""The rules of one account: made, promoted, locked out, given tokens, erased."""

from __future__ import annotations

from typing import assert_never
from uuid import UUID

import msgspec

from hivesync_core.accounts.commands import (
    AccountCommand,
    Actor,
    ChangePassword,
    ChangeRole,
    CreateToken,
    DisableAccount,
    EnableAccount,
    EraseAccount,
    RecordTokenReuse,
    RegisterAccount,
    RevokeToken,
)
from hivesync_core.accounts.events import (
    AccountDisabled,
    AccountEnabled,
    AccountErased,
    AccountEvent,
    AccountPasswordChanged,
    AccountRefreshTokenReused,
    AccountRegistered,
    AccountRoleChanged,
    AccountTokenCreated,
    AccountTokenRevoked,
)
from hivesync_core.accounts.refusals import (
    AccountExists,
    AccountIsDisabled,
    AccountIsErased,
    ExpiryInThePast,
    NoScope,
    NoSuchAccount,
    NoSuchToken,
    NotAnAdmin,
    NotYourAccount,
    ScopeNotHeld,
)
from hivesync_core.accounts.scopes import allowed_scopes, in_order
from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules need to know of an account; ``account_id`` is none where there is no such account.

    ``tokens`` holds the personal access tokens that were not revoked, the expired ones among them.
    """

    account_id: AccountId | None = None
    is_admin: bool = False
    disabled: bool = False
    erased: bool = False
    tokens: frozenset[UUID] = frozenset()
    revoked_tokens: frozenset[UUID] = frozenset()

    @property
    def may_administer(self) -> bool:
        """Whether this is an admin who can sign in."""
        return self.is_admin and not self.disabled and not self.erased


def decide(state: Account, command: AccountCommand) -> tuple[Event, ...]:
    """The events that follow from a command, ``()`` where it asks for what is so already; raises a ``Refusal``."""
    if isinstance(command, RegisterAccount):
        return _register(state, command)
    if state.account_id is None:
        raise NoSuchAccount
    match command:
        case ChangeRole():
            _by_admin(command.by)
            _not_erased(state)
            return () if state.is_admin == command.is_admin else (AccountRoleChanged(is_admin=command.is_admin),)
        case DisableAccount():
            _by_admin(command.by)
            _not_erased(state)
            return () if state.disabled else (AccountDisabled(),)
        case EnableAccount():
            _by_admin(command.by)
            _not_erased(state)
            return (AccountEnabled(),) if state.disabled else ()
        case EraseAccount():
            _by_admin(command.by)
            return () if state.erased else (AccountErased(),)
        case ChangePassword():
            return _change_password(state, command)
        case CreateToken():
            return _create_token(state, command)
        case RevokeToken():
            return _revoke_token(state, command)
        case RecordTokenReuse():
            _not_erased(state)
            return (AccountRefreshTokenReused(session_id=command.session_id, client_id=command.client_id),)
        case _:
            assert_never(command)


def evolve(state: Account, event: Event) -> Account:
    """The account after an event of its stream."""
    replace = msgspec.structs.replace
    match event:
        case AccountRegistered():
            return replace(state, account_id=event.account_id, is_admin=event.is_admin)
        case AccountRoleChanged():
            return replace(state, is_admin=event.is_admin)
        case AccountDisabled():
            return replace(state, disabled=True)
        case AccountEnabled():
            return replace(state, disabled=False)
        case AccountTokenCreated():
            return replace(state, tokens=state.tokens | {event.token_id})
        case AccountTokenRevoked():
            return replace(
                state, tokens=state.tokens - {event.token_id}, revoked_tokens=state.revoked_tokens | {event.token_id}
            )
        case AccountErased():
            return replace(
                state,
                erased=True,
                is_admin=False,
                tokens=frozenset(),
                revoked_tokens=state.revoked_tokens | state.tokens,
            )
        case AccountPasswordChanged() | AccountRefreshTokenReused():
            return state
        case _:
            raise AssertionError(f"{type(event).__name__} does not belong to an account")


account: Decider[Account, AccountCommand] = Decider(name="account", initial=Account(), decide=decide, evolve=evolve)
"""The rules of one account; its stream is named by the account's id."""


def _register(state: Account, command: RegisterAccount) -> tuple[AccountEvent, ...]:
    if command.origin == "admin":
        if command.by is None or not command.by.is_admin:
            raise NotAnAdmin("Accounts are made by an admin or through an invitation.")
    elif command.origin == "invitation":
        assert command.invitation_id is not None, "the invitation is named"
        assert not command.is_admin, "an invitation never makes an admin"
    if state.account_id is not None:
        raise AccountExists
    return (
        AccountRegistered(
            account_id=command.account_id,
            origin=command.origin,
            is_admin=command.is_admin,
            invitation_id=command.invitation_id,
        ),
    )


def _change_password(state: Account, command: ChangePassword) -> tuple[AccountEvent, ...]:
    _not_erased(state)
    own = command.by.account_id == state.account_id
    if not own:
        _by_admin(command.by)
    return (AccountPasswordChanged(cause="own" if own else "admin"),)


def _create_token(state: Account, command: CreateToken) -> tuple[AccountEvent, ...]:
    _not_erased(state)
    if command.by.account_id != state.account_id:
        raise NotYourAccount("A personal access token is made by the account that it belongs to.")
    if state.disabled:
        raise AccountIsDisabled
    scopes = in_order(command.scopes)
    if not scopes:
        raise NoScope
    missing = frozenset(scopes) - allowed_scopes(is_admin=state.is_admin)
    if missing:
        raise ScopeNotHeld(f"This account cannot give: {', '.join(sorted(missing))}.", missing=sorted(missing))
    if command.expires_at is not None and command.expires_at <= command.at:
        raise ExpiryInThePast
    if command.token_id in state.tokens | state.revoked_tokens:
        return ()
    return (AccountTokenCreated(token_id=command.token_id, scopes=scopes, expires_at=command.expires_at),)


def _revoke_token(state: Account, command: RevokeToken) -> tuple[AccountEvent, ...]:
    if command.by.account_id != state.account_id:
        _by_admin(command.by)
    if command.token_id in state.revoked_tokens:
        return ()
    if command.token_id not in state.tokens:
        raise NoSuchToken
    return (AccountTokenRevoked(token_id=command.token_id),)


def _by_admin(by: Actor) -> None:
    if not by.is_admin:
        raise NotAnAdmin


def _not_erased(state: Account) -> None:
    if state.erased:
        raise AccountIsErased
