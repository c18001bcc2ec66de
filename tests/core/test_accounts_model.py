"""Accounts and seats under random commands agree with a small model, and an installation never runs out of admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hivesync_core.accounts import commands as c
from hivesync_core.accounts.admins import admins, seat_command
from hivesync_core.accounts.decider import Account, account
from hivesync_core.accounts.scopes import SCOPES
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.refusal import Refusal
from tests.core.cast import NOW

PEOPLE = [AccountId(UUID(int=n)) for n in (1, 2, 3)]
people = st.sampled_from(PEOPLE)
booleans = st.booleans()


@dataclass
class Person:
    """What an account should be."""

    is_admin: bool = False
    disabled: bool = False
    erased: bool = False
    tokens: int = 0

    @property
    def can_administer(self) -> bool:
        return self.is_admin and not self.disabled and not self.erased


class AccountsMachine(RuleBasedStateMachine):
    """A status change goes to the account and to the seats in one step, as it does through the log: both or neither."""

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[AccountId, Person] = {}
        self.accounts: dict[AccountId, Account] = {}
        self.seats = admins.initial
        self.tokens = 0

    def admins_left(self, without: AccountId) -> int:
        return sum(person.can_administer for key, person in self.model.items() if key != without)

    def change(self, key: AccountId, command: c.AccountCommand) -> str:
        """``done``, or the code of the refusal; a refusal of either stream leaves both as they were."""
        before = self.accounts.get(key, account.initial)
        try:
            after = account.fold(account.decide(before, command), before)
            seat = seat_command(key, may_administer=after.may_administer)
            seats = admins.fold(admins.decide(self.seats, seat), self.seats)
        except Refusal as refusal:
            return refusal.code
        self.accounts[key], self.seats = after, seats
        return "done"

    @initialize()
    def set_up(self) -> None:
        first = PEOPLE[0]
        command = c.RegisterAccount(account_id=first, origin="set_up", is_admin=True)
        self.accounts[first] = account.fold(account.decide(account.initial, command))
        self.seats = admins.fold(admins.decide(self.seats, c.TakeFirstSeat(account_id=first)))
        self.model[first] = Person(is_admin=True)

    @rule(key=people, by_admin=booleans, is_admin=booleans)
    def register(self, key: AccountId, by_admin: bool, is_admin: bool) -> None:
        by = c.Actor(PEOPLE[0], is_admin=by_admin)
        given = self.change(key, c.RegisterAccount(account_id=key, origin="admin", by=by, is_admin=is_admin))
        if not by_admin:
            assert given == "account.not_an_admin"
        elif key in self.model:
            assert given == "account.exists"
        else:
            assert given == "done"
            self.model[key] = Person(is_admin=is_admin)

    @rule(key=people, by_admin=booleans, what=st.sampled_from(["promote", "demote", "disable", "enable", "erase"]))
    def change_status(self, key: AccountId, by_admin: bool, what: str) -> None:
        by = c.Actor(PEOPLE[0], is_admin=by_admin)
        command: c.AccountCommand = {
            "promote": c.ChangeRole(by=by, is_admin=True),
            "demote": c.ChangeRole(by=by, is_admin=False),
            "disable": c.DisableAccount(by=by),
            "enable": c.EnableAccount(by=by),
            "erase": c.EraseAccount(by=by),
        }[what]
        given = self.change(key, command)
        person = self.model.get(key)
        if person is None:
            assert given == "account.unknown"
        elif not by_admin:
            assert given == "account.not_an_admin"
        elif person.erased:
            assert given == ("done" if what == "erase" else "account.erased")
        elif what in ("demote", "disable", "erase") and person.can_administer and self.admins_left(key) == 0:
            assert given == "account.last_admin"
        else:
            assert given == "done"
            person.is_admin = {"promote": True, "demote": False, "erase": False}.get(what, person.is_admin)
            person.disabled = {"disable": True, "enable": False}.get(what, person.disabled)
            person.erased = what == "erase"
            person.tokens = 0 if person.erased else person.tokens

    @rule(key=people, scopes=st.sets(st.sampled_from(SCOPES)), days=st.integers(-1, 1))
    def create_token(self, key: AccountId, scopes: set[str], days: int) -> None:
        self.tokens += 1
        command = c.CreateToken(
            by=c.Actor(key),
            token_id=UUID(int=self.tokens),
            scopes=tuple(scopes),  # type: ignore[arg-type]
            expires_at=NOW + timedelta(days=days),
            at=NOW,
        )
        given = self.change(key, command)
        person = self.model.get(key)
        possible = person is not None and not person.erased and not person.disabled
        held = bool(scopes) and (person is not None and (person.is_admin or "admin" not in scopes))
        assert (given == "done") == (possible and held and days > 0)
        if given == "done" and person is not None:
            person.tokens += 1

    @invariant()
    def states_are_the_models(self) -> None:
        for key, person in self.model.items():
            state = self.accounts[key]
            assert (state.is_admin, state.disabled, state.erased) == (person.is_admin, person.disabled, person.erased)
            assert len(state.tokens) == person.tokens

    @invariant()
    def seats_are_held_by_who_can_administer_and_never_empty(self) -> None:
        if self.model:
            wanted = {key for key, person in self.model.items() if person.can_administer}
            assert self.seats.seats == wanted
            assert wanted


TestAccounts = AccountsMachine.TestCase
TestAccounts.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
