"""What lies in a database: the log as the library's records, read by a connection of the test's own."""

from __future__ import annotations

from typing import Any

import psycopg

from adapters.postgres.reader import COLUMNS
from adapters.postgres.recorder import stored_record
from hivesync_core.eventstore.records import StoredRecord, first_broken_link


def log(url: str) -> list[StoredRecord]:
    """Every stored event, in order."""
    rows = query(url, f"SELECT {COLUMNS} FROM eventlog.events ORDER BY notification_id")
    return [stored_record(row) for row in rows]


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a query, asked as the database's owner."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()


def whole_log(url: str) -> list[StoredRecord]:
    """Every stored event, after a look that positions and versions have no gap and that the chain holds."""
    records = log(url)
    assert [record.id for record in records] == list(range(1, len(records) + 1))
    assert first_broken_link(records) is None
    versions: dict[Any, int] = {}
    for record in records:
        before = versions.get(record.originator_id, min(record.originator_version - 1, 0))
        assert record.originator_version == before + 1
        versions[record.originator_id] = record.originator_version
    assert len({record.meta.event_id for record in records}) == len(records)
    return records
