"""Reads single streams for the write side, over the pool of connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from adapters.postgres.connections import Database
from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.kernel.event import Meta, Recorded

COLUMNS = (
    "notification_id, originator_id, originator_version, topic, state, event_id, recorded_at, actor, "
    "correlation_id, causation_id, command_id, hash"
)
"""The columns of a stored event, in the order in which every reader here takes them."""

_STREAM = (
    f"SELECT {COLUMNS} FROM eventlog.events WHERE originator_id = %s AND originator_version > %s "
    "ORDER BY originator_version"
)


def recorded_from(row: tuple[Any, ...], catalogue: Catalogue) -> Recorded:
    """The event in its envelope, from a row of ``COLUMNS``; raises ``UnknownTopic`` or ``Undecodable``."""
    position, stream_id, version, topic, state, event_id, recorded_at, actor, correlation, causation, command, _ = row
    meta = Meta(
        event_id=event_id,
        recorded_at=recorded_at,
        actor=actor,
        correlation_id=correlation,
        causation_id=causation,
        command_id=command,
    )
    return Recorded(position, stream_id, version, catalogue.decode(topic, state), meta)


class PostgresStreamReader:
    """The ``StreamReader`` of the server."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self._database = database
        self._catalogue = catalogue

    async def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> Sequence[Recorded]:
        """The events of a stream in order, those after a version."""
        rows = await self._database.fetch_all(_STREAM, (stream_id, after_version))
        return [recorded_from(row, self._catalogue) for row in rows]
