"""Keeps the history log up with the log of events: a projection whose position is the last whole line of its file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from hivesync_core.eventstore.errors import StoreUnavailable
from projections.engine.cloudevents import LineEncoder
from projections.engine.queries import QueryDatabase
from projections.engine.stored_text import PAGE_BYTES_MAX, page_query
from projections.engine.tasks import end
from projections.history_file.file import HistoryFile, HistoryFileBusy, HistoryFileRefused
from projections.history_file.recovery import recover

logger = logging.getLogger(__name__)

FILE_NAME = "history.jsonl"

SYNC_S = 1.0
SYNC_BYTES = 4 * 1024 * 1024
"""How old, and how many, lines may become before they are made durable. What a crash takes is written again."""

PAGE_ROWS_MAX = 500
"""Events that are made lines at once: a few milliseconds of a process that has other things to do."""

GATHER_S = 0.05
"""How long events gather after others were written, so that a busy log does not cost a thread's turn each time."""

RETRY_PAUSE_S = 1.0
STANDBY_PAUSE_S = 5.0
REFUSED_PAUSE_S = 60.0

_PAGE = page_query("e.notification_id > %s")
_RANGE = page_query("e.notification_id > %s AND e.notification_id <= %s")
_NO_LIMIT_BYTES = 1 << 60

Result = TypeVar("Result")


class News(Protocol):
    """Tells when the log has grown."""

    async def wait_beyond(self, position: int, timeout_s: float) -> bool:
        """Wait until the log has an event after ``position``; false when the time runs out first."""
        ...


class HistoryKeeper:
    """Appends every event to the file, in order, once.

    Of several processes on one file one writes, and the others stand by. A full disk, a database that is away and a
    file that is refused are logged and tried again; ``position`` and ``problem`` say how it stands.
    """

    def __init__(self, database: QueryDatabase, news: News, folder: Path) -> None:
        self._database = database
        self._news = news
        self._path = folder / FILE_NAME
        self._encoder = LineEncoder()
        self._task: asyncio.Task[None] | None = None
        self.position = 0
        self.problem: str | None = None

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._supervise(), name="history-file")

    async def stop(self) -> None:
        """Stop; what was written is durable."""
        await end(self._task)

    async def _supervise(self) -> None:
        while True:
            try:
                await self._keep()
            except HistoryFileBusy as error:
                self._say(str(error), logging.INFO)
                await asyncio.sleep(STANDBY_PAUSE_S)
            except HistoryFileRefused as error:
                self._say(str(error), logging.ERROR)
                await asyncio.sleep(REFUSED_PAUSE_S)
            except (OSError, StoreUnavailable) as error:
                self._say(f"{self._path} waits: {error}", logging.WARNING)
                await asyncio.sleep(RETRY_PAUSE_S)
            except Exception as error:
                self.problem = str(error)
                logger.exception("the history file failed; it starts again")
                await asyncio.sleep(RETRY_PAUSE_S)

    async def _keep(self) -> None:
        file = await asyncio.to_thread(HistoryFile, self._path)
        try:
            self.position = await recover(file, self._lines_of)
            await self._follow(file)
        finally:
            with contextlib.suppress(OSError):
                await _uninterrupted(file.sync)
            file.close()

    async def _follow(self, file: HistoryFile) -> None:
        synced_at = time.monotonic()
        while True:
            rows = await self._database.fetch_all(_PAGE, (self.position, PAGE_ROWS_MAX, PAGE_BYTES_MAX))
            if rows:
                data = "".join([f"{line}\n" for line in self._encoder.lines(rows)]).encode()
                await _uninterrupted(file.append, data)
                self.position = rows[-1][0]
                self._all_well()
            if file.unsynced_bytes >= SYNC_BYTES or time.monotonic() - synced_at >= SYNC_S:
                if not await _uninterrupted(_synced_in_place, file):
                    return
                synced_at = time.monotonic()
            if not rows:
                self._all_well()
                await self._news.wait_beyond(self.position, SYNC_S)
            elif len(rows) < PAGE_ROWS_MAX:
                await asyncio.sleep(GATHER_S)

    async def _lines_of(self, after: int, through: int) -> Sequence[bytes]:
        parameters = (after, through, through - after, _NO_LIMIT_BYTES)
        rows = await self._database.fetch_all(_RANGE, parameters)
        return [f"{line}\n".encode() for line in self._encoder.lines(rows)]

    def _say(self, problem: str, level: int) -> None:
        """Log a problem, once as long as it stays the same."""
        if problem != self.problem:
            logger.log(level, "%s", problem)
        self.problem = problem

    def _all_well(self) -> None:
        if self.problem is not None:
            logger.info("%s is written again", self._path)
        self.problem = None


def _synced_in_place(file: HistoryFile) -> bool:
    """Make the file durable; false where it was moved away, so that another has to be begun."""
    if file.unsynced_bytes:
        file.sync()
    return file.is_in_place


async def _uninterrupted(call: Callable[..., Result], *arguments: Any) -> Result:
    """Run a blocking call in a thread to its end, also when this task is cancelled meanwhile.

    The file must not be closed under a thread that writes to it.
    """
    running = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
