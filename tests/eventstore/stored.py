"""What lies in a database, and what it answers to a batch: over a connection of the test's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.pq import ExecStatus

from adapters.postgres.batch import APPEND, answers, encoded, parameters
from adapters.postgres.exchange import BINARY
from adapters.postgres.reader import COLUMNS
from adapters.postgres.recorder import stored_record
from hivesync_core.eventstore.records import Append, Appended, StoredRecord, first_broken_link


def append(connection: psycopg.Connection[Any], batch: Sequence[Append]) -> list[tuple[str, Appended]]:
    """What ``eventlog.append`` answers to each command of a batch."""
    columns = parameters([encoded(append) for append in batch])
    result = connection.pgconn.exec_params(APPEND, columns, param_formats=[BINARY] * len(columns))
    if result.status != ExecStatus.TUPLES_OK:
        raise psycopg.errors.error_from_result(result)
    rows = [tuple(result.get_value(row, column) for column in range(5)) for row in range(result.ntuples)]
    return [(outcome.decode(), appended) for outcome, appended in answers(batch, rows)]


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
