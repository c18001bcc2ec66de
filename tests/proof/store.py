"""A real log in PostgreSQL to sign and to tamper with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg

from adapters.postgres.connections import Database
from adapters.proof.keeper import CheckpointKeeper
from hivesync_core.eventstore.records import StoredRecord
from hivesync_core.proof.note import SigningKey
from tests.proof.events import KEY

_COPY = (
    "COPY eventlog.events (notification_id, originator_id, originator_version, topic, state, event_id, recorded_at, "
    "actor, correlation_id, causation_id, command_id, hash) FROM STDIN"
)


def store(url: str, records: Sequence[StoredRecord]) -> None:
    """Put events into the log as they are, hashes included."""
    with psycopg.connect(url) as connection, connection.cursor().copy(_COPY) as copy:
        for record in records:
            meta = record.meta
            copy.write_row(
                (
                    record.id, record.originator_id, record.originator_version, record.topic, record.state.decode(),
                    meta.event_id, meta.recorded_at, meta.actor, meta.correlation_id, meta.causation_id,
                    meta.command_id, record.hash,
                )
            )  # fmt: skip


def tamper(url: str, statement: str, params: Sequence[Any] = ()) -> int:
    """Do to the log as a superuser what nobody may, with every trigger off; the number of rows touched."""
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE eventlog.events DISABLE TRIGGER ALL")
        touched = connection.execute(statement.encode(), params).rowcount
        connection.execute("ALTER TABLE eventlog.events ENABLE ALWAYS TRIGGER append_only_rows")
        connection.execute("ALTER TABLE eventlog.events ENABLE ALWAYS TRIGGER append_only_table")
        return touched


@asynccontextmanager
async def keeper_of(url: str, data_dir: Path, key: SigningKey = KEY) -> AsyncIterator[CheckpointKeeper]:
    """What signs a log, with its copies in a folder."""
    database = Database(url)
    await database.open()
    try:
        yield CheckpointKeeper(database, key, data_dir)
    finally:
        await database.close()
