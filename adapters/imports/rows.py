"""The rows of a CSV file with the lines that they begin on; one that cannot be read costs no other.

The csv module reads strictly. What it refuses is named, and the lines that it had taken for the same row are read again
without the first of them: a quote too many costs its own line and not the rest of the file.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple, Self

from adapters.imports.drafts import Flaw
from adapters.imports.unpacking import LINE_BYTES_MAX, Unreadable, lines, too_long, unpacked

DELIMITERS = ",;\t|"

READ_AGAIN_CHARS_MAX = 4 * LINE_BYTES_MAX
"""How much of a file is read again before its quotes are held to be beyond reading."""

_MAC_LINE_END = re.compile(rb"\r[^\n]")
_SAYS_DELIMITER = re.compile(r'"?sep=(.)"?\s*')
_NEVER_CLOSED = "unexpected end of data"
_CAUSES = {
    _NEVER_CLOSED: "a quote that is opened here is never closed: the file ends in the middle, or a quote is missing",
    "expected after": "a quote stands inside of a cell; where the cell has quotes around it, it has to be written twice",
    "new-line character": "a line end stands inside of a cell without quotes around it",
    "field larger": too_long("a cell"),
}


class Row(NamedTuple):
    """A row, and the line that it begins on."""

    line: int
    cells: list[str]


def read_rows(
    stream: BinaryIO, *, delimiter: str | None, encoding: str, unpacked_bytes_max: int
) -> Iterator[Row | Flaw]:
    """The rows that have anything in them; ``delimiter`` is found out where it is none.

    A byte that is no UTF-8 becomes a surrogate, and U+FFFD in the other encodings.
    """
    csv.field_size_limit(LINE_BYTES_MAX)
    text = _Text(unpacked(stream, bytes_max=unpacked_bytes_max), encoding)
    try:
        reader = csv.reader(text, delimiter=delimiter or _delimiter(text), strict=True, skipinitialspace=True)
    except (_TooLong, Unreadable) as error:
        yield Flaw(line=text.row_line, cause=str(error), ends=True)
        return
    while True:
        try:
            cells = next(reader, None)
        except (csv.Error, _TooLong, Unreadable) as error:
            line = text.row_line
            ends = isinstance(error, _RowTooLong | Unreadable) or _NEVER_CLOSED in str(error)
            ends = ends or not text.read_row_again()
            yield Flaw(line=line, cause=_cause(error), ends=ends)
            if ends:
                return
            continue
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield Row(text.row_line, cells)
        text.end_row()


class _TooLong(Exception):
    """A line is longer than one may be; the message says so."""


class _RowTooLong(_TooLong):
    """A row of many lines is longer than one may be: most likely a quote was opened and never closed."""


class _Text:
    """The lines of a file as text; those of the row at hand are remembered, to be read again."""

    def __init__(self, chunks: Iterator[bytes], encoding: str) -> None:
        self._lines = lines(_with_line_ends(chunks))
        self._encoding = encoding
        self._errors = "surrogateescape" if encoding == "utf-8" else "replace"
        self._waiting: deque[str | None] = deque()
        self._row: list[str | None] = []
        self._row_chars = self._read_again_chars = self._number = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else self._next_line()
        self._number += 1
        self._row.append(line)
        if line is None:
            raise _TooLong(too_long("a line"))
        self._row_chars += len(line)
        if self._row_chars > LINE_BYTES_MAX and len(self._row) > 1:
            raise _RowTooLong(f"{too_long('a row')}; is a quote that is opened here never closed?")
        return line

    def _next_line(self) -> str | None:
        """In none of the encodings is the byte of a line end a part of another character."""
        line = next(self._lines)
        return None if line is None else line.decode(self._encoding, self._errors)

    @property
    def row_line(self) -> int:
        """Where the row at hand begins, counted from 1; between two rows, where the next one does."""
        return self._number - len(self._row) + 1

    def end_row(self) -> None:
        """What was read up to here is a row."""
        self._row.clear()
        self._row_chars = 0

    def read_row_again(self, *, without: int = 1) -> bool:
        """Read the lines of the row at hand again, but the first; false where too much was read again already."""
        again = self._row[without:]
        self._read_again_chars += sum(len(line or "") for line in again)
        self._waiting.extendleft(reversed(again))
        self._number -= len(again)
        self.end_row()
        return self._read_again_chars <= READ_AGAIN_CHARS_MAX


def _delimiter(text: _Text) -> str:
    """What separates the names in the first line: the sign that it says, as Excel does, or that gives the most of them."""
    first = ""
    for first in text:
        if first.strip():
            break
        text.end_row()
    if said := _SAYS_DELIMITER.fullmatch(first):
        text.end_row()
        return said[1]
    text.read_row_again(without=0)
    return max(DELIMITERS, key=lambda sign: _columns(first, sign))


def _columns(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0


def _with_line_ends(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks with line feeds, where the file ends its lines with carriage returns alone, as an old Mac did."""
    for first in chunks:
        if b"\n" not in first and _MAC_LINE_END.search(first):
            yield from (chunk.replace(b"\r", b"\n") for chunk in chain([first], chunks))
        else:
            yield from chain([first], chunks)


def _cause(error: Exception) -> str:
    return next((cause for part, cause in _CAUSES.items() if part in str(error)), str(error))
