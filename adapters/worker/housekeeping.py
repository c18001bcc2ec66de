"""Deletes idempotency keys that no client will send again; events are never deleted."""

from __future__ import annotations

from adapters.postgres.connections import Database

IDEMPOTENCY_KEY_HOURS = 24
"""How long a repetition of a command is recognised."""

KEYS_MAX = 10_000
"""Keys that one turn deletes, so that it never holds the table for long."""

_DELETE = """
    DELETE FROM eventlog.idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM eventlog.idempotency_keys
        WHERE recorded_at < clock_timestamp() - %s * interval '1 hour' LIMIT %s))
"""


async def delete_old_idempotency_keys(database: Database) -> int:
    """Delete keys older than ``IDEMPOTENCY_KEY_HOURS``; the number of them."""
    return await database.execute(_DELETE, (IDEMPOTENCY_KEY_HOURS, KEYS_MAX))
