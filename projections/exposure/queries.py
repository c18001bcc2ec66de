"""Reads the ledger of exposure of one session: every viewer against what was shown while they attended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from projections.engine.queries import QueryDatabase

PAGE_ATTENDANCES: Final = 100

COLUMNS: Final = (
    "viewer_id", "account_id", "guest_name", "file", "first_line", "last_line", "shown_from", "shown_to", "by", "certain_until",
)  # fmt: skip


class Exposure(msgspec.Struct, frozen=True):
    """Lines of a file, counted from one at the time, that were sent to a viewer.

    ``by`` says whether in a ``snapshot`` or by ``edits``. ``certain_until`` is none where the end of the attendance is
    known; otherwise the process was killed, and more may have been shown after that time.
    """

    viewer_id: UUID
    account_id: UUID | None
    guest_name: str | None
    file: str
    first_line: int
    last_line: int
    shown_from: datetime
    shown_to: datetime
    by: str
    certain_until: datetime | None


_ATTENDANCES = """
    SELECT attendance_id, since FROM live.exposure_attendance
    WHERE session_id = %s AND (since, attendance_id) > (%s, %s) ORDER BY since, attendance_id LIMIT %s"""

_EXPOSURES = """
    WITH attended AS (
        SELECT a.*, v.account_id, v.guest_name,
            CASE WHEN a.until IS NULL THEN (SELECT n.seen_at FROM live.nodes n WHERE n.node_id = a.node) END AS certain_until
        FROM live.exposure_attendance a LEFT JOIN live.viewers v USING (viewer_id)
        WHERE a.attendance_id = ANY(%s))
    SELECT a.viewer_id, a.account_id, a.guest_name, s.file, 1, s.lines, a.since, a.since, 'snapshot', a.certain_until,
        a.attendance_id
    FROM attended a JOIN live.exposure_snapshots s
        ON s.session_id = a.session_id AND s.epoch = a.epoch AND s.seq = a.after_seq
    WHERE a.by_snapshot
    UNION ALL
    SELECT a.viewer_id, a.account_id, a.guest_name, s.file, s.first_line, s.last_line,
        GREATEST(s.shown_from, a.since), LEAST(s.shown_to, coalesce(a.until, s.shown_to)), 'edits', a.certain_until,
        a.attendance_id
    FROM attended a JOIN live.exposure_shown s
        ON s.session_id = a.session_id AND s.epoch = a.epoch AND s.last_seq > a.after_seq
        AND (a.to_seq IS NULL OR s.first_seq <= a.to_seq)
    ORDER BY 7, 8, 1, 4, 5"""


async def exposures(database: QueryDatabase, session_id: UUID) -> AsyncIterator[list[Exposure]]:
    """Everything that was shown in a session, some at a time, by when each viewer came."""
    since, last = datetime.min.replace(year=1), UUID(int=0)
    first = True
    while True:
        after = ("-infinity", last) if first else (since, last)
        rows = await database.fetch_all(_ATTENDANCES, (session_id, *after, PAGE_ATTENDANCES))
        if not rows:
            return
        first, (last, since) = False, rows[-1]
        shown = await database.fetch_all(_EXPOSURES, ([attendance_id for attendance_id, _ in rows],))
        yield [Exposure(*row[:10]) for row in shown]
