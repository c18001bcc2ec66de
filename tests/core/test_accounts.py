"""The rules of accounts, invitations and the admins' seats, one sentence each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from hivesync_core.accounts import commands as c
from hivesync_core.accounts import refusals as r
from hivesync_core.accounts.admins import admins, seat_command
from hivesync_core.accounts.decider import account
from hivesync_core.accounts.events import (
    EVENTS,
    AccountDisabled,
    AccountEnabled,
    AccountErased,
    AccountPasswordChanged,
    AccountRefreshTokenReused,
    AccountRegistered,
    AccountRoleChanged,
    AccountTokenCreated,
    AccountTokenRevoked,
    AdminSeatGivenUp,
    AdminSeatTaken,
    InvitationAccepted,
    InvitationMade,
    InvitationRevoked,
)
from hivesync_core.accounts.invitation import invitation
from hivesync_core.accounts.scopes import SCOPES, allowed_scopes, in_order
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.roles import Role
from tests.core.cast import HOUR, MEMBER, NOW, OWNER, PROJECT, STRANGER
from tests.core.given import Given

ADMIN = c.Actor(OWNER, is_admin=True)
SELF = c.Actor(MEMBER)
OTHER = c.Actor(STRANGER)
INVITATION = UUID(int=70)
TOKEN = UUID(int=80)
SESSION = UUID(int=90)

REGISTERED = AccountRegistered(account_id=MEMBER, origin="admin", is_admin=False)
PROMOTED = AccountRoleChanged(is_admin=True)
DEMOTED = AccountRoleChanged(is_admin=False)
TOKEN_CREATED = AccountTokenCreated(token_id=TOKEN, scopes=("read", "write"), expires_at=None)
TOKEN_REVOKED = AccountTokenRevoked(token_id=TOKEN)
ERASED: tuple[Event, ...] = (REGISTERED, AccountErased())
MADE = InvitationMade(invited_by=OWNER, expires_at=NOW + HOUR)
ACCEPTED = InvitationAccepted(account_id=MEMBER)


def register(**fields: Any) -> c.RegisterAccount:
    return c.RegisterAccount(**{"account_id": MEMBER, "origin": "admin", "by": ADMIN, **fields})


def create_token(**fields: Any) -> c.CreateToken:
    defaults = {"by": SELF, "token_id": TOKEN, "scopes": ("read", "write"), "expires_at": None, "at": NOW}
    return c.CreateToken(**{**defaults, **fields})


def make(**fields: Any) -> c.MakeInvitation:
    return c.MakeInvitation(**{"by": ADMIN, "at": NOW, "expires_at": NOW + HOUR, **fields})


# --- accounts ----------------------------------------------------------------------------------------------------


def test_an_admin_makes_an_account() -> None:
    Given(account).when(register()).then(REGISTERED).then_state(account_id=MEMBER, is_admin=False, disabled=False)


def test_nobody_else_makes_accounts() -> None:
    Given(account).when(register(by=OTHER)).then_refused(r.NotAnAdmin)
    Given(account).when(register(by=None)).then_refused(r.NotAnAdmin)


def test_the_first_admin_needs_no_other() -> None:
    command = register(origin="set_up", by=None, is_admin=True)
    Given(account).when(command).then(AccountRegistered(account_id=MEMBER, origin="set_up", is_admin=True))


def test_an_invitation_is_permission_enough_and_never_makes_an_admin() -> None:
    invited = AccountRegistered(account_id=MEMBER, origin="invitation", is_admin=False, invitation_id=INVITATION)
    Given(account).when(register(origin="invitation", by=None, invitation_id=INVITATION)).then(invited)
    with pytest.raises(AssertionError):
        account.decide(account.initial, register(origin="invitation", by=None, invitation_id=INVITATION, is_admin=True))


def test_an_account_is_made_once() -> None:
    Given(account, REGISTERED).when(register()).then_refused(r.AccountExists)
    Given(account, *ERASED).when(register()).then_refused(r.AccountExists)


@pytest.mark.parametrize(
    "command",
    [
        c.ChangeRole(by=ADMIN, is_admin=True),
        c.DisableAccount(by=ADMIN),
        c.EnableAccount(by=ADMIN),
        c.EraseAccount(by=ADMIN),
        c.ChangePassword(by=ADMIN),
        create_token(),
        c.RevokeToken(by=ADMIN, token_id=TOKEN),
        c.RecordTokenReuse(session_id=SESSION, client_id="hivesync-cli"),
    ],
)
def test_an_account_that_was_never_made_takes_no_command(command: c.AccountCommand) -> None:
    Given(account).when(command).then_refused(r.NoSuchAccount)


@pytest.mark.parametrize(
    "command",
    [
        c.ChangeRole(by=SELF, is_admin=True),
        c.DisableAccount(by=SELF),
        c.EnableAccount(by=SELF),
        c.EraseAccount(by=SELF),
        c.ChangePassword(by=OTHER),
    ],
)
def test_only_an_admin_decides_over_an_account(command: c.AccountCommand) -> None:
    Given(account, REGISTERED).when(command).then_refused(r.NotAnAdmin)


def test_an_admin_promotes_and_demotes() -> None:
    Given(account, REGISTERED).when(c.ChangeRole(by=ADMIN, is_admin=True)).then(PROMOTED).then_state(is_admin=True)
    Given(account, REGISTERED, PROMOTED).when(c.ChangeRole(by=ADMIN, is_admin=False)).then(DEMOTED)
    Given(account, REGISTERED, PROMOTED).when(c.ChangeRole(by=ADMIN, is_admin=True)).then_nothing()


def test_an_admin_disables_and_enables() -> None:
    disabled = (REGISTERED, AccountDisabled())
    Given(account, REGISTERED).when(c.DisableAccount(by=ADMIN)).then(AccountDisabled()).then_state(disabled=True)
    Given(account, *disabled).when(c.DisableAccount(by=ADMIN)).then_nothing()
    Given(account, *disabled).when(c.EnableAccount(by=ADMIN)).then(AccountEnabled()).then_state(disabled=False)
    Given(account, REGISTERED).when(c.EnableAccount(by=ADMIN)).then_nothing()


def test_erasing_leaves_no_right_and_no_token() -> None:
    given = Given(account, REGISTERED, PROMOTED, TOKEN_CREATED)
    given.when(c.EraseAccount(by=ADMIN)).then(AccountErased()).then_state(
        erased=True, is_admin=False, tokens=frozenset(), may_administer=False
    )


def test_an_erased_account_stays_erased() -> None:
    Given(account, *ERASED).when(c.EraseAccount(by=ADMIN)).then_nothing()
    for command in (
        c.ChangeRole(by=ADMIN, is_admin=True),
        c.EnableAccount(by=ADMIN),
        c.DisableAccount(by=ADMIN),
        c.ChangePassword(by=SELF),
        create_token(),
    ):
        Given(account, *ERASED).when(command).then_refused(r.AccountIsErased)


def test_who_changed_a_password_is_recorded() -> None:
    Given(account, REGISTERED).when(c.ChangePassword(by=SELF)).then(AccountPasswordChanged(cause="own"))
    Given(account, REGISTERED).when(c.ChangePassword(by=ADMIN)).then(AccountPasswordChanged(cause="admin"))


def test_the_reuse_of_a_refresh_token_is_recorded() -> None:
    reused = AccountRefreshTokenReused(session_id=SESSION, client_id="hivesync-cli")
    Given(account, REGISTERED).when(c.RecordTokenReuse(session_id=SESSION, client_id="hivesync-cli")).then(reused)


# --- personal access tokens --------------------------------------------------------------------------------------


def test_an_account_makes_a_token_with_scopes_in_their_order() -> None:
    Given(account, REGISTERED).when(create_token(scopes=("write", "read"))).then(TOKEN_CREATED)


def test_a_token_is_made_by_its_own_account_alone() -> None:
    Given(account, REGISTERED).when(create_token(by=ADMIN)).then_refused(r.NotYourAccount)


def test_a_token_cannot_do_what_its_account_cannot() -> None:
    admin_token = create_token(scopes=("read", "admin"))
    Given(account, REGISTERED).when(admin_token).then_refused(r.ScopeNotHeld, missing=["admin"])
    Given(account, REGISTERED, PROMOTED).when(admin_token).then_state(tokens=frozenset({TOKEN}))


def test_a_token_needs_a_scope_and_a_future() -> None:
    Given(account, REGISTERED).when(create_token(scopes=())).then_refused(r.NoScope)
    Given(account, REGISTERED).when(create_token(expires_at=NOW)).then_refused(r.ExpiryInThePast)


def test_a_disabled_account_makes_no_token() -> None:
    Given(account, REGISTERED, AccountDisabled()).when(create_token()).then_refused(r.AccountIsDisabled)


def test_a_token_is_revoked_by_its_account_or_an_admin_once() -> None:
    given = Given(account, REGISTERED, TOKEN_CREATED)
    given.when(c.RevokeToken(by=SELF, token_id=TOKEN)).then(TOKEN_REVOKED).then_state(tokens=frozenset())
    given.when(c.RevokeToken(by=ADMIN, token_id=TOKEN)).then(TOKEN_REVOKED)
    given.when(c.RevokeToken(by=OTHER, token_id=TOKEN)).then_refused(r.NotAnAdmin)
    given.when(c.RevokeToken(by=SELF, token_id=UUID(int=81))).then_refused(r.NoSuchToken)
    Given(account, REGISTERED, TOKEN_CREATED, TOKEN_REVOKED).when(c.RevokeToken(by=SELF, token_id=TOKEN)).then_nothing()


def test_an_ordinary_account_has_every_scope_but_that_of_admins() -> None:
    assert allowed_scopes(is_admin=True) == frozenset(SCOPES)
    assert allowed_scopes(is_admin=False) == frozenset(SCOPES) - {"admin"}
    assert in_order(["live", "nonsense", "read", "live"]) == ("read", "live")


# --- invitations -------------------------------------------------------------------------------------------------


def test_an_admin_invites() -> None:
    Given(invitation).when(make()).then(MADE).then_state(status="open")


def test_an_owner_invites_into_the_own_project_and_nowhere_else() -> None:
    into = {"project_id": PROJECT, "role": Role.MEMBER}
    made = InvitationMade(invited_by=STRANGER, expires_at=NOW + HOUR, project_id=PROJECT, role=Role.MEMBER)
    Given(invitation).when(make(by=OTHER, by_role=Role.OWNER, **into)).then(made)
    for role in (None, Role.MEMBER, Role.AUDITOR):
        Given(invitation).when(make(by=OTHER, by_role=role, **into)).then_refused(r.MayNotInvite)
    Given(invitation).when(make(by=OTHER, by_role=Role.OWNER)).then_refused(r.NotAnAdmin)


def test_a_project_and_a_role_come_together() -> None:
    Given(invitation).when(make(project_id=PROJECT)).then_refused(r.RoleWithoutProject)
    Given(invitation).when(make(role=Role.OWNER)).then_refused(r.RoleWithoutProject)


def test_an_invitation_needs_a_future() -> None:
    Given(invitation).when(make(expires_at=NOW)).then_refused(r.ExpiryInThePast)


def test_an_invitation_is_accepted_once_and_in_time() -> None:
    accept = c.AcceptInvitation(account_id=MEMBER, at=NOW)
    late = c.AcceptInvitation(account_id=MEMBER, at=NOW + HOUR)
    Given(invitation, MADE).when(accept).then(ACCEPTED)
    Given(invitation, MADE).when(late).then_refused(r.InvitationNotOpen, status="expired")
    Given(invitation, MADE, ACCEPTED).when(accept).then_refused(r.InvitationNotOpen, status="accepted")
    Given(invitation, MADE, InvitationRevoked()).when(accept).then_refused(r.InvitationNotOpen, status="revoked")
    Given(invitation).when(accept).then_refused(r.NoSuchInvitation)


def test_an_invitation_is_taken_back_by_its_maker_or_an_admin() -> None:
    theirs = InvitationMade(invited_by=STRANGER, expires_at=NOW + HOUR, project_id=PROJECT, role=Role.MEMBER)
    Given(invitation, theirs).when(c.RevokeInvitation(by=OTHER)).then(InvitationRevoked())
    Given(invitation, theirs).when(c.RevokeInvitation(by=ADMIN)).then(InvitationRevoked())
    Given(invitation, theirs).when(c.RevokeInvitation(by=SELF)).then_refused(r.NotAnAdmin)
    Given(invitation, theirs, InvitationRevoked()).when(c.RevokeInvitation(by=OTHER)).then_nothing()
    Given(invitation, MADE, ACCEPTED).when(c.RevokeInvitation(by=ADMIN)).then_refused(r.InvitationNotOpen)
    Given(invitation).when(c.RevokeInvitation(by=ADMIN)).then_refused(r.NoSuchInvitation)


# --- the admins' seats -------------------------------------------------------------------------------------------


def test_the_first_seat_is_taken_while_there_is_none() -> None:
    first = AdminSeatTaken(account_id=OWNER)
    Given(admins).when(c.TakeFirstSeat(account_id=OWNER)).then(first)
    Given(admins, first).when(c.TakeFirstSeat(account_id=MEMBER)).then_refused(r.AdminExists)


def test_the_last_admin_stays() -> None:
    first, second = AdminSeatTaken(account_id=OWNER), AdminSeatTaken(account_id=MEMBER)
    Given(admins, first).when(c.GiveUpSeat(account_id=OWNER)).then_refused(r.LastAdmin)
    Given(admins, first, second).when(c.GiveUpSeat(account_id=OWNER)).then(AdminSeatGivenUp(account_id=OWNER))
    Given(admins, first, second, AdminSeatGivenUp(account_id=OWNER)).when(c.GiveUpSeat(account_id=MEMBER)).then_refused(
        r.LastAdmin
    )


def test_a_seat_is_taken_and_given_up_once() -> None:
    first = AdminSeatTaken(account_id=OWNER)
    Given(admins, first).when(c.TakeSeat(account_id=OWNER)).then_nothing()
    Given(admins, first).when(c.TakeSeat(account_id=MEMBER)).then(AdminSeatTaken(account_id=MEMBER))
    Given(admins, first).when(c.GiveUpSeat(account_id=MEMBER)).then_nothing()


def test_a_seat_is_for_an_admin_who_can_sign_in() -> None:
    assert seat_command(OWNER, may_administer=True) == c.TakeSeat(account_id=OWNER)
    assert seat_command(OWNER, may_administer=False) == c.GiveUpSeat(account_id=OWNER)


def test_no_event_has_room_for_personal_data() -> None:
    kept_as_text = {"origin", "cause", "client_id", "scopes", "role"}
    for event in EVENTS:
        for name, kind in event.__annotations__.items():
            assert name in kept_as_text or any(
                word in str(kind) for word in ("UUID", "AccountId", "ProjectId", "datetime", "bool")
            ), f"{event.__name__}.{name}"


def test_an_event_of_another_stream_is_a_fault() -> None:
    for decider, stranger in ((account, MADE), (invitation, REGISTERED), (admins, REGISTERED)):
        with pytest.raises(AssertionError):
            decider.evolve(decider.initial, stranger)


def test_whose_account_it_is_stands_in_its_first_event() -> None:
    assert account.fold([REGISTERED]).account_id == AccountId(MEMBER)
