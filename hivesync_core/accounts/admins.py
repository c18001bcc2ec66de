"""The admins' seats: one stream for the whole installation, so that it never stands without an admin.

Which accounts are admins is a fact of many streams, and "at least one" is a rule over all of them. Each admin who can
act holds a seat in this stream; whoever promotes, demotes, disables or erases appends here and to the account in one
step, and two demotions at once cannot both win.
"""

from __future__ import annotations

from typing import assert_never
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from hivesync_core.accounts.commands import AdminsCommand, GiveUpSeat, TakeFirstSeat, TakeSeat
from hivesync_core.accounts.events import AdminSeatGivenUp, AdminSeatTaken, AdminsEvent
from hivesync_core.accounts.refusals import AdminExists, LastAdmin
from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId

ADMINS_STREAM: UUID = uuid5(NAMESPACE_URL, "hivesync:admins")
"""The one stream that holds the seats."""


class Admins(msgspec.Struct, frozen=True):
    """The accounts that can administer this installation now."""

    seats: frozenset[AccountId] = frozenset()


def decide(state: Admins, command: AdminsCommand) -> tuple[AdminsEvent, ...]:
    """The events that follow from a command, ``()`` where it asks for what is so already; raises a ``Refusal``."""
    match command:
        case TakeFirstSeat(account_id=account_id):
            if state.seats:
                raise AdminExists("The set-up is over; sign in as an admin to make accounts.")
            return (AdminSeatTaken(account_id=account_id),)
        case TakeSeat(account_id=account_id):
            return () if account_id in state.seats else (AdminSeatTaken(account_id=account_id),)
        case GiveUpSeat(account_id=account_id):
            if account_id not in state.seats:
                return ()
            if len(state.seats) == 1:
                raise LastAdmin("Make another account an admin first.")
            return (AdminSeatGivenUp(account_id=account_id),)
        case _:
            assert_never(command)


def evolve(state: Admins, event: Event) -> Admins:
    """The seats after an event of their stream."""
    match event:
        case AdminSeatTaken(account_id=account_id):
            return Admins(state.seats | {account_id})
        case AdminSeatGivenUp(account_id=account_id):
            return Admins(state.seats - {account_id})
        case _:
            raise AssertionError(f"{type(event).__name__} does not belong to the admins' seats")


def seat_command(account_id: AccountId, *, may_administer: bool) -> TakeSeat | GiveUpSeat:
    """What an account's seat needs after a change: one where it is an admin who can sign in, none otherwise."""
    return TakeSeat(account_id=account_id) if may_administer else GiveUpSeat(account_id=account_id)


admins: Decider[Admins, AdminsCommand] = Decider(name="admins", initial=Admins(), decide=decide, evolve=evolve)
"""The rules of the seats; the stream is ``ADMINS_STREAM``."""
