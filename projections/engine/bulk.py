"""Processes long stretches of the log: many pages a transaction, each sent while the next is folded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Callable, Sequence
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


class BulkBuild(Build):
    """A build that is far behind the log, and alone with its tables."""

    _transaction: AbstractAsyncContextManager[psycopg.AsyncTransaction] | None = None

    async def process_pages(self, pages: AsyncIterable[Sequence[Entry]], on_page: Callable[[Progress], None]) -> None:
        """Process pages as ``process`` does; a row that changes again and again is written once in a transaction.

        ``on_page`` hears of each page that is folded. Where an entry cannot be borne, raises ``CannotApply`` or one of
        ``FAULT_OF_AN_EVENT``: then ``forget``, and ``process`` the entries of the next ``WINDOW_EVENTS``.
        """
        window = _Window(self._staged, time.monotonic())
        writing: asyncio.Task[None] | None = None
        try:
            async for entries in pages:
                staged = await self._stage_page(entries, window, writing)
                if writing is not None:
                    await writing
                on_page(staged.after)
                writing = asyncio.create_task(self._send(staged))
                if staged.ends:
                    window = _Window(staged.after, time.monotonic())
            if writing is not None:
                await writing
            if self._staged.position > window.before.position:
                await self._send(self._staged_page(window, self._staged, ends=True))
        except (CannotApply, *FAULT_OF_AN_EVENT):
            if writing is not None:
                with suppress(*FAULT_OF_AN_EVENT):
                    await writing
            raise
        finally:
            if writing is not None:
                writing.cancel()
                await asyncio.wait([writing])
                # What went wrong with it is known, or was caused by what is being raised now.
                _ = writing.cancelled() or writing.exception()
            await self._take_back()

    async def _stage_page(
        self, entries: Sequence[Entry], window: _Window, writing: asyncio.Task[None] | None
    ) -> _StagedPage:
        """Fold a page and make it ready to be sent; rows that are missing are read when ``writing`` is done."""
        missing = self._missing(entries)
        if any(missing.values()):
            if writing is not None:
                await writing
            await load_rows(self._connection, self._rows, missing, self.schema)
        before = self._staged
        self._staged = await self._fold(entries, before)
        is_full = self._staged.events - window.before.events >= WINDOW_EVENTS
        return self._staged_page(window, before, ends=is_full or time.monotonic() - window.begun_at >= RENEW_S)

    def _staged_page(self, window: _Window, before: Progress, *, ends: bool) -> _StagedPage:
        """What was folded since ``before``; with all that the transaction changed, where it ends."""
        tables = stage_rows(self._rows, finished=not ends)
        if ends:
            self._rows.written(self._held_max)
        else:
            self._rows.sent()
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
