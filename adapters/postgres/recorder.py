"""The eventsourcing library's recorder on HiveSync's log: the same table, the same function that appends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import IntegrityError, InterfaceError, Notification, OperationalError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.utils import retry
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row, tuple_row

from adapters.ids import now, uuid7
from adapters.postgres.connections import DIRECT_STATEMENT_TIMEOUT_S, app_conninfo
from adapters.postgres.errors import UNAVAILABLE
from adapters.postgres.reader import COLUMNS
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.records import NewEvent, StoredRecord, epoch_microseconds
from hivesync_core.kernel.event import Meta
from hivesync_core.kernel.ids import SYSTEM_ACTOR

PAGE_EVENTS = 64
WINDOW_EVENTS = 20_000
"""Events that one statement reads: a caller that takes its time does not keep a snapshot open for the whole log."""

POSITION_MAX = 2**63 - 1

_WINDOW = (
    f"SELECT {COLUMNS} FROM eventlog.events WHERE notification_id > %s AND notification_id <= %s "
    "ORDER BY notification_id LIMIT %s"
).encode()
_APPEND = (
    b"SELECT outcome, first_position FROM eventlog.append(%s::int[], %s::uuid[], %s::bigint[], %s::text[], %s::text[], "
    b"%s::uuid[], %s::bigint[], %s::text[], %s::uuid[], %s::uuid[], %s::uuid[], '{}', '{}', '{}', '{}', '{}') "
    b"ORDER BY command"
)


class HiveSyncDatastore(PostgresDatastore):
    """The library's connection pool, working as the application's role."""

    def __init__(self, url: str, *, pool_size: int = 2, max_overflow: int = 14) -> None:
        conninfo = app_conninfo(url, application_name="hivesync-log", statement_timeout_s=DIRECT_STATEMENT_TIMEOUT_S)
        # The library wants five of the parameters by name; all of them stand in `kwargs`, where the pool takes them from.
        super().__init__("", "", "", "", "", pool_size=pool_size, max_overflow=max_overflow, schema="eventlog")
        self.pool.kwargs = {**conninfo_to_dict(conninfo), "row_factory": dict_row}

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection outside the pool, in autocommit mode, for whoever uses it long."""
        assert isinstance(self.pool.kwargs, dict)
        return psycopg.connect(autocommit=True, **{**self.pool.kwargs, "row_factory": tuple_row})


