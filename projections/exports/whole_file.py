"""A file that appears under its name whole and durable, or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

PART_SUFFIX = ".part"
"""What the name of a file ends with that is still being written."""

_BUFFER_BYTES = 1024 * 1024
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)


class StillWritten(Exception):
    """Somebody else is writing this very file; the message names it."""


class WholeFile:
    """Writes to a file beside the one that is meant, and puts it in its place by ``keep``.

    Left without ``keep``, nothing of it stays. Raises ``OSError`` as the disk does, and ``StillWritten`` while another
    process writes the same file: of two that write at once, file and proof might come from different ones.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}{PART_SUFFIX}")
        self._lock = _locked(self._part)
        os.truncate(self._lock, 0)
        self.stream: BinaryIO = os.fdopen(os.dup(self._lock), "wb", buffering=_BUFFER_BYTES)
        self._kept = False

    def finish(self) -> None:
        """Make what was written durable; after that only its name can be refused."""
        if not self.stream.closed:
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()

    def keep(self) -> None:
        """Make what was written durable and give it its name."""
        self.finish()
        self._part.replace(self._path)
        self._kept = True
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if not self._kept:
                self._leave_nothing(kind)
        finally:
            os.close(self._lock)

    def _leave_nothing(self, kind: type[BaseException] | None) -> None:
        try:
            self.stream.close()
        except OSError:
            if kind is None:
                raise  # What could not be written out is the very reason why it is not kept.
        finally:
            self._part.unlink(missing_ok=True)


def _lock(file: int) -> None:
    """Lock it, where the file system has locks; raises ``BlockingIOError`` where another process has."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _locked(path: Path) -> int:
    """A descriptor of the file, made if need be, that no other process has locked; the lock goes with the descriptor."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _lock(file)
            # Who held the lock before may have put the file in its place, or removed it: then it is not ours to write.
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        except BlockingIOError as error:
            os.close(file)
            raise StillWritten(f"another process is writing {path.name}") from error
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)
