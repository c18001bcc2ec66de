"""Streams that a read model cannot go on with: left aside with the cause, while all others go on."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.errors import Undecodable, UnknownTopic
from hivesync_core.operations.decider import upkeep, upkeep_stream
from projections.engine.entries import Entry
from projections.engine.readmodel import ReadModel
from projections.engine.rows import Rows

logger = logging.getLogger(__name__)

CAUSE_CHARS_MAX = 2_000

_PARKED = b"SELECT stream_id, position FROM ops.parked_streams WHERE name = %s AND build = %s"
_PARK = b"""
    INSERT INTO ops.parked_streams (name, build, stream_id, position, topic, cause) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (name, build, stream_id) DO NOTHING
"""
_UPKEEP = b"SELECT topic, state FROM eventlog.events WHERE originator_id = %s ORDER BY originator_version"


class Parked(NamedTuple):
    """The event that a stream is parked at, and why."""

    stream_id: UUID
    position: int
    topic: str
    cause: str

    @classmethod
    def at(cls, entry: Entry, cause: str) -> Parked:
        """Parked at this event."""
        return cls(entry.recorded.stream_id, entry.recorded.position, entry.topic, cause[:CAUSE_CHARS_MAX])


class Parking:
    """The parked streams of one build with the position from which on they wait, and those still to be written."""

    def __init__(self, name: str, build: str) -> None:
        self._name = name
        self._build = build
        self.streams: dict[UUID, int] = {}
        self.new: list[Parked] = []

    async def load(self, connection: AsyncConnection[Any]) -> None:
        """Read which streams are parked; forgets what was not written."""
        cursor = await connection.execute(_PARKED, (self._name, self._build), prepare=True)
        self.streams = dict(await cursor.fetchall())
        self.new.clear()

    def park(self, parked: Parked) -> None:
        """Leave a stream aside from this event on."""
        self.streams[parked.stream_id] = parked.position
        self.new.append(parked)

    def taken(self) -> list[Parked]:
        """The newly parked ones, handed over to be written."""
        new, self.new = self.new, []
        return new

    async def write(self, connection: AsyncConnection[Any], new: list[Parked]) -> None:
        """Note newly parked streams, inside the caller's transaction."""
        for parked in new:
            logger.error(
                "projection %s parked stream %s at %d: %s",
                self._name,
                parked.stream_id,
                parked.position,
                parked.cause,
            )
            await connection.execute(_PARK, (self._name, self._build, *parked))


class CannotApply(Exception):
    """Events that the read model fails on, the first of each stream."""

    def __init__(self, parked: list[Parked]) -> None:
        super().__init__(parked[0].cause)
        self.parked = parked


def apply_to(model: ReadModel, entry: Entry, rows: Rows) -> None:
    """Apply one event to the rows; raises ``CannotApply``."""
    try:
        model.apply(entry.recorded, rows)
    except Exception as error:
        raise CannotApply([Parked.at(entry, causes(error))]) from error


def causes(error: Exception) -> str:
    """An error as the cause of a parking: what it is, without the rows that PostgreSQL quotes."""
    text = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    return f"{type(error).__name__}: {text}"


async def skipped_positions(connection: AsyncConnection[Any], catalogue: Catalogue, name: str) -> frozenset[int]:
    """The positions of the events that a read model leaves out, as the log says."""
    cursor = await connection.execute(_UPKEEP, (upkeep_stream(name),), prepare=True)
    events = []
    for topic, state in await cursor.fetchall():
        # What a newer version noted is not known here, and neither is what it skipped: that parks again.
        with suppress(UnknownTopic, Undecodable):
            events.append(catalogue.decode(topic, state))
    return upkeep.fold(events).skipped
