"""Fills a database with a realistic log quickly: COPY as the owner, the chain computed here as the database would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import psycopg

from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.records import GENESIS_HASH, NewEvent, chain_hash
from hivesync_core.kernel.event import Meta
from tests.bench.story import Happening, Story

_COPY = "COPY eventlog.events FROM STDIN"
NULL = "\\N"
_CHUNK_ROWS = 2_000


def new_events(happenings: Iterable[Happening]) -> Iterator[NewEvent]:
    """The stored form of each happening."""
    mapper = MsgspecMapper(the_catalogue())
    for stream_id, version, event, event_id, actor, at, command_id in happenings:
        meta = Meta(event_id=event_id, recorded_at=at, actor=actor, correlation_id=command_id, command_id=command_id)
        yield mapper.to_new_event(stream_id, version, event, meta)


def seed(url: str, events: int) -> None:
    """Store the first ``events`` of the story into an empty log, and let the planner know of them."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            for chunk in _chunks(_lines(new_events(Story().happenings(events)))):
                copy.write(chunk)
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE eventlog.events")


def _lines(events: Iterable[NewEvent]) -> Iterator[str]:
    """Each event as a line of COPY's text format."""
    previous = GENESIS_HASH
    for position, event in enumerate(events, 1):
        meta = event.meta
        previous = chain_hash(previous, position, event, meta)
        state = event.state.decode().replace("\\", "\\\\")
        yield (
            f"{position}\t{event.originator_id}\t{event.originator_version}\t{event.topic}\t{state}\t{meta.event_id}\t"
            f"{meta.recorded_at.isoformat()}\t{meta.actor}\t{meta.correlation_id}\t{meta.causation_id or NULL}\t"
            f"{meta.command_id}\t\\\\x{previous.hex()}\n"
        )


def _chunks(lines: Iterator[str]) -> Iterator[str]:
    chunk: list[str] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == _CHUNK_ROWS:
            yield "".join(chunk)
            chunk.clear()
    yield "".join(chunk)
