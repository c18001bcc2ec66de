"""Holds rebuilds and projections at a known point, for as long as a test wants to look at them or kill them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg

from projections.engine.lease import MARK_EVERY_EVENTS

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
    "AND application_name LIKE %s"
)


@asynccontextmanager
async def held_before_swap(url: str, projection: str) -> AsyncIterator[None]:
    """Whoever swaps this read model waits until the block ends, and so do batches of the live one.

    The lock conflicts with ``FOR UPDATE`` alone: leases are renewed and positions read as ever. A rebuild tries again
    fifty times, three seconds each, before it gives up.
    """
    async with await psycopg.AsyncConnection.connect(url) as connection:
        query = "SELECT position FROM ops.projections WHERE name = %s AND build = 'live' FOR KEY SHARE"
        assert await (await connection.execute(query, (projection,))).fetchone() is not None, "it is registered"
        yield
        await connection.rollback()


@contextmanager
def held_in_the_middle(url: str, projection: str, after: int) -> Iterator[None]:
    """A rebuild waits with the page that reaches position ``after``; the transactions before that one are committed.

    With that page it notes a mark, and somebody else is about to note the same one. It waits for three seconds, and
    then breaks off: it never gets further.
    """
    assert after % MARK_EVERY_EVENTS == 0, "marks are as far apart as that"
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO ops.projection_marks (name, build, position, events, digest) "
            "SELECT %s, 'rebuild', p, 0, '' FROM generate_series(%s::int, %s::int) p",
            (projection, after, after + MARK_EVERY_EVENTS),
        )
        yield
        connection.rollback()


async def waits_for_a_lock(url: str, application: str = "hivesync%") -> bool:
    """Whether a session of a program whose name is like this waits for a lock."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        row = await (await connection.execute(WAITING, (application,))).fetchone()
        return row is not None and row[0] > 0
