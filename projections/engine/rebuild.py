"""Rebuilds a read model beside the one that serves, and swaps the two in one transaction."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection

from hivesync_core.eventstore.errors import StoreUnavailable
from projections.engine.build import FAULT_OF_AN_EVENT
from projections.engine.bulk import WINDOW_EVENTS, BulkBuild
from projections.engine.collector import rare_collections
from projections.engine.entries import Entry, LogReader
from projections.engine.lease import LIVE_BUILD, REBUILD_BUILD, RENEW_S, LeaseLost, Progress, acquire
from projections.engine.parking import CannotApply
from projections.engine.readmodel import ReadModel
from projections.engine.registration import register
from projections.engine.tables import LIVE, REBUILD, create_indexes, create_tables, drop_tables

logger = logging.getLogger(__name__)

PAGE_EVENTS = 2_000
HELD_ROWS_MAX = 12_000
"""Rows that stay in memory between pages; beyond, they are read again when they are needed."""

SWAP_ATTEMPTS_MAX = 50
SWAP_PAUSE_S = 0.2
SWAP_LOCK_WAIT_MS = 250
"""How long the swap waits for readers to leave the tables, and others wait behind it; below PostgreSQL's check for
deadlocks, so that it is always the swap that gives way."""

VACUUM_WAIT_MS = 3_000
"""How long the swap waits for a vacuum to end; above PostgreSQL's check for deadlocks, at which autovacuum gives way."""

CLOSE_ENOUGH_EVENTS = 500
"""A rebuild that is so near the live position finishes inside the swap's transaction."""

_TAKE_TIME_AND_MEMORY = b"SET statement_timeout = 0; SET maintenance_work_mem = '128MB'"
_REGISTERED = b"SELECT version, position FROM ops.projections WHERE name = %s AND build = %s"
_REGISTER = b"INSERT INTO ops.projections (name, build, version) VALUES (%s, 'rebuild', %s) ON CONFLICT DO NOTHING"
_START_ANEW = (
    b"UPDATE ops.projections SET version = %(version)s, position = 0, events = 0, digest = %(digest)s, "
    b"fence = fence + 1 WHERE name = %(name)s AND build = 'rebuild'",
    b"DELETE FROM ops.parked_streams WHERE name = %(name)s AND build = 'rebuild'",
    b"DELETE FROM ops.projection_marks WHERE name = %(name)s AND build = 'rebuild'",
)
_LOCK_LIVE = b"SELECT position FROM ops.projections WHERE name = %s AND build = 'live' FOR UPDATE"
_ADOPT = (
    b"""
    UPDATE ops.projections l
    SET version = r.version, position = r.position, events = r.events, digest = r.digest, fence = l.fence + 1,
        owner = NULL, lease_expires_at = '-infinity', updated_at = clock_timestamp()
    FROM ops.projections r
    WHERE l.name = %(name)s AND l.build = 'live' AND r.name = %(name)s AND r.build = 'rebuild'
    """,
    b"DELETE FROM ops.parked_streams WHERE name = %(name)s AND build = 'live'",
    b"UPDATE ops.parked_streams SET build = 'live' WHERE name = %(name)s AND build = 'rebuild'",
    b"DELETE FROM ops.projection_marks WHERE name = %(name)s AND build = 'live'",
    b"UPDATE ops.projection_marks SET build = 'live' WHERE name = %(name)s AND build = 'rebuild'",
    b"DELETE FROM ops.projections WHERE name = %(name)s AND build = 'rebuild'",
)
_DISCARD = (
    *_START_ANEW[1:],
    b"DELETE FROM ops.projections WHERE name = %(name)s AND build = 'rebuild'",
)


class RebuildBusy(Exception):
    """Another process rebuilds this projection at the moment, or the read model is never quiet enough for a swap."""


class RebuildProgress(NamedTuple):
    """How far a rebuild has come: the position, the position that it goes to, and events a second so far."""

    position: int
    target: int
    rate: float

    @property
    def seconds_left(self) -> float | None:
        """Seconds that are left at this rate; none before anything is known of it."""
        return (self.target - self.position) / self.rate if self.rate else None


