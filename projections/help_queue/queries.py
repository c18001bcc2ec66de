"""What can be asked of the help queue: who waits, since when, at which place."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from projections.engine.queries import QueryDatabase

CALLS_MAX = 500

_NOW = (
    "SELECT doc, helper_id IS NULL FROM readmodel.help_call WHERE project_id = %(project)s AND NOT put_away "
    "ORDER BY helper_id IS NOT NULL, requested_at, task_id LIMIT %(limit)s"
)
_AS_OF = """
    SELECT c.doc, c.doc::json->>'helper_id' IS NULL FROM (
        SELECT task_id, doc FROM readmodel.help_call WHERE project_id = %(project)s AND valid_from <= %(as_of)s
        UNION ALL
        SELECT task_id, doc FROM readmodel.help_call_history
        WHERE project_id = %(project)s AND valid_to > %(as_of)s AND valid_from <= %(as_of)s
    ) c
    WHERE NOT (c.doc::json->>'put_away')::boolean
    ORDER BY c.doc::json->>'helper_id' IS NOT NULL, (c.doc::json->>'requested_at')::timestamptz, c.task_id
    LIMIT %(limit)s
"""


class QueuedCall(msgspec.Struct, frozen=True):
    """A call and its place among those that nobody has claimed, from 1; none where somebody has."""

    place: int | None
    call: msgspec.Raw


async def queue(database: QueryDatabase, project_id: UUID, *, as_of: int | None = None) -> list[QueuedCall]:
    """The calls for help of a project, the longest waiting first, at most ``CALLS_MAX``; claimed ones come last."""
    params = {"project": project_id, "as_of": as_of, "limit": CALLS_MAX}
    rows = await database.fetch_all(_NOW if as_of is None else _AS_OF, params)
    return [QueuedCall(place if waiting else None, msgspec.Raw(doc)) for place, (doc, waiting) in enumerate(rows, 1)]


async def expired_leases(database: QueryDatabase, now: datetime, limit: int) -> list[UUID]:
    """Tasks whose helper's lease has run out by ``now``, the longest first."""
    rows: list[tuple[Any, ...]] = await database.fetch_all(
        "SELECT task_id FROM readmodel.help_call WHERE lease_expires_at <= %s AND helper_id IS NOT NULL "
        "AND NOT put_away ORDER BY lease_expires_at LIMIT %s",
        (now, limit),
    )
    return [task_id for (task_id,) in rows]
