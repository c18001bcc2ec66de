"""What waits for one socket, bounded, and the clock by which many sockets are written to.

Frames that come close together leave in one write: at once after a pause (the leading edge), and every ``FLUSH_EVERY_S``
while they keep coming. With 1,000 viewers that is the difference between one write a viewer and one a viewer and message.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from shared.socket.limits import OUTBOX_BYTES_MAX

FLUSH_EVERY_S: Final = 0.008
FLUSHED_AT_ONCE_MAX: Final = 500
"""Sockets that are written to before others of the process have a turn: about 2 ms."""


class Wire(Protocol):
    """The connection that an outbox writes to."""

    paused: bool

    @property
    def is_open(self) -> bool:
        """Whether frames may be written."""
        ...

    def write_frames(self, frames: bytes) -> None:
        """Write whole frames."""
        ...

    async def drained(self) -> None:
        """Return when the connection takes more, or is lost."""
        ...


class Flusher:
    """Writes out many outboxes at their common time: one a process, or one a room."""

    def __init__(self) -> None:
        self._marked: list[Outbox] = []
        self._scheduled = False
        self._flushed_at = float("-inf")

    def mark(self, outbox: Outbox) -> None:
        """Have an outbox written out, soon."""
        self._marked.append(outbox)
        if self._scheduled:
            return
        self._scheduled = True
        loop = asyncio.get_running_loop()
        wait_s = self._flushed_at + FLUSH_EVERY_S - loop.time()
        if wait_s <= 0:
            loop.call_soon(self._flush)
        else:
            loop.call_later(wait_s, self._flush)

    def _flush(self) -> None:
        now, later = self._marked[:FLUSHED_AT_ONCE_MAX], self._marked[FLUSHED_AT_ONCE_MAX:]
        self._marked = later
        for outbox in now:
            outbox.flush()
        loop = asyncio.get_running_loop()
        if later:
            loop.call_soon(self._flush)
        else:
            self._scheduled = False
            self._flushed_at = loop.time()


class Outbox:
    """Frames on their way to one socket. It holds at most ``OUTBOX_BYTES_MAX`` here and as much in the transport."""

    __slots__ = ("_flusher", "_frames", "_marked", "_size", "wire")

    def __init__(self, wire: Wire, flusher: Flusher) -> None:
        self.wire = wire
        self._flusher = flusher
        self._frames: list[bytes] = []
        self._size = 0
        self._marked = False

    def push(self, frame: bytes) -> bool:
        """Send a frame soon, in order. False, and nothing is sent, where the client takes no more: wait for ``drained``."""
        if self.wire.paused:
            return False
        self._frames.append(frame)
        self._size += len(frame)
        if self._size > OUTBOX_BYTES_MAX:
            self._write()
        elif not self._marked:
            self._marked = True
            self._flusher.mark(self)
        return True

    def flush(self) -> None:
        """Write what waits; the flusher calls it."""
        self._marked = False
        if self._frames:
            self._write()

    def discard(self) -> None:
        """Throw away what waits."""
        self._frames, self._size = [], 0

    async def drained(self) -> None:
        """Return when the client takes more, or is lost."""
        if self._size > OUTBOX_BYTES_MAX // 2:
            self._write()
        if self.wire.paused:
            await self.wire.drained()

    def _write(self) -> None:
        frames, self._frames, self._size = self._frames, [], 0
        self.wire.write_frames(frames[0] if len(frames) == 1 else b"".join(frames))
