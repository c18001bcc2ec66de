"""A file that appears under its name whole and durable, or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

PART_SUFFIX = ".part"
"""What the name of a file ends with that is still being written."""

_BUFFER_BYTES = 1024 * 1024


class WholeFile:
    """Writes to a file beside the one that is meant, and puts it in its place by ``keep``.

    Left without ``keep``, nothing of it stays. Raises ``OSError`` as the disk does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}{PART_SUFFIX}")
        self.stream: BinaryIO = self._part.open("wb", buffering=_BUFFER_BYTES)
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
        if self._kept:
            return
        try:
            self.stream.close()
        except OSError:
            if kind is None:
                raise  # What could not be written out is the very reason why it is not kept.
        finally:
            self._part.unlink(missing_ok=True)
