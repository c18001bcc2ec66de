"""One append-only file of lines: guarded against a second writer, its torn end cut off, never half written.

Calls block; they are made from a thread.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_BLOCK_BYTES = 1024 * 1024
_FIRST_LINE_BYTES_MAX = 64 * 1024 * 1024


class HistoryFileBusy(Exception):
    """Another process writes to the file."""


class HistoryFileRefused(Exception):
    """The file is not a copy of this log; nothing of it was changed. The message says what differs and what to do."""


class Tail(NamedTuple):
    """The last whole lines of the file, and where they begin."""

    offset: int
    lines: list[bytes]


class HistoryFile:
    """The file, open and locked.

    ``size_bytes`` counts what is whole, nothing beyond it is meant; ``unsynced_bytes`` what a crash of the machine could
    still take.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, making it where there is none.

        Raises ``HistoryFileBusy`` where another process has it, ``OSError`` where it cannot be opened.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise HistoryFileBusy(f"another process writes to {path}") from error
        self.size_bytes = os.fstat(self._file).st_size
        self.unsynced_bytes = 0

    def close(self) -> None:
        """Close the file and let another process have it."""
        os.close(self._file)

    def tail(self, size_bytes: int) -> Tail:
        """The whole lines in the last ``size_bytes`` of the file, at least one where the file holds a whole line."""
        while True:
            offset = max(0, self.size_bytes - size_bytes)
            data = os.pread(self._file, self.size_bytes - offset, offset)
            begin = 0 if offset == 0 else data.find(b"\n") + 1
            end = data.rfind(b"\n") + 1
            if offset == 0 or (begin and begin < end):
                return Tail(offset + begin, [line + b"\n" for line in data[begin:end].split(b"\n")[:-1]])
            size_bytes *= 2

    def first_line(self) -> bytes:
        """The first line with its line end; what there is of it where it has none."""
        found = b""
        for block in self._blocks():
            line, end, _ = block.partition(b"\n")
            found += line + end
            if end or len(found) > _FIRST_LINE_BYTES_MAX:
                break
        return found

    def cut(self, size_bytes: int) -> None:
        """Take away what lies beyond ``size_bytes``."""
        os.ftruncate(self._file, size_bytes)
        self.size_bytes = size_bytes

    def append(self, data: bytes) -> None:
        """Write whole lines to the end; where the disk does not take all of them, none stays. Raises ``OSError``."""
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self._file, data[written:], self.size_bytes + written)
        except OSError:
            os.ftruncate(self._file, self.size_bytes)
            raise
        self.size_bytes += written
        self.unsynced_bytes += written

    @property
    def is_in_place(self) -> bool:
        """Whether the file still stands under its name; somebody may have moved it away."""
        try:
            return os.path.samestat(os.fstat(self._file), self.path.stat())
        except FileNotFoundError:
            return False

    def sync(self) -> None:
        """Make everything so far durable. Raises ``OSError``: what was written since the last time may be lost."""
        os.fsync(self._file)
        self.unsynced_bytes = 0

    def _blocks(self) -> Iterator[bytes]:
        offset = 0
        while block := os.pread(self._file, min(_BLOCK_BYTES, self.size_bytes - offset), offset):
            yield block
            offset += len(block)
