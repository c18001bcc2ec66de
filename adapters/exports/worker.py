"""Writes the exports that were asked for: each is found in the events, so none is forgotten by a restart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import Counter
from datetime import timedelta
from uuid import UUID

import psycopg

from adapters.exports.messages import Order
from adapters.exports.progress import forget_progress, keep_progress
from adapters.exports.runner import ExportBroken, run_export
from adapters.exports.storage import ExportFiles
from adapters.ids import now, uuid7
from adapters.postgres.connections import Database
from hivesync_core.eventstore.errors import StoreError
from hivesync_core.eventstore.log import Context, Log
from hivesync_core.exports.commands import CompleteExport, ExpireExport, FailExport
from hivesync_core.exports.decider import ExportStatus, export
from hivesync_core.exports.events import ExportFormat
from hivesync_core.kernel.ids import SYSTEM_ACTOR
from projections.engine.tasks import end
from projections.export_jobs.model import ExportRow
from projections.export_jobs.queries import to_expire, to_write
from projections.exports.manifest import Manifest
from projections.exports.writer import Job, Progress
from shared.settings import Settings

logger = logging.getLogger(__name__)

EXPORTS_AT_ONCE = max(2, (os.cpu_count() or 1) // 2)
"""At least two, so that a small export need not wait for a large one."""
ATTEMPTS_MAX = 3
"""How often an export is begun whose process dies before it gives up."""

PROGRESS_EVERY_S = 0.5
KEPT_DAYS = 30
"""How long files of exports are kept; the events that ask for them stay, and the same file can be asked for again."""

EXPIRED_AT_ONCE = 100
_LOOKED_AT = 100
_LOCK_CLASS = 7237104


class ExportWorker:
    """Begins what is asked for, ends what is cancelled, and says in the log what came of it.

    Any number of processes may run it: an advisory lock gives each export to one of them. Should two write the same
    after all, both write the same bytes, and the second completion is nothing.
    """

    def __init__(self, database: Database, log: Log, files: ExportFiles, settings: Settings, url: str) -> None:
        self._database, self._log, self._files = database, log, files
        self._settings, self._url = settings, url
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._attempts: Counter[UUID] = Counter()

    async def turn(self) -> None:
        """Look once for what is to be begun and ended. Raises ``StoreUnavailable``."""
        for export_id, task in list(self._running.items()):
            if task.done():
                del self._running[export_id]
            elif (await self._log.state(export, export_id)).state.status is not ExportStatus.REQUESTED:
                task.cancel()
        for row in await to_write(self._database, _LOOKED_AT):
            if len(self._running) >= EXPORTS_AT_ONCE:
                return
            if row.export_id not in self._running and await self._is_wanted(row.export_id):
                self._running[row.export_id] = asyncio.create_task(self._write(row), name=f"export-{row.export_id}")

    async def expire(self) -> None:
        """Delete files that are older than files are kept."""
        for export_id in await to_expire(self._database, now() - timedelta(days=KEPT_DAYS), EXPIRED_AT_ONCE):
            await self._log.execute(export, export_id, ExpireExport(), _context())
            await asyncio.to_thread(self._files.remove, export_id)

    async def stop(self) -> None:
        """End what is being written; the next start begins it again."""
        await end(*self._running.values())
        self._running.clear()

    async def _is_wanted(self, export_id: UUID) -> bool:
        """By the log itself: the read model may be behind, and this process may have finished it just now."""
        loaded = await self._log.state(export, export_id, fresh=True)
        return loaded.state.status is ExportStatus.REQUESTED

    async def _write(self, row: ExportRow) -> None:
        """Write one export and record how it ended, unless another process has it."""
        try:
            async with self._database.direct("hivesync-export-lock") as connection:
                cursor = await connection.execute(
                    b"SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_LOCK_CLASS, str(row.export_id))
                )
                locked = await cursor.fetchone()
                if locked is None or not locked[0]:
                    return
                await self._write_locked(row)
        except asyncio.CancelledError:
            await asyncio.to_thread(self._files.remove_parts, row.export_id)
            raise
        except (psycopg.Error, StoreError, OSError, TimeoutError) as error:
            logger.warning("export %s waits for the database: %s", row.export_id, error)
        except Exception:
            logger.exception("export %s could not be recorded", row.export_id)

    async def _write_locked(self, row: ExportRow) -> None:
        path = self._files.path(row.export_id, row.format)
        job = Job(
            format=ExportFormat(row.format),
            selection=row.selection,
            through=row.through,
            erasures_through=row.requested_at_position,
        )
        order = Order(settings=self._settings, url=self._url, job=job, path=str(path))
        try:
            await asyncio.to_thread(self._files.make_folder)
            await asyncio.to_thread(self._files.remove_parts, row.export_id)
            manifest = await self._with_progress(row.export_id, order)
        except (ExportBroken, OSError) as error:
            await self._failed(row.export_id, error)
        else:
            await self._completed(row.export_id, manifest)

    async def _with_progress(self, export_id: UUID, order: Order) -> Manifest:
        """Write the export, and keep how far it is where every node can see it."""
        latest: list[Progress] = []

        async def keep() -> None:
            while True:
                await asyncio.sleep(PROGRESS_EVERY_S)
                if latest:
                    with contextlib.suppress(StoreError):
                        await keep_progress(self._database, export_id, latest[-1])
                    latest.clear()

        keeping = asyncio.create_task(keep())
        try:
            return await run_export(order, latest.append)
        finally:
            keeping.cancel()
            with contextlib.suppress(StoreError):
                await asyncio.shield(forget_progress(self._database, export_id))

    async def _completed(self, export_id: UUID, manifest: Manifest) -> None:
        command = CompleteExport(
            rows=manifest.rows,
            size_bytes=manifest.size_bytes,
            sha256=manifest.sha256,
            first_position=manifest.first_position,
            last_position=manifest.last_position,
        )
        await self._log.execute(export, export_id, command, _context())
        if (await self._log.state(export, export_id)).state.status is not ExportStatus.COMPLETED:
            # It was cancelled at the last moment: nobody will come for the file.
            await asyncio.to_thread(self._files.remove, export_id)
        logger.info("export %s is there: %d events", export_id, manifest.rows)

    async def _failed(self, export_id: UUID, error: ExportBroken | OSError) -> None:
        self._attempts[export_id] += 1
        is_final = not isinstance(error, ExportBroken) or error.is_final
        logger.warning("export %s failed: %s", export_id, error)
        await asyncio.to_thread(self._files.remove_parts, export_id)
        if is_final or self._attempts[export_id] >= ATTEMPTS_MAX:
            await self._log.execute(export, export_id, FailExport(cause=str(error)), _context())


def _context() -> Context:
    command_id = uuid7()
    return Context(SYSTEM_ACTOR, now(), command_id, command_id)
