"""Tails the log for everything in a process that wants to hear of new events: one reader, one decoding."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence

import psycopg

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.patience import within
from projections.engine.entries import Entry, LogDatabase, LogReader
from projections.engine.positions import Positions
from projections.engine.tasks import end

logger = logging.getLogger(__name__)

POLL_S = 1.0
"""A notification may be lost; the log is looked at this often whatever happens."""

PAGE_ENTRIES_MAX = 1_000
BUFFER_ENTRIES_MAX = 10_000
RECONNECT_PAUSE_S = 0.25
SILENCE_MAX_S = 3 * POLL_S
"""After so long without a successful look at the log, what is cached of it is not to be trusted."""

LOG_CHANNEL = "eventlog"
PROJECTION_CHANNEL = "projection"

_POSITIONS = "SELECT name, position FROM ops.projections WHERE build = 'live'"

Listener = Callable[[Sequence[Entry]], None]


class LogFollower:
    """Reads the log from where it stands when ``start`` returns, in order and without a gap, for ever.

    It listens before its first read, looks at least each second, and connects again by itself. ``subscribe`` hands
    every page of new entries to a function; ``read`` serves readers that come after at their own pace, from memory
    where it can.
    """

    def __init__(self, database: LogDatabase, catalogue: Catalogue, positions: Positions) -> None:
        self._database = database
        self.reader = LogReader(database, catalogue)
        self._positions = positions
        self._buffer: deque[Entry] = deque(maxlen=BUFFER_ENTRIES_MAX)
        self._listeners: list[Listener] = []
        self._interrupted: list[Callable[[], None]] = []
        self._news = asyncio.Event()
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._looked_at = 0.0
        self._positions_read_at = 0.0
        self.head = 0
        self.reconnects = 0

    async def start(self) -> None:
        """Listen, find the head of the log, and follow from there; raises ``StoreUnavailable``."""
        self.head = await self.reader.head()
        self._looked_at = time.monotonic()
        self._tasks = [
            asyncio.create_task(self._listen(), name="log-listen"),
            asyncio.create_task(self._follow(), name="log-follow"),
        ]

    async def stop(self) -> None:
        """Stop to follow."""
        await end(*self._tasks)

    def subscribe(self, listener: Listener, *, on_interruption: Callable[[], None] | None = None) -> None:
        """Call ``listener`` with every page of new entries, and ``on_interruption`` when sight of the log was lost."""
        self._listeners.append(listener)
        if on_interruption is not None:
            self._interrupted.append(on_interruption)

    @property
    def in_sight(self) -> bool:
        """Whether the log was looked at lately, so that what is cached of it can be trusted."""
        return time.monotonic() - self._looked_at < SILENCE_MAX_S

    async def wait_beyond(self, position: int, timeout_s: float) -> bool:
        """Wait until the log has an event after ``position``; false when the time runs out first."""
        if self.head > position:
            return True
        moved = asyncio.get_running_loop().create_future()
        self._waiting[moved] = position
        try:
            with within(timeout_s):
                await moved
        except TimeoutError:
            return False
        finally:
            del self._waiting[moved]
        return True

    async def read(self, after: int, limit: int) -> list[Entry]:
        """The entries after a position, at most ``limit``, in order; raises ``StoreUnavailable``."""
        if after >= self.head:
            return []
        buffer = self._buffer
        if buffer and buffer[0].recorded.position <= after + 1:
            first = bisect_right(buffer, after, key=_position)
            return [buffer[index] for index in range(first, min(first + limit, len(buffer)))]
        return await self.reader.page(after, limit)

    async def _listen(self) -> None:
        """Hear notifications on a connection of its own; every (re)connection counts as news.

        How far the read models are is forgotten with the connection: a server that crashed may have lost what they had
        written last, and it is written again.
        """
        while True:
            try:
                async with self._database.direct("hivesync-listen") as connection:
                    await connection.execute(f"LISTEN {LOG_CHANNEL}; LISTEN {PROJECTION_CHANNEL}".encode())
                    self._positions_read_at = 0.0
                    self._news.set()
                    while True:
                        async for notification in connection.notifies(timeout=POLL_S):
                            self._heard(notification)
                        # Proves that the connection is alive, which silence does not.
                        async with asyncio.timeout(SILENCE_MAX_S):
                            await connection.execute(b"SELECT 1")
            except (psycopg.Error, StoreUnavailable, OSError, TimeoutError) as error:
                logger.warning("notifications interrupted: %s", error)
            except Exception:
                logger.exception("listening failed; it starts again")
            self._positions.forget()
            self.reconnects += 1
            await asyncio.sleep(RECONNECT_PAUSE_S)

    def _heard(self, notification: psycopg.Notify) -> None:
        if notification.channel == LOG_CHANNEL:
            self._news.set()
            return
        name, _, position = notification.payload.rpartition(" ")
        if position.isdigit():
            self._positions.advance(name, int(position))

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError), within(POLL_S):
                await self._news.wait()
            self._news.clear()
            try:
                await self._catch_up()
                await self._read_positions()
                continue
            except StoreUnavailable as error:
                logger.warning("the log is out of sight: %s", error)
            except Exception:
                logger.exception("following the log failed; it starts again")
            for callback in self._interrupted:
                callback()
            await asyncio.sleep(RECONNECT_PAUSE_S)
            self._news.set()

    async def _read_positions(self) -> None:
        """Look at least each ``POLL_S`` how far the read models are: the word of another process may be lost."""
        if time.monotonic() - self._positions_read_at < POLL_S:
            return
        self._positions_read_at = time.monotonic()
        known = self._positions.generation
        rows = await self._database.fetch_all(_POSITIONS)
        if self._positions.generation == known:
            for name, position in rows:
                self._positions.advance(name, position)

    async def _catch_up(self) -> None:
        while True:
            entries = await self.reader.page(self.head, PAGE_ENTRIES_MAX)
            self._looked_at = time.monotonic()
            if not entries:
                return
            self._buffer.extend(entries)
            self.head = entries[-1].recorded.position
            for listener in self._listeners:
                try:
                    listener(entries)
                except Exception:
                    logger.exception("a listener of the log failed; the others go on")
            for moved, position in self._waiting.items():
                if position < self.head and not moved.done():
                    moved.set_result(None)
            if len(entries) < PAGE_ENTRIES_MAX:
                return


def _position(entry: Entry) -> int:
    return entry.recorded.position
