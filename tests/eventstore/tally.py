"""A feature small enough to reason about: tallies that are added to up to a limit, and closed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_never
from uuid import UUID

import msgspec

from adapters.ids import uuid7
from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.log import Context
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.records import Append, Idempotency, NewEvent
from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event, Meta
from hivesync_core.kernel.refusal import Conflict

LIMIT = 10
AT = datetime(2025, 6, 1, 12, 30, 0, 123456, tzinfo=UTC)


class Added(Event, frozen=True, kw_only=True, tag="tally.added.v1"):
    """Something was added."""

    amount: int
    note: str = ""


class Closed(Event, frozen=True, kw_only=True, tag="tally.closed.v1"):
    """Nothing can be added any more."""


class Tally(msgspec.Struct, frozen=True):
    """What was added so far."""

    total: int = 0
    closed: bool = False


class Add(msgspec.Struct, frozen=True):
    """Add an amount, in as many events as ``times`` says."""

    amount: int = 1
    times: int = 1


class Close(msgspec.Struct, frozen=True):
    """Close the tally; again is nothing."""


class OverTheLimit(Conflict):
    """The total would pass the limit."""

    code = "tally.over_the_limit"


class AlreadyClosed(Conflict):
    """Nothing can be added to what is closed."""

    code = "tally.already_closed"


def decide(state: Tally, command: Add | Close) -> tuple[Event, ...]:
    """The rules."""
    match command:
        case Add():
            if state.closed:
                raise AlreadyClosed
            if state.total + command.amount * command.times > LIMIT:
                raise OverTheLimit
            return (Added(amount=command.amount),) * command.times
        case Close():
            return () if state.closed else (Closed(),)
        case _:
            assert_never(command)


def evolve(state: Tally, event: Event) -> Tally:
    """The tally after an event."""
    if isinstance(event, Added):
        return Tally(state.total + event.amount, state.closed)
    return Tally(state.total, True)


tally: Decider[Tally, Add | Close] = Decider(name="tally", initial=Tally(), decide=decide, evolve=evolve)
CATALOGUE = Catalogue((Added, Closed))
MAPPER = MsgspecMapper(CATALOGUE)


def context(key: Idempotency | None = None) -> Context:
    """A context of one command of its own."""
    return Context("system", AT, uuid7(), uuid7(), None, key)


def idempotency(key: str = "a key", body: bytes = b"a body") -> Idempotency:
    """An idempotency key of one account."""
    return Idempotency("an account", key, body.ljust(32))


def added(stream_id: UUID | None = None, version: int = 1, *, actor: str = "system", note: str = "") -> NewEvent:
    """An event about to be stored, in a new stream unless told otherwise."""
    event_id = uuid7()
    meta = Meta(event_id=event_id, recorded_at=AT, actor=actor, correlation_id=event_id, command_id=event_id)
    return MAPPER.to_new_event(stream_id or uuid7(), version, Added(amount=1, note=note), meta)


def one(stream_id: UUID | None = None, version: int = 1, key: Idempotency | None = None, answer: str = "") -> Append:
    """A command that leads to one event."""
    return Append((added(stream_id, version),), key, answer)
