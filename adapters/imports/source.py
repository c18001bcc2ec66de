"""A file to import from: its form, and how much of it was read."""

from __future__ import annotations

import os
from io import RawIOBase
from typing import BinaryIO, cast

import msgspec

from adapters.imports.drafts import Pieces
from adapters.imports.github import read_github
from adapters.imports.table import TableOptions, read_table
from adapters.imports.unpacking import UNPACKED_BYTES_MAX
from shared.api.imports import ImportFormat


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is read; ``pull_requests`` is for GitHub's form, ``table`` for CSV.

    A file that unpacks to more than ``unpacked_bytes_max`` is read up to there.
    """

    format: ImportFormat = "github"
    unpacked_bytes_max: int = UNPACKED_BYTES_MAX
    pull_requests: bool = True
    table: TableOptions = TableOptions()


class Source(RawIOBase):
    """A stream of bytes that counts what was read of it; ``size_bytes`` is none where nobody knows."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.read_bytes = 0
        self.size_bytes = _size_of(stream)

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, none at the end."""
        data = self._stream.read(size)
        self.read_bytes += len(data)
        return data

    @property
    def fraction(self) -> float | None:
        """How much of the file was read, from 0 to 1."""
        return min(1.0, self.read_bytes / self.size_bytes) if self.size_bytes else None

    def pieces(self, options: ReadOptions) -> Pieces:
        """The tasks of the file, and what is wrong with the rest."""
        stream = cast(BinaryIO, self)
        if options.format == "csv":
            return read_table(stream, options.table, unpacked_bytes_max=options.unpacked_bytes_max)
        return read_github(stream, pull_requests=options.pull_requests, unpacked_bytes_max=options.unpacked_bytes_max)


def _size_of(stream: BinaryIO) -> int | None:
    try:
        size = os.fstat(stream.fileno()).st_size
    except (OSError, AttributeError):
        return None
    return size or None
