"""What can be asked of exports: pages of them, one of them as its stream tells it, and those that are still to be written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from hivesync_core.exports.refusals import ExportNotFound
from hivesync_core.kernel.event import Recorded
from projections.engine.queries import PAGE_ROWS, Page, QueryDatabase, decode_cursor, encode_cursor
from projections.engine.rows import fold
from projections.export_jobs.model import EXPORTS, ExportJobs, ExportRow

_TO_WRITE = "SELECT doc FROM readmodel.export_job WHERE status = 'requested' ORDER BY requested_at_position LIMIT %s"
_WAITING = "SELECT count(*) FROM readmodel.export_job WHERE status = 'requested' AND requested_by = %s"
_TO_EXPIRE = (
    "SELECT export_id FROM readmodel.export_job WHERE status = 'completed' AND ended_at < %s ORDER BY ended_at LIMIT %s"
)


async def export_page(
    database: QueryDatabase,
    *,
    projects: Iterable[UUID] | None,
    requested_by: UUID | None = None,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> Page:
    """A page of exports, the newest first: those of these projects, of everything where ``projects`` is none.

    ``requested_by`` adds the person's own.
    """
    conditions, params = ["true"], list[Any]()
    if projects is not None:
        conditions.append("(project_id = ANY(%s) OR requested_by = %s)")
        params += [list(projects), requested_by]
    if cursor is not None:
        conditions.append("requested_at_position < %s")
        params += decode_cursor(cursor, int)
    rows = await database.fetch_all(
        f"SELECT doc, requested_at_position FROM readmodel.export_job WHERE {' AND '.join(conditions)} "
        "ORDER BY requested_at_position DESC LIMIT %s",
        [*params, limit + 1],
    )
    docs = ",".join([doc for doc, _ in rows[:limit]])
    return Page(f"[{docs}]".encode(), encode_cursor(rows[limit - 1][1]) if len(rows) > limit else None)


def export_of(stream: Iterable[Recorded]) -> ExportRow:
    """An export as its own events tell it, however far the read model is; raises ``ExportNotFound`` without any."""
    for row in fold(ExportJobs(), stream).of(EXPORTS).all().values():
        return row
    raise ExportNotFound


async def to_write(database: QueryDatabase, limit: int) -> list[ExportRow]:
    """The exports that somebody waits for, the oldest first."""
    rows = await database.fetch_all(_TO_WRITE, (limit,))
    return [msgspec.json.decode(doc, type=ExportRow) for (doc,) in rows]


async def to_expire(database: QueryDatabase, ended_before: datetime, limit: int) -> list[UUID]:
    """Completed exports whose files are older than they are kept."""
    return [export_id for (export_id,) in await database.fetch_all(_TO_EXPIRE, (ended_before, limit))]


async def waiting_of(database: QueryDatabase, account_id: UUID) -> int:
    """How many exports that an account asked for are still to be written."""
    row = await database.fetch_one(_WAITING, (account_id,))
    return 0 if row is None else int(row[0])
