"""How a batch of commands is told to ``eventlog.append``, as columns in PostgreSQL's binary form, and how its answer reads.

A command is encoded when it arrives, while the server works on an earlier batch; when its turn comes, its pieces need only
be joined. PostgreSQL reads arrays several times faster than the same as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from struct import Struct
from typing import Any, NamedTuple

from hivesync_core.eventstore.records import Append, Appended, NewEvent, epoch_microseconds, originator

APPEND = b"SELECT command, outcome, first_position, last_position, answer FROM eventlog.append(%s)" % b", ".join(
    b"$%d" % number for number in range(1, 17)
)
"""What a batch is sent with; its parameters are what ``parameters`` gives, all in binary."""

_CACHED_MAX = 4096
"""Topics and actors whose bytes are kept: there are few of either, and every event has both."""

# Types by their numbers in pg_type.dat, which no version of PostgreSQL changes; each with what the elements of its array
# are led by, where they all have one size, and are not led by it themselves.
_INT, _BIGINT, _UUID = (23, b"\0\0\0\x04"), (20, b"\0\0\0\x08"), (2950, b"\0\0\0\x10")
_TEXT, _BYTEA, _UUID_OR_NULL = (25, b""), (17, b""), (2950, b"")
_NULL = b"\xff\xff\xff\xff"

# As array_recv in arrayfuncs.c reads it: the number of dimensions, whether there may be nulls, the type, the length, the
# number of the first element; then of each element its size and its bytes, or the size -1 for a null.
_HEADER = Struct(">iiIii")

_EVENT_TYPES = (_INT, _UUID, _BIGINT, _TEXT, _TEXT, _UUID, _BIGINT, _TEXT, _UUID, _UUID_OR_NULL, _UUID)
_KEY_TYPES = (_INT, _TEXT, _TEXT, _BYTEA, _TEXT)

Elements = tuple[bytes, ...]
"""What stands in each column of an event (the stream first) or of a key (the scope and the key first)."""


class Encoded(NamedTuple):
    """A command as ``parameters`` takes it."""

    events: list[Elements]
    key: Elements | None


def encoded(append: Append) -> Encoded:
    """A command, ready to be sent; raises ``ValueError`` or ``OverflowError`` for what no column can hold."""
    events = [_event(event) for event in append.events]
    if append.idempotency is None:
        return Encoded(events, None)
    scope, key, fingerprint = append.idempotency
    return Encoded(events, (_text(scope), _text(key), _bytes(fingerprint), _text(append.answer)))


def parameters(batch: Sequence[Encoded]) -> list[bytes]:
    """What ``eventlog.append`` takes for a batch of commands."""
    events = [(_number(n), *event) for n, command in enumerate(batch) for event in command.events]
    keys = [(_number(n), *command.key) for n, command in enumerate(batch) if command.key is not None]
    return (_arrays(_EVENT_TYPES, events) if events else _NO_EVENTS) + (_arrays(_KEY_TYPES, keys) if keys else _NO_KEYS)


def answers(commands: Sequence[Append], rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[bytes, Appended]]:
    """What ``eventlog.append`` answered to each command, in their order, from its rows of text."""
    *exceptions, (_, stored, first, last, _) = rows
    told = {int(row[0]): row for row in exceptions}
    following, head = int(first), int(last)
    for number, append in enumerate(commands):
        if told and number in told:
            _, outcome, first, last, answer = told[number]
            yield outcome, Appended(int(first or 0), int(last or 0), answer=(answer or b"").decode())
        elif append.events:
            before, following = following, following + len(append.events)
            yield stored, Appended(before, following - 1)
        else:
            yield stored, Appended(head, head)


def _event(event: NewEvent) -> Elements:
    meta = event.meta
    causation_id = meta.causation_id
    return (
        originator(event).int.to_bytes(16, "big"),
        event.originator_version.to_bytes(8, "big", signed=True),
        _frequent_text(event.topic),
        _bytes(event.state),
        meta.event_id.int.to_bytes(16, "big"),
        epoch_microseconds(meta.recorded_at).to_bytes(8, "big", signed=True),
        _frequent_text(meta.actor),
        meta.correlation_id.int.to_bytes(16, "big"),
        _NULL if causation_id is None else _bytes(causation_id.bytes),
        meta.command_id.int.to_bytes(16, "big"),
    )


def _bytes(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _text(text: str) -> bytes:
    return _bytes(text.encode())


_frequent_text = lru_cache(_CACHED_MAX)(_text)


@lru_cache(_CACHED_MAX)
def _number(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _arrays(types: Sequence[tuple[int, bytes]], rows: Sequence[Elements]) -> list[bytes]:
    """An array for each column of rows, of which there is one at least."""
    count = len(rows)
    return [
        _HEADER.pack(1, 1, number, count, 1) + size + size.join(elements)
        for (number, size), elements in zip(types, zip(*rows, strict=True), strict=True)
    ]


def _empty(types: Sequence[tuple[int, bytes]]) -> list[bytes]:
    return [_HEADER.pack(1, 1, number, 0, 1) for number, _ in types]


_NO_EVENTS, _NO_KEYS = _empty(_EVENT_TYPES), _empty(_KEY_TYPES)
