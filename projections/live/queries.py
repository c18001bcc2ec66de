"""What can be asked of live sessions: pages of them, those of a host that run, and one as its own events tell it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from hivesync_core.kernel.event import Recorded
from hivesync_core.live.refusals import SessionNotFound
from projections.engine.queries import PAGE_ROWS, Page, QueryDatabase, decode_cursor, encode_cursor
from projections.engine.rows import fold
from projections.live.model import SESSIONS, LiveRow, LiveSessions

_RUNNING = "SELECT count(*) FROM readmodel.live_session WHERE host_id = %s AND status = 'running'"


async def live_page(
    database: QueryDatabase,
    project_id: UUID,
    *,
    running: bool = False,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> Page:
    """A page of a project's sessions, the newest first; only those that run where ``running`` is set."""
    conditions, params = ["project_id = %s"], list[Any]([project_id])
    if running:
        conditions.append("status = 'running'")
    if cursor is not None:
        conditions.append("started_at_position < %s")
        params += decode_cursor(cursor, int)
    rows = await database.fetch_all(
        f"SELECT doc, started_at_position FROM readmodel.live_session WHERE {' AND '.join(conditions)} "
        "ORDER BY started_at_position DESC LIMIT %s",
        [*params, limit + 1],
    )
    docs = ",".join([doc for doc, _ in rows[:limit]])
    return Page(f"[{docs}]".encode(), encode_cursor(rows[limit - 1][1]) if len(rows) > limit else None)


async def running_of(database: QueryDatabase, host_id: UUID) -> int:
    """How many sessions of a host have not ended."""
    row = await database.fetch_one(_RUNNING, (host_id,))
    return 0 if row is None else int(row[0])


def live_session_of(stream: Iterable[Recorded]) -> LiveRow:
    """A session as its own events tell it, however far the read model is; raises ``SessionNotFound`` without any."""
    for row in fold(LiveSessions(), stream).of(SESSIONS).all().values():
        return row
    raise SessionNotFound
