"""Parked streams: what they wait at, another try, and going on without the event that is in the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from hivesync_core.eventstore.catalogue import Catalogue
from projections.engine.build import FAULT_OF_AN_EVENT
from projections.engine.entries import COLUMNS, Entry, LogQueries, Unreadable, entries_from
from projections.engine.parking import CAUSE_CHARS_MAX, CannotApply, apply_to, causes, skipped_positions
from projections.engine.readmodel import ReadModel
from projections.engine.rows import Rows
from projections.engine.tables import LIVE, load_rows, write_rows

PARKED_MAX = 1_000
"""Parked streams that one list names, and that one retry of all takes up."""

_PARKED = """
    SELECT name, stream_id, position, topic, cause, parked_at FROM ops.parked_streams
    WHERE build = 'live' AND name = ANY(%s) ORDER BY name, position LIMIT %s
"""
_LOCK_LIVE = b"SELECT position FROM ops.projections WHERE name = %s AND build = 'live' FOR UPDATE"
_PARKED_AT = b"SELECT position FROM ops.parked_streams WHERE name = %s AND build = 'live' AND stream_id = %s"
_STREAM = (
    f"SELECT {COLUMNS} FROM eventlog.events WHERE originator_id = %s AND notification_id BETWEEN %s AND %s "
    "ORDER BY originator_version"
).encode()
_STILL_PARKED = b"""
    UPDATE ops.parked_streams SET position = %s, topic = %s, cause = %s, parked_at = clock_timestamp()
    WHERE name = %s AND build = 'live' AND stream_id = %s
"""
_FREE = b"DELETE FROM ops.parked_streams WHERE name = %s AND build = 'live' AND stream_id = %s"
_BE_HEARD = b"""
    UPDATE ops.projections SET fence = fence + 1, lease_expires_at = '-infinity', owner = NULL
    WHERE name = %s AND build = 'live'
"""


class ParkedStream(NamedTuple):
    """A stream that a live read model waits with: the event in its way, and why."""

    projection: str
    stream_id: UUID
    position: int
    topic: str
    cause: str
    parked_at: datetime


class Retried(NamedTuple):
    """What became of another try: the events that were processed, and what is in the way now, if anything."""

    processed: int
    position: int | None = None
    cause: str | None = None


async def parked_streams(database: LogQueries, projections: Sequence[str]) -> list[ParkedStream]:
    """The streams that these read models wait with, at most ``PARKED_MAX``."""
    rows = await database.fetch_all(_PARKED, (list(projections), PARKED_MAX))
    return [ParkedStream(*row) for row in rows]


async def retry_stream(
    connection: AsyncConnection[Any], model: ReadModel, catalogue: Catalogue, stream_id: UUID
) -> Retried:
    """Process a parked stream's events in order from the one that it is parked at, as far as the read model stands.

    Those that the log says are skipped are passed over. Where one fails again, the stream stays parked there. Whoever
    projects meanwhile is stopped for the moment, and takes the stream up again with what comes after.
    """
    async with connection.transaction():
        row = await (await connection.execute(_LOCK_LIVE, (model.name,))).fetchone()
        parked = await (await connection.execute(_PARKED_AT, (model.name, stream_id))).fetchone()
        if row is None or parked is None:
            return Retried(0)
        skipped = await skipped_positions(connection, catalogue, model.name)
        cursor = await connection.execute(_STREAM, (stream_id, parked[0], row[0]), binary=True)
        entries = entries_from(await cursor.fetchall(), catalogue)
        retried = Retried(0)
        for entry in entries:
            cause = None if entry.recorded.position in skipped else await _cause_of_failure(connection, model, entry)
            if cause is not None:
                retried = Retried(retried.processed, entry.recorded.position, cause)
                await connection.execute(
                    _STILL_PARKED,
                    (entry.recorded.position, entry.topic, cause[:CAUSE_CHARS_MAX], model.name, stream_id),
                )
                break
            retried = Retried(retried.processed + 1)
        else:
            await connection.execute(_FREE, (model.name, stream_id))
        await connection.execute(_BE_HEARD, (model.name,))
    return retried


async def _cause_of_failure(connection: AsyncConnection[Any], model: ReadModel, entry: Entry) -> str | None:
    """Apply one event and write its rows; why that cannot be, or none."""
    recorded = entry.recorded
    if type(recorded.event) is Unreadable:
        return recorded.event.cause if model.concerns(entry.topic) else None
    if type(recorded.event) not in model.events:
        return None
    rows = Rows(model)
    rows.position = recorded.position
    keys = {one.table.name: one.table.fixed_keys or (recorded.stream_id,) for one in rows.keyed}
    try:
        async with connection.transaction():
            await load_rows(connection, rows, keys, LIVE)
            apply_to(model, entry, rows)
            await write_rows(connection, rows, LIVE)
    except CannotApply as failure:
        return str(failure)
    except FAULT_OF_AN_EVENT as error:
        return causes(error)
    return None
