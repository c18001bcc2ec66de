"""The stock eventsourcing library on PostgreSQL, with the same story in its own events: the yardstick."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import ApplicationRecorder, DatetimeAsISO, JSONTranscoder, Mapper, StoredEvent, UUIDAsHex
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from hivesync_core.eventstore.events import EVENTS
from tests.bench.story import Happening

CLASSES = {event.__name__: type(event.__name__, (DomainEvent,), {"__module__": __name__}) for event in EVENTS}
"""For each of HiveSync's events one of the library's kind, with the same fields."""
for _name, _class in CLASSES.items():
    setattr(sys.modules[__name__], _name, _class)


def datastore(url: str, *, threads: int = 1) -> PostgresDatastore:
    """The library's own connection pool, as its factory makes it; a connection for each thread."""
    given = conninfo_to_dict(url)
    return PostgresDatastore(
        dbname=str(given["dbname"]),
        host=str(given["host"]),
        port=str(given["port"]),
        user=str(given["user"]),
        password=str(given["password"]),
        pool_size=threads,
        max_overflow=threads,
    )


def recorder(store: PostgresDatastore) -> PostgresApplicationRecorder:
    """The library's recorder with its table, as its factory makes it."""
    made = PostgresApplicationRecorder(store)
    made.create_table()
    return made


class StockApplication(Application[UUID]):
    """The library's application with its own mapper, on a recorder of its own."""

    def __init__(self, store: PostgresDatastore) -> None:
        self._recorder = recorder(store)
        super().__init__({"PERSISTENCE_MODULE": "eventsourcing.popo"})

    def construct_recorder(self) -> ApplicationRecorder:
        """The library's recorder on PostgreSQL."""
        return self._recorder


def mapper() -> Mapper[UUID]:
    """The library's mapper with its JSON transcoder, as its application makes it."""
    transcoder = JSONTranscoder()
    transcoder.register(UUIDAsHex())
    transcoder.register(DatetimeAsISO())
    return Mapper(transcoder)


def events(happenings: Iterable[Happening]) -> Iterator[Any]:
    """The happenings as the library's events: identity, version, time and the event's own fields, no more."""
    for happening in happenings:
        event: Any = object.__new__(CLASSES[type(happening.event).__name__])
        event.__dict__.update(
            originator_id=happening.stream_id,
            originator_version=happening.version,
            timestamp=happening.at,
            **{name: _plain(value) for name, value in msgspec.structs.asdict(happening.event).items()},
        )
        yield event


def seed(url: str, stored: Iterable[StoredEvent]) -> None:
    """Fill the library's table."""
    columns = "originator_id, originator_version, topic, state"
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY stored_events ({columns}) FROM STDIN (FORMAT BINARY)".encode()) as copy:
            copy.set_types(["uuid", "int8", "text", "bytea"])
            for event in stored:
                copy.write_row((event.originator_id, event.originator_version, event.topic, event.state))
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE stored_events")


def _plain(value: Any) -> Any:
    """What the library's transcoder takes: UUIDs and times as they are, the rest as plain JSON."""
    return msgspec.to_builtins(value, builtin_types=(UUID,)) if value is not msgspec.UNSET else None
