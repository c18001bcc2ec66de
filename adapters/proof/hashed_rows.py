"""Stored events as the bytes that they are hashed as, put together by the query itself: the quickest way to verify a log.

The query uses PostgreSQL's own functions on the columns alone, none that lies in the database and could be replaced
there. A server that lies about its own rows is found like any other change: its bytes do not hash to what was signed.
"""

from __future__ import annotations

from typing import Any

from adapters.proof.stored_rows import flawed
from hivesync_core.proof.evidence import Row
from hivesync_core.proof.tree import HASH_BYTES

HASHED_COLUMNS = """
    e.notification_id,
    convert_to(
        e.notification_id || E'\\n' || e.originator_id || E'\\n' || e.originator_version || E'\\n' || e.topic || E'\\n'
        || e.event_id || E'\\n' || CASE WHEN isfinite(e.recorded_at)
            THEN (extract(epoch FROM e.recorded_at) * 1000000)::bigint::text ELSE e.recorded_at::text END || E'\\n'
        || e.actor || E'\\n' || e.correlation_id || E'\\n' || coalesce(e.causation_id::text, '') || E'\\n'
        || e.command_id || E'\\n' || e.state, 'UTF8'),
    e.hash,
    strpos(e.topic, E'\\n') + strpos(e.actor, E'\\n') > 0
"""
"""From ``eventlog.events e``: position, canonical text, hash, and whether a line end stands where none may stand."""


def hashed_row(hashed: tuple[Any, ...], place: int) -> Row:
    """The row that an audit reads; with a flaw where a field cannot be that of a stored event."""
    position, text, link, has_line_end = hashed
    if text is None or link is None or position is None:
        return flawed(place, "one of its fields is empty", position or 0)
    if has_line_end:
        return flawed(place, "a line end stands in its type or its actor", position)
    if len(link) != HASH_BYTES:
        return flawed(place, "its hash has not 32 bytes", position)
    return Row(position, text, link, place)