class HiveSyncRecorder(PostgresApplicationRecorder):
    """Appends and reads with the library's interface.

    The schema is made by ``create_schema``, not by the library. The channel of the library's subscription is the one
    that ``eventlog.append`` notifies. The server itself appends by ``GroupCommit``: an append here waits for a commit
    of its own, and all others wait for it.
    """

    datastore: HiveSyncDatastore

    def __init__(self, datastore: HiveSyncDatastore) -> None:
        super().__init__(datastore, events_table_name="events")
        self.channel_name = "eventlog"

    def create_table(self) -> None:
        """Nothing: ``create_schema`` has made the table, and the application's role could not."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append events as one command, and give their positions.

        In one round trip of its own instead of the library's pipeline, in which a batch of more than the socket's
        buffer can leave client and server waiting for each other.
        """
        if not stored_events:
            return None
        # Made once: a repetition after a lost answer has the same event ids, and finds what it stored before.
        columns = [list(column) for column in zip(*map(_row, stored_events), strict=True)]
        outcome, first = self._append(columns)
        if outcome != "stored":
            raise IntegrityError("a stream is not at the version before the event's")
        return list(range(first, first + len(stored_events)))

    @retry((InterfaceError, OperationalError), max_attempts=10, wait=0.2)
    def _append(self, columns: list[list[Any]]) -> tuple[str, int]:
        with self.datastore.get_connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            answer = cursor.execute(_APPEND, columns, prepare=True).fetchone()
        assert answer is not None, "eventlog.append answers each batch"
        return answer

    @retry((InterfaceError, OperationalError), max_attempts=10, wait=0.2)
    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of a stream, as the library asks for them."""
        query = f"SELECT {COLUMNS} FROM eventlog.events WHERE originator_id = %s"
        params: list[Any] = [originator_id]
        if gt is not None:
            query += " AND originator_version > %s"
            params.append(gt)
        if lte is not None:
            query += " AND originator_version <= %s"
            params.append(lte)
        query += " ORDER BY originator_version" + (" DESC" if desc else "")
        if limit is not None:
            query += " LIMIT %s"
            params.append(limit)
        return self._records(query, params)

    @retry((InterfaceError, OperationalError), max_attempts=10, wait=0.2)
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """A page of the log, as the library asks for it; each record carries its envelope and its hash."""
        query = f"SELECT {COLUMNS} FROM eventlog.events WHERE notification_id >= %s"
        params: list[Any] = [0 if start is None else start if inclusive_of_start else start + 1]
        if stop is not None:
            query += " AND notification_id <= %s"
            params.append(stop)
        if topics:
            query += " AND topic = ANY(%s)"
            params.append(list(topics))
        query += " ORDER BY notification_id LIMIT %s"
        params.append(limit)
        return self._records(query, params)

    def pages(self, after: int, last: int = POSITION_MAX, size: int = PAGE_EVENTS) -> Iterator[list[tuple[Any, ...]]]:
        """The log after a position in pages of rows of ``COLUMNS``, up to ``last`` or to the head at the time.

        The rows come as the server finds them, over a connection of their own: it works while the caller does. Pages
        are small so that what they hold is still in the processor's cache when it is looked at, and its memory is used
        again instead of being given back: pages of 500 take twice the time. Raises ``StoreUnavailable``.
        """
        try:
            # Closed, not left as a transaction would be: where the caller stops early, a statement is still under way.
            with closing(self.datastore.connect()) as connection:
                found = window = WINDOW_EVENTS
                while found == window:
                    found = 0
                    rows = connection.cursor().stream(_WINDOW, (after, last, window), binary=True, size=size)
                    while page := list(islice(rows, size)):
                        found += len(page)
                        after = page[-1][0]
                        yield page
        except UNAVAILABLE as error:
            raise StoreUnavailable(f"the log was read up to position {after}, then: {error}") from error

    def _records(self, query: str, params: Sequence[Any]) -> list[StoredRecord]:
        with self.datastore.get_connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(query.encode(), params, prepare=True, binary=True).fetchall()
        return [stored_record(row) for row in rows]


def stored_record(row: tuple[Any, ...]) -> StoredRecord:
    """A row of ``COLUMNS`` as the library's notification, with its envelope and hash."""
    position, stream_id, version, topic, state, event_id, recorded_at, actor, correlation, causation, command, link = (
        row
    )
    return StoredRecord(
        id=position,
        originator_id=stream_id,
        originator_version=version,
        topic=topic,
        state=state.encode(),
        meta=Meta(
            event_id=event_id,
            recorded_at=recorded_at,
            actor=actor,
            correlation_id=correlation,
            causation_id=causation,
            command_id=command,
        ),
        hash=link,
    )


def _row(event: StoredEvent) -> tuple[Any, ...]:
    """An event as eventlog.append takes it; one without an envelope was stored by the program itself."""
    meta = event.meta if isinstance(event, NewEvent | StoredRecord) else _own_meta()
    return (
        0,
        event.originator_id,
        event.originator_version,
        event.topic,
        event.state.decode(),
        meta.event_id,
        epoch_microseconds(meta.recorded_at),
        meta.actor,
        meta.correlation_id,
        meta.causation_id,
        meta.command_id,
    )


def _own_meta() -> Meta:
    event_id = uuid7()
    return Meta(event_id=event_id, recorded_at=now(), actor=SYSTEM_ACTOR, correlation_id=event_id, command_id=event_id)