Listener = Callable[[RebuildProgress], None]


class Rebuild:
    """One rebuild of one read model.

    It writes page by page into tables of its own, and keeps its position with them: after a crash ``run`` goes on where
    it stood. Nothing but tables is written: what reacts to events (mails, jobs) follows the log elsewhere and is never
    called from here.
    """

    def __init__(self, connection: AsyncConnection[Any], reader: LogReader, model: ReadModel, owner: str) -> None:
        self._connection = connection
        self._reader = reader
        self._model = model
        self._owner = owner
        self._build = BulkBuild(connection, model, REBUILD_BUILD, reader.catalogue, held_max=HELD_ROWS_MAX)
        self.resumed_at = 0

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._build.progress

    @property
    def parked(self) -> int:
        """How many streams it could not go on with."""
        return self._build.parked

    async def begin(self, *, anew: bool = False, up_to: int | None = None) -> None:
        """Take the lease, and make empty tables or take up those of an interrupted rebuild; raises ``RebuildBusy``.

        It starts anew where what it finds is of another version, or is beyond ``up_to``.
        """
        connection, name, version = self._connection, self._model.name, self._model.version
        await register(connection, self._model)
        await connection.execute(_REGISTER, (name, version))
        row = await (await connection.execute(_REGISTERED, (name, REBUILD_BUILD))).fetchone()
        taken = await acquire(connection, name, REBUILD_BUILD, row[0] if row else version, self._owner)
        if taken is None:
            raise RebuildBusy(f"another process rebuilds {name} at the moment")
        lease, progress = taken
        last = progress.position if up_to is None else up_to
        if anew or row is None or row[0] != version or not 0 < progress.position <= last:
            async with connection.transaction():
                await (await lease.lock(connection)).confirm(progress.position)
                await create_tables(connection, self._model, REBUILD)
                await self._execute_all(_START_ANEW)
        await self._take()
        self.resumed_at = self.progress.position

    async def run(self, target: int, on_progress: Listener = lambda progress: None) -> None:
        """Bring the rebuild to position ``target``; raises ``LeaseLost`` when another process has taken it over."""
        started, begun_at = time.monotonic(), self.progress.position

        def tell(progress: Progress) -> None:
            elapsed = max(time.monotonic() - started, 1e-9)
            on_progress(RebuildProgress(progress.position, target, (progress.position - begun_at) / elapsed))

        with rare_collections():
            while not await self._run_in_bulk(target, tell):
                await self._run_page_by_page(min(target, self.progress.position + WINDOW_EVENTS), tell)

    async def _run_in_bulk(self, target: int, tell: Callable[[Progress], None]) -> bool:
        """Go on to the target; false where one of the next ``WINDOW_EVENTS`` events cannot be borne."""
        try:
            async with aclosing(self._pages(self.progress.position, target)) as pages:
                await self._build.process_pages(pages, tell)
        except (CannotApply, *FAULT_OF_AN_EVENT):
            await self._build.forget()
            return False
        return True

    async def _run_page_by_page(self, target: int, tell: Callable[[Progress], None]) -> None:
        """Go on to the target, and park the streams of the events that cannot be borne."""
        async with aclosing(self._pages(self.progress.position, target)) as pages:
            async for entries in pages:
                await self._build.process(entries)
                tell(self.progress)

    async def finish_indexes(self) -> None:
        """Make the indexes that readers need, however long that takes; of a long log two at a time."""
        async with self.kept(), AsyncExitStack() as stack:
            beside = None
            if self.progress.events >= WINDOW_EVENTS:
                beside = await stack.enter_async_context(self._reader.database.direct("hivesync-indexes"))
                await beside.execute(_TAKE_TIME_AND_MEMORY)
            await self._connection.execute(_TAKE_TIME_AND_MEMORY)
            await create_indexes(self._connection, self._model, REBUILD, beside=beside)
            await self._connection.execute(b"RESET statement_timeout; RESET maintenance_work_mem")

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep the lease while something takes long."""
        keeping = asyncio.create_task(self._keep_lease(), name=f"keep-{self._model.name}")
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError, LeaseLost):
                await keeping

    async def live_position(self) -> int:
        """The position of the read model that serves."""
        row = await (await self._connection.execute(_REGISTERED, (self._model.name, LIVE_BUILD))).fetchone()
        assert row is not None, "a projection is registered before it is rebuilt"
        return int(row[1])

    async def swap(self) -> int:
        """Put the rebuilt tables in the place of the live ones, at the live position; readers never see a gap.

        Gives the position of the swap. The last events are processed while the live projection is held still, so what
        a reader saw before the swap it also sees after.
        """
        for _ in range(SWAP_ATTEMPTS_MAX):
            await self.run(await self.live_position())
            try:
                async with self._connection.transaction():
                    await self._swap_now()
                return self.progress.position
            except (psycopg.errors.LockNotAvailable, _StillBehind) as error:
                logger.info("swap of %s waits: %s", self._model.name, error)
            await asyncio.sleep(SWAP_PAUSE_S)
            # What was processed inside the transaction was taken back with it.
            await self._take()
        raise RebuildBusy(f"the read model {self._model.name} is never quiet for long enough to be swapped")

    async def discard(self) -> None:
        """Throw the rebuild away."""
        async with self._connection.transaction():
            await self._build.hold()
            await drop_tables(self._connection, self._model, REBUILD)
            await self._execute_all(_DISCARD)

    async def pause(self) -> None:
        """Give the lease back and leave the rebuild to be resumed."""
        await self._build.release()

    async def _keep_lease(self) -> None:
        """Renew the lease from outside while the connection is busy for long."""
        while True:
            await asyncio.sleep(RENEW_S)
            with suppress(StoreUnavailable):
                await self._build.lease.renew(self._reader.database)

    async def _take(self) -> None:
        if not await self._build.take(self._owner):
            raise LeaseLost(f"another process rebuilds {self._model.name} now")

    async def _execute_all(self, statements: tuple[bytes, ...]) -> None:
        given = {"name": self._model.name, "version": self._model.version, "digest": bytes(32)}
        for statement in statements:
            await self._connection.execute(statement, given)

    async def _pages(self, after: int, target: int) -> AsyncGenerator[list[Entry], None]:
        """The log's pages up to a position, the next one read while this one is folded."""
        following = self._read_ahead(after, target)
        try:
            while entries := await following:
                after = entries[-1].recorded.position
                following = self._read_ahead(after, target)
                yield entries
        finally:
            following.cancel()

    def _read_ahead(self, after: int, target: int) -> asyncio.Task[list[Entry]]:
        brief = not self._model.reads_envelope
        return asyncio.create_task(self._reader.page(after, PAGE_EVENTS, last=target, brief=brief))

    async def _swap_now(self) -> None:
        connection, model = self._connection, self._model
        names = ", ".join(f"{LIVE}.{name}" for table in model.tables for name in table.names)
        # A vacuum of its own accord gives way only to who waits for longer than a swap may hold others up; to wait for
        # this lock, which nothing but vacuums conflicts with, holds nobody up.
        await connection.execute(f"SET LOCAL lock_timeout = {VACUUM_WAIT_MS}".encode())
        await connection.execute(f"LOCK TABLE {names} IN SHARE UPDATE EXCLUSIVE MODE".encode())
        ((live,),) = await (await connection.execute(_LOCK_LIVE, (model.name,))).fetchall()
        if live - self.progress.position > CLOSE_ENOUGH_EVENTS:
            raise _StillBehind(f"{live - self.progress.position} events are missing")
        await self.run(live)
        await connection.execute(f"SET LOCAL lock_timeout = {SWAP_LOCK_WAIT_MS}".encode())
        await connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE".encode())
        await drop_tables(connection, model, LIVE)
        for table in model.tables:
            for name in table.names:
                await connection.execute(f"ALTER TABLE {REBUILD}.{name} SET SCHEMA {LIVE}".encode())
            for statement in table.filled_ddl(LIVE):
                await connection.execute(statement.encode())
        await self._execute_all(_ADOPT)


class _StillBehind(Exception):
    """The live read model moved on too far while the rebuild caught up."""
