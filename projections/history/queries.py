"""What can be asked of the history: its events by project, actor, type, stream, time and position, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from projections.engine.queries import PAGE_ROWS, Page, QueryDatabase, decode_cursor, encode_cursor

STREAM_ROWS = 500
"""Events that are read at once when all of them are wanted."""

PAGE_BYTES_MAX = 4 * 1024 * 1024
"""Payload after which a page ends early: descriptions may be long."""

_COLUMNS = """
    h.position, h.project_id::text, h.stream_id::text, e.originator_version, e.event_id::text, h.topic,
    to_char(h.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), h.actor, e.command_id::text,
    e.correlation_id::text, e.causation_id::text, e.state,
    sum(octet_length(e.state)) OVER (ORDER BY h.position {direction}) - octet_length(e.state) AS before,
    count(*) OVER () AS found
"""
# Nothing before the first event that brought the log to this time can have been recorded later.
_FIRST_SINCE = """coalesce((SELECT i.position FROM readmodel.history_event i WHERE i.prefix_recorded_at >= %s
                            ORDER BY i.prefix_recorded_at, i.position LIMIT 1), 9223372036854775807)"""

_quoted = msgspec.json.Encoder().encode


class HistoryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events: those that meet every condition that is set.

    ``projects`` are those that the asker may see, none for everything. ``types`` are topics or what they begin with, by
    whole parts. ``since`` is within, ``until`` is not. Positions run from the one after ``after`` to ``through``.
    """

    projects: tuple[UUID, ...] | None = None
    actor: str | None = None
    types: tuple[str, ...] = ()
    stream_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int = 0
    through: int | None = None


async def history_page(
    database: QueryDatabase,
    wanted: HistoryFilter,
    *,
    newest_first: bool = True,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> Page:
    """A page of events as the API shows them; the cursor goes on in the same direction."""
    last: int | None = None
    if cursor is not None:
        (last,) = decode_cursor(cursor, int)
    page = await _found(database, wanted, last, limit + 1, newest_first=newest_first)
    shown = page.items[:limit]
    text = ",".join([item for _, item in shown])
    return Page(f"[{text}]".encode(), encode_cursor(shown[-1][0]) if page.found > len(shown) else None)


async def history_stream(database: QueryDatabase, wanted: HistoryFilter, through: int) -> AsyncIterator[bytes]:
    """Every event up to a position, the oldest first, as lines of JSON, many at a time."""
    wanted = msgspec.structs.replace(
        wanted, through=through if wanted.through is None else min(wanted.through, through)
    )
    last: int | None = None
    while items := (await _found(database, wanted, last, STREAM_ROWS, newest_first=False)).items:
        yield "".join([f"{item}\n" for _, item in items]).encode()
        last = items[-1][0]


class _Found(NamedTuple):
    """Position and document of each event of a page, and how many events there were before it was cut to its bytes."""

    items: list[tuple[int, str]]
    found: int


async def _found(
    database: QueryDatabase, wanted: HistoryFilter, last: int | None, limit: int, *, newest_first: bool
) -> _Found:
    """The events that come after ``last`` in the order that is asked for."""
    conditions, parameters = _conditions(wanted)
    if last is not None:
        conditions.append("h.position < %s" if newest_first else "h.position > %s")
        parameters.append(last)
    direction = "DESC" if newest_first else "ASC"
    columns = _COLUMNS.format(direction=direction)
    rows = await database.fetch_all(
        f"""
        SELECT * FROM (
            SELECT {columns}
            FROM (SELECT * FROM readmodel.history_event h WHERE {" AND ".join(conditions)}
                  ORDER BY h.position {direction} LIMIT %s) h
            JOIN eventlog.events e ON e.notification_id = h.position
        ) page WHERE before < %s ORDER BY position {direction}
        """,
        [*parameters, limit, PAGE_BYTES_MAX],
    )
    return _Found([(row[0], _item(row)) for row in rows], rows[0][-1] if rows else 0)


def _item(row: tuple[Any, ...]) -> str:
    """An event as the API shows it; its payload goes through as it was stored."""
    position, project, stream, version, event_id, topic, at, actor, command, correlation, causation, state, _, _ = row
    tag = f'{{"type":"{topic}"'
    data = state
    if state.startswith(tag):
        # What stands beside the payload need not be repeated in it.
        data = "{" + state[len(tag) :].removeprefix(",")
    return (
        f'{{"position":{position},"project_id":{_or_null(project)},"stream_id":"{stream}","version":{version},'
        f'"event_id":"{event_id}","type":{_quoted(topic).decode()},"data":{data},"recorded_at":"{at}",'
        f'"actor":{_quoted(actor).decode()},"command_id":"{command}","correlation_id":"{correlation}",'
        f'"causation_id":{_or_null(causation)}}}'
    )


def _or_null(id_: str | None) -> str:
    return "null" if id_ is None else f'"{id_}"'


def _conditions(wanted: HistoryFilter) -> tuple[list[str], list[Any]]:
    """The conditions on ``readmodel.history_event h``, and their parameters."""
    conditions, parameters = ["h.position > %s"], list[Any]([wanted.after])

    def add(condition: str, *values: Any) -> None:
        conditions.append(condition)
        parameters.extend(values)

    if wanted.through is not None:
        add("h.position <= %s", wanted.through)
    if wanted.projects is not None:
        add("h.project_id = ANY(%s)", list(wanted.projects))
    if wanted.actor is not None:
        add("h.actor = %s", wanted.actor)
    if wanted.stream_id is not None:
        add("h.stream_id = %s", wanted.stream_id)
    if wanted.since is not None:
        add(f"h.recorded_at >= %s AND h.position >= {_FIRST_SINCE}", wanted.since, wanted.since)
    if wanted.until is not None:
        add("h.recorded_at < %s", wanted.until)
    if wanted.types:
        add("(h.topic = ANY(%s) OR h.topic ^@ ANY(%s))", list(wanted.types), [f"{one}." for one in wanted.types])
    return conditions, parameters
