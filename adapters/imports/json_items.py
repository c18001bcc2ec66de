"""The JSON objects of a file, one by one: a line each (JSON Lines), or in an array, however long it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from adapters.imports.unpacking import LINE_BYTES_MAX, Unreadable, lines, too_long

_MARK = re.compile(rb'["{}\[\]]')
"""What the structure of JSON depends on."""

_IN_STRING = re.compile(rb'(?:[^"\\]|\\.)*+', re.DOTALL)
_SCALAR = re.compile(rb'[^\s,"\[\]{}]+')

ARRAYS_MAX = 2
"""Arrays inside each other: the pages of ``gh api --paginate --slurp`` are arrays in one."""

_BETWEEN = re.compile(rb"[\s,]*")


class Item(NamedTuple):
    """A piece of the file and the line that it begins on.

    ``number`` counts the pieces of an array, which may all stand on one line. With a ``flaw`` it cannot be read, and
    where that ``ends`` the file, nothing behind it either.
    """

    line: int
    raw: bytes
    flaw: str = ""
    ends: bool = False
    number: int | None = None


def items(chunks: Iterator[bytes]) -> Iterator[Item]:
    """The objects of a file, in order, with the memory of one.

    Each line of JSON Lines is a piece, whatever it holds. An array is read up to where it is damaged.
    """
    begin, chunks = _beginning(chunks)
    if _is_one_object_a_line(begin.lstrip()):
        yield from _of_lines(chunks)
    else:
        yield from _Scanner(chunks).items()


def _beginning(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """What a file begins with, and all of its chunks again, with the error where the first ones raise one."""
    begin = b""
    try:
        for chunk in chunks:
            begin += chunk
            if begin.strip():
                break
    except Unreadable as error:
        return begin, _torn(begin, error)
    return begin, chain([begin], chunks) if begin else chunks


def _torn(begin: bytes, error: Unreadable) -> Iterator[bytes]:
    if begin:
        yield begin
    raise error


def _is_one_object_a_line(text: bytes) -> bool:
    """Whether what begins so is JSON Lines; an object that is spread over lines has a bracket or a comma at their ends.

    A first line that is half or something else does not cost the objects on the lines after it.
    """
    first, _, rest = text.partition(b"\n")
    if first.startswith(b"{"):
        return not first.rstrip().endswith((b"{", b"[", b","))
    return not first.startswith(b"[") and rest.lstrip().startswith(b"{")


def _of_lines(chunks: Iterator[bytes]) -> Iterator[Item]:
    number = 0
    try:
        for number, line in enumerate(lines(chunks), 1):
            if line is None:
                yield Item(number, b"", too_long("it"))
            elif line.strip():
                yield Item(number, line)
    except Unreadable as error:
        yield Item(number + 1, b"", str(error), ends=True)


class _Scanner:
    """Finds where objects begin and end without decoding them."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""
        self._line = 1
        self._number = 0

    def items(self) -> Iterator[Item]:
        """The objects outside of everything, and whatever is in an array; arrays may follow each other."""
        try:
            yield from self._items()
        except Unreadable as error:
            yield self._ending(str(error))

    def _items(self) -> Iterator[Item]:
        arrays = 0
        while self._skip_between():
            mark = self._buffer[:1]
            if (mark == b"[" and arrays < ARRAYS_MAX) or (mark == b"]" and arrays > 0):
                arrays += 1 if mark == b"[" else -1
                self._drop(1)
            elif mark == b"{" or arrays:
                end = self._end_of_value()
                if end is None:
                    yield self._ending("the file ends in the middle of an object")
                    return
                self._number += 1
                yield Item(self._line, self._buffer[:end], number=self._number)
                self._drop(end)
            else:
                yield self._ending(f"an object was expected, and there is {self._buffer[:20]!r}")
                return
        if arrays:
            yield self._ending("the file ends before its array does")

    def _ending(self, flaw: str) -> Item:
        return Item(self._line, b"", flaw, ends=True, number=self._number + 1 if self._number else None)

    def _skip_between(self) -> bool:
        """Go to the next thing that matters; false at the end of the file."""
        while True:
            found = _BETWEEN.match(self._buffer)
            self._drop(found.end() if found else 0)
            if self._buffer:
                return True
            if not self._more():
                return False

    def _end_of_value(self) -> int | None:
        """Where the value ends that the buffer begins with; none where the file ends before."""
        if self._buffer[:1] not in (b"{", b"[", b'"'):
            return self._end_of_scalar()
        depth = position = 0
        while (position := self._next_mark(position)) >= 0:
            mark = self._buffer[position : position + 1]
            position += 1
            if mark == b'"':
                position = self._end_of_string(position)
                if position < 0:
                    return None
            else:
                depth += 1 if mark in (b"{", b"[") else -1
            if depth == 0:
                return position
        return None

    def _end_of_scalar(self) -> int:
        """Where a number or a word ends, or whatever stands in its place; at least one byte."""
        while True:
            found = _SCALAR.match(self._buffer)
            if found is None:
                return 1
            if found.end() < len(self._buffer) or not self._more():
                return found.end()

    def _next_mark(self, position: int) -> int:
        """Where the next bracket or quote is; -1 where there is none any more."""
        while (found := _MARK.search(self._buffer, position)) is None:
            position = len(self._buffer)
            if not self._more():
                return -1
        return found.start()

    def _end_of_string(self, position: int) -> int:
        """Where the string ends whose first character is at a position; -1 where the file ends before."""
        while True:
            found = _IN_STRING.match(self._buffer, position)
            position = found.end() if found else position
            if self._buffer[position : position + 1] == b'"':
                return position + 1
            if not self._more():
                return -1

    def _more(self) -> bool:
        """Take in the next chunk; false at the end. Raises ``Unreadable`` where an object is too large or the file torn."""
        if len(self._buffer) > LINE_BYTES_MAX:
            raise Unreadable(f"{too_long('an object')}; is this the right kind of file?")
        chunk = next(self._chunks, b"")
        self._buffer += chunk
        return bool(chunk)

    def _drop(self, size: int) -> None:
        self._line += self._buffer.count(b"\n", 0, size)
        self._buffer = self._buffer[size:]
