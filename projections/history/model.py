"""The index of the history: who did what, when, in which project; the events themselves stay in the log."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from hivesync_core.eventstore.events import EVENTS
from hivesync_core.eventstore.records import stream_prefix
from hivesync_core.kernel.event import Recorded
from projections.engine.entries import Unreadable
from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import Rows

_CLOCK = UUID(int=0)


class StreamRow(msgspec.Struct, gc=False):
    """A stream, and the project that it belongs to; none where it belongs to none."""

    stream_id: UUID
    project_id: UUID | None


class EventRow(msgspec.Struct, gc=False):
    """An event's place in the history.

    ``prefix_recorded_at`` is the latest time that any event up to this one was recorded at: it never falls, so that a
    time names a prefix of the log even where a clock was set back.
    """

    position: int
    project_id: UUID | None
    stream_id: UUID
    kind: str
    topic: str
    actor: str
    recorded_at: datetime
    prefix_recorded_at: datetime


class ClockRow(msgspec.Struct, gc=False):
    """The latest time of the log so far."""

    clock_id: UUID
    prefix_recorded_at: datetime


STREAMS = Table("history_stream", StreamRow, key="stream_id")
CLOCK = Table("history_clock", ClockRow, key="clock_id", fixed_keys=(_CLOCK,))
ENTRIES = Table(
    "history_event",
    EventRow,
    key="position",
    exposed=("project_id", "stream_id", "kind", "topic", "actor", "recorded_at", "prefix_recorded_at"),
    append_only=True,
    indexes=(
        "(project_id, position)",
        "(stream_id, position)",
        "(actor, position)",
        "(prefix_recorded_at, position)",
    ),
)


class History(ReadModel):
    """Every event, by project; also one that this version cannot read, since it happened all the same."""

    name = "history"
    tables = (STREAMS, ENTRIES, CLOCK)
    events = EVENTS
    reads_envelope = True
    takes_unreadable = True

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Add the event, under the project that its stream belongs to."""
        event, at = recorded.event, recorded.meta.recorded_at
        topic = event.topic if isinstance(event, Unreadable) else event.topic()
        streams = rows.of(STREAMS)
        stream = streams.get(recorded.stream_id)
        if stream is None:
            stream = StreamRow(recorded.stream_id, getattr(event, "project_id", None))
            streams.insert(stream)
        clock = rows.of(CLOCK).get(_CLOCK)
        latest = at if clock is None else max(at, clock.prefix_recorded_at)
        rows.of(CLOCK).insert(ClockRow(_CLOCK, latest))
        rows.of(ENTRIES).insert(
            EventRow(
                recorded.position,
                stream.project_id,
                recorded.stream_id,
                stream_prefix(topic),
                topic,
                recorded.meta.actor,
                at,
                latest,
            )
        )
