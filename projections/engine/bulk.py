"""Processes long stretches of the log: many pages a transaction, each sent while the next is folded."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import NamedTuple

import psycopg

from projections.engine.build import FAULT_OF_AN_EVENT, Build
from projections.engine.entries import Entry
from projections.engine.lease import RENEW_S, Progress
from projections.engine.parking import CannotApply, Parked
from projections.engine.tables import Staged, copy_rows, load_rows, stage_rows

WINDOW_EVENTS = 50_000
"""Events after which a transaction ends; or sooner, where it takes so long that the lease has to be renewed."""

WAITING_PAGES_MAX = 6
"""Pages that wait to be sent; a transaction ends by so much later than it was folded, which the lease has to last."""

WAITING_BYTES_MAX = 16 * 1024 * 1024
"""What they take in memory, save where one takes more alone."""


class BulkBuild(Build):
    """A build that is far behind the log, and alone with its tables."""

    _transaction: AbstractAsyncContextManager[psycopg.AsyncTransaction] | None = None

    async def process_pages(self, pages: AsyncIterable[Sequence[Entry]], on_page: Callable[[Progress], None]) -> None:
        """Process pages as ``process`` does; a row that changes again and again is written once in a transaction.

        ``on_page`` hears of each page that is folded. Where an entry cannot be borne, raises ``CannotApply`` or one of
        ``FAULT_OF_AN_EVENT``: then ``forget``, and ``process`` the entries of the next ``WINDOW_EVENTS``.
        """
        window = _Window(self._staged, time.monotonic())
        outbox = _Outbox(self._send)
        try:
            async for entries in pages:
                staged = await self._stage_page(entries, window, outbox)
                on_page(staged.after)
                await outbox.put(staged)
                if staged.ends:
                    window = _Window(staged.after, time.monotonic())
            if self._staged.position > window.before.position:
                await outbox.put(self._staged_page(window, self._staged, ends=True))
            await outbox.empty()
        except (CannotApply, *FAULT_OF_AN_EVENT):
            with suppress(*FAULT_OF_AN_EVENT):
                await outbox.empty()
            raise
        finally:
            await outbox.close()
            await self._take_back()

    async def _stage_page(self, entries: Sequence[Entry], window: _Window, outbox: _Outbox) -> _StagedPage:
        """Fold a page and make it ready to be sent; rows that are missing are read when all before it are written."""
        self._rows.copied = True
        missing = self._missing(entries)
        if any(missing.values()):
            await outbox.empty()
            await load_rows(self._connection, self._rows, missing, self.schema)
        before = self._staged
        self._staged = await self._fold(entries, before)
        is_full = self._staged.events - window.before.events >= WINDOW_EVENTS
        return self._staged_page(window, before, ends=is_full or time.monotonic() - window.begun_at >= RENEW_S)

    def _staged_page(self, window: _Window, before: Progress, *, ends: bool) -> _StagedPage:
        """What was folded since ``before``; with all that the transaction changed, where it ends."""
        tables = stage_rows(self._rows, ends=ends)
        if ends:
            self._rows.written(self._held_max)
        return _StagedPage(window, before, self._staged, tables, self._parking.taken(), ends)

    async def _send(self, staged: _StagedPage) -> None:
        """Write a page, in a transaction that begins with the first and ends with the last of its window."""
        connection = self._connection
        if self._transaction is None:
            transaction: AbstractAsyncContextManager[psycopg.AsyncTransaction] = connection.transaction()
            await transaction.__aenter__()
            self._transaction = transaction
            await (await self.lease.lock(connection)).confirm(staged.window.before.position)
        await copy_rows(connection, staged.tables, self.schema)
        await self._parking.write(connection, staged.parked)
        if not staged.ends:
            await self.lease.mark(connection, staged.before, staged.after)
            return
        await self.lease.advance(connection, staged.before, staged.after)
        transaction, self._transaction = self._transaction, None
        await transaction.__aexit__(None, None, None)
        self.progress = staged.after

    async def _take_back(self) -> None:
        """End a transaction that did not come to its end."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            rollback = psycopg.Rollback()
            await transaction.__aexit__(type(rollback), rollback, None)


class _Window(NamedTuple):
    """A transaction's worth of pages: where it begins, and since when it has been folded."""

    before: Progress
    begun_at: float


class _StagedPage(NamedTuple):
    """A page that was folded and is ready to be sent, and whether its transaction ends with it."""

    window: _Window
    before: Progress
    after: Progress
    tables: list[Staged]
    parked: list[Parked]
    ends: bool

    @property
    def size_bytes(self) -> int:
        """What it takes in memory until it is sent."""
        return sum(len(staged.rows) + len(staged.versions) for staged in self.tables)


class _Outbox:
    """Sends pages in order while others are folded: the last of a transaction brings as much as several before it."""

    def __init__(self, send: Callable[[_StagedPage], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: deque[tuple[asyncio.Task[None], int]] = deque()

    async def put(self, page: _StagedPage) -> None:
        """Have a page sent; waits where too much is on its way, and raises what sending an earlier one raised."""
        size, waiting = page.size_bytes, self._waiting
        while waiting and (
            waiting[0][0].done()
            or len(waiting) >= WAITING_PAGES_MAX
            or size + sum(size for _, size in waiting) > WAITING_BYTES_MAX
        ):
            await self._first()
        before = waiting[-1][0] if waiting else None
        waiting.append((asyncio.create_task(self._send_after(before, page)), size))

    async def empty(self) -> None:
        """Wait until everything is sent; raises what sending raised."""
        while self._waiting:
            await self._first()

    async def close(self) -> None:
        """Give up what was not sent. What went wrong with it is known, or was caused by what is being raised now."""
        tasks = [task for task, _ in self._waiting]
        self._waiting.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _first(self) -> None:
        task, _ = self._waiting[0]
        await task
        self._waiting.popleft()

    async def _send_after(self, before: asyncio.Task[None] | None, page: _StagedPage) -> None:
        if before is not None:
            await before
        await self._send(page)
