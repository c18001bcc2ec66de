"""The lease on a projection: one process works on it, and a paused one cannot write when it wakes."""

from __future__ import annotations

from typing import Any, NamedTuple

from psycopg import AsyncConnection

from projections.engine.entries import LogQueries

LEASE_S = 5
"""How long a holder that says nothing keeps its lease; one whose connection has ended loses it at once."""

RENEW_S = 1.5
"""How often a holder with nothing to write says that it is there."""

MARK_EVERY_EVENTS = 10_000
"""How far apart the marks lie that an audit narrows a difference down with."""

LIVE_BUILD = "live"
REBUILD_BUILD = "rebuild"

DIGEST_MODULUS = 1 << 256

# A process number that was given out anew keeps a lease until it runs out; whether its holder is connected is all that
# the application's role may know of other sessions.
_ACQUIRE = b"""
    UPDATE ops.projections p
    SET owner = %(owner)s, fence = p.fence + 1, owner_pid = pg_backend_pid(),
        lease_expires_at = clock_timestamp() + %(seconds)s * interval '1 second'
    WHERE p.name = %(name)s AND p.build = %(build)s AND p.version = %(version)s
      AND (p.lease_expires_at < clock_timestamp() OR p.owner_pid = pg_backend_pid()
           OR NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = p.owner_pid))
    RETURNING p.fence, p.position, p.events, p.digest
"""
_HOLD = b"""
    SELECT position, set_config('synchronous_commit', 'off', true) FROM ops.projections
    WHERE name = %(name)s AND build = %(build)s AND fence = %(fence)s FOR UPDATE
"""
_ADVANCE = b"""
    WITH advanced AS (
        UPDATE ops.projections
        SET position = %(position)s, events = %(events)s, digest = %(digest)s, updated_at = clock_timestamp(),
            lease_expires_at = clock_timestamp() + %(seconds)s * interval '1 second'
        WHERE name = %(name)s AND build = %(build)s AND fence = %(fence)s
        RETURNING name, build
    )
    SELECT pg_notify('projection', name || ' ' || %(position)s::bigint) FROM advanced WHERE build = 'live'
"""
_MARK = b"""
    INSERT INTO ops.projection_marks (name, build, position, events, digest) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (name, build, position) DO UPDATE SET events = excluded.events, digest = excluded.digest
"""
_RENEW = """
    UPDATE ops.projections SET lease_expires_at = clock_timestamp() + %(seconds)s * interval '1 second'
    WHERE name = %(name)s AND build = %(build)s AND fence = %(fence)s RETURNING fence
"""
_HOLDER = b"""
    SELECT owner_pid FROM ops.projections
    WHERE name = %(name)s AND build = %(build)s AND owner IS NOT NULL AND owner_pid <> pg_backend_pid()
      AND (owner = %(owner)s AND build = 'live'
           OR lease_expires_at < clock_timestamp() - %(seconds)s * interval '1 second')
"""
_AS_OURSELVES = b"SET LOCAL ROLE NONE"
_END_SESSION = b"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = %s AND datname = current_database() AND usename = session_user AND application_name LIKE 'hivesync%%'
"""
_RELEASE = b"""
    UPDATE ops.projections SET lease_expires_at = '-infinity', owner = NULL
    WHERE name = %(name)s AND build = %(build)s AND fence = %(fence)s
"""


class LeaseLost(Exception):
    """Another process works on the projection now; nothing of this one's batch was written."""


class Progress(NamedTuple):
    """How far a projection has come.

    ``events`` counts what it processed, ``digest`` is the sum of their hashes modulo 2^256: the difference to the
    log's own sum is the hash of an event that was skipped or doubled.
    """

    position: int
    events: int
    digest: int


class Lease(NamedTuple):
    """The right to write to one build of a projection."""

    name: str
    build: str
    fence: int

    async def lock(self, connection: AsyncConnection[Any]) -> Locked:
        """Lock the projection for the transaction of a batch.

        The transaction need not be durable by itself: what a crash takes back, rows and position together, is
        projected again.
        """
        return Locked(self, await connection.execute(_HOLD, self._asdict(), prepare=True))

    async def advance(self, connection: AsyncConnection[Any], before: Progress, progress: Progress) -> None:
        """Note, in the transaction of a batch that holds the lock, how far it brings the projection."""
        digest = progress.digest.to_bytes(32, "big")
        changes = {"position": progress.position, "events": progress.events, "digest": digest, "seconds": LEASE_S}
        await connection.execute(_ADVANCE, {**self._asdict(), **changes}, prepare=True)
        await self.mark(connection, before, progress)

    async def mark(self, connection: AsyncConnection[Any], before: Progress, progress: Progress) -> None:
        """Leave a mark for audits, in the transaction of a batch, where the last one lies far enough back."""
        if before.events // MARK_EVERY_EVENTS < progress.events // MARK_EVERY_EVENTS:
            digest = progress.digest.to_bytes(32, "big")
            await connection.execute(
                _MARK, (self.name, self.build, progress.position, progress.events, digest), prepare=True
            )

    async def renew(self, database: LogQueries) -> None:
        """Keep the lease, by way of any connection; raises ``LeaseLost`` and ``StoreUnavailable``."""
        if not await database.fetch_all(_RENEW, {**self._asdict(), "seconds": LEASE_S}):
            raise self.lost()

    async def release(self, connection: AsyncConnection[Any]) -> None:
        """Give the lease back, so that another need not wait for it to run out."""
        await connection.execute(_RELEASE, self._asdict())

    def lost(self) -> LeaseLost:
        """What is raised by whoever finds that the lease is another's."""
        return LeaseLost(f"another process works on the projection {self.name}")


class Locked(NamedTuple):
    """A lock that was asked for; in a pipeline the answer comes later."""

    lease: Lease
    cursor: Any

    async def confirm(self, position: int) -> None:
        """Make sure that the lease still holds, and that the projection is where its holder believes.

        Raises ``LeaseLost``.
        """
        row = await self.cursor.fetchone()
        if row is None or row[0] != position:
            raise self.lease.lost()


async def acquire(
    connection: AsyncConnection[Any], name: str, build: str, version: int, owner: str
) -> tuple[Lease, Progress] | None:
    """Take the lease where it is free, has run out, its holder's connection has ended or is this one; none otherwise.

    None too where the tables are of another version than ``version``.
    """
    given = {"name": name, "build": build, "version": version, "owner": owner, "seconds": LEASE_S}
    await _end_dead_holder(connection, given)
    cursor = await connection.execute(_ACQUIRE, given, prepare=True)
    row = await cursor.fetchone()
    if row is None:
        return None
    fence, position, events, digest = row
    return Lease(name, build, fence), Progress(position, events, int.from_bytes(digest, "big"))


async def _end_dead_holder(connection: AsyncConnection[Any], given: dict[str, Any]) -> None:
    """End the session of a holder that cannot be working any more.

    That is this process' own former one, whose connection was lost without a word, or one that has said nothing for
    twice its lease. Its process may be stopped, or its host gone, in the middle of a COPY: no time limit of the
    server ends that, and the lock that it holds would stay for as long as the network does not notice.
    """
    row = await (await connection.execute(_HOLDER, given, prepare=True)).fetchone()
    if row is not None and row[0] is not None:
        async with connection.transaction():
            # The role of the application may not end sessions; whoever logged in may end their own.
            await connection.execute(_AS_OURSELVES)
            await connection.execute(_END_SESSION, (row[0],))
