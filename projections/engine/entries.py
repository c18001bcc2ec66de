"""What a reader of the log is handed: decoded events with their hashes, and marks where one cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec
import psycopg

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.errors import Undecodable, UnknownTopic
from hivesync_core.kernel.event import Meta, Recorded

POSITION_MAX = (1 << 63) - 1

COLUMNS = (
    "notification_id, originator_id, originator_version, topic, state, event_id, recorded_at, actor, "
    "correlation_id, causation_id, command_id, hash"
)
"""The columns that ``entries_from`` takes, in order."""

_PAGE = "SELECT {} FROM eventlog.events WHERE notification_id > %s AND notification_id <= %s ORDER BY notification_id LIMIT %s"
_WHOLE_PAGE = _PAGE.format(COLUMNS)
_BRIEF_PAGE = _PAGE.format("notification_id, originator_id, originator_version, topic, state, recorded_at, hash")
_HEAD = "SELECT coalesce(max(notification_id), 0) FROM eventlog.events"


class Unreadable(NamedTuple):
    """Stands in the place of an event that this version of HiveSync cannot decode."""

    topic: str
    cause: str


class Brief(msgspec.Struct, frozen=True, gc=False):
    """What is read of an envelope for those who ask for no more."""

    recorded_at: datetime


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event of the log in its envelope, with its topic and its link in the chain (32 bytes)."""

    recorded: Recorded
    topic: str
    hash: bytes


def entries_from(rows: Iterable[tuple[Any, ...]], catalogue: Catalogue) -> list[Entry]:
    """The entries of rows as every reader of the log selects them; never raises on a payload, whatever it is."""
    entries = []
    for position, stream_id, version, topic, state, event_id, at, actor, correlation, causation, command, link in rows:
        event = _decoded(catalogue, topic, state)
        meta = Meta(
            event_id=event_id,
            recorded_at=at,
            actor=actor,
            correlation_id=correlation,
            causation_id=causation,
            command_id=command,
        )
        entries.append(Entry(Recorded(position, stream_id, version, event, meta), topic, link))
    return entries


def _brief_entries_from(rows: Iterable[tuple[Any, ...]], catalogue: Catalogue) -> list[Entry]:
    entries = []
    decode, classes = catalogue.decode_known, catalogue.classes
    for position, stream_id, version, topic, state, at, link in rows:
        try:
            event = decode(state)
        except Exception:  # noqa: BLE001 - it is tried again, and the cause kept
            event = None
        # Most events are what their topic says: only others are looked at more closely.
        if classes.get(topic) is not type(event):
            event = _decoded(catalogue, topic, state)
        entries.append(Entry(Recorded(position, stream_id, version, event, Brief(at)), topic, link))  # type: ignore[arg-type]
    return entries


def _decoded(catalogue: Catalogue, topic: str, state: str) -> Any:
    try:
        return catalogue.decode(topic, state)
    except (UnknownTopic, Undecodable) as error:
        return Unreadable(topic, str(error))
    except Exception as error:  # noqa: BLE001 - kept in the entry
        # An upcaster failed, or the payload is nested beyond all bounds: no reason to stop reading.
        return Unreadable(topic, f"a stored {topic} does not decode: {type(error).__name__}: {error}")


class LogQueries(Protocol):
    """A database that answers queries in bounded time."""

    async def fetch_all(self, query: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of the answer; raises ``StoreUnavailable``."""
        ...


class LogDatabase(LogQueries, Protocol):
    """What is needed of a database: queries that answer in bounded time, and a connection to listen on."""

    def direct(
        self, application_name: str, *, patience_s: float | None = None
    ) -> AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]:
        """A connection outside the pool, in autocommit mode, closed at the end.

        With ``patience_s`` an exchange that takes longer raises ``TimeoutError``.
        """
        ...


class LogReader:
    """Reads the log in pages, decoded."""

    def __init__(self, database: LogDatabase, catalogue: Catalogue) -> None:
        self.database = database
        self.catalogue = catalogue

    async def head(self) -> int:
        """The position of the last event; 0 where there is none."""
        rows = await self.database.fetch_all(_HEAD)
        return int(rows[0][0])

    async def page(self, after: int, limit: int, *, last: int = POSITION_MAX, brief: bool = False) -> list[Entry]:
        """The entries after a position, at most ``limit`` and none after ``last``, in order.

        Of a ``brief`` page's envelopes only the time is read, which takes half as long.
        """
        rows = await self.database.fetch_all(_BRIEF_PAGE if brief else _WHOLE_PAGE, (after, last, limit))
        return (_brief_entries_from if brief else entries_from)(rows, self.catalogue)
