"""The JSON objects of a file, one by one: a line each (JSON Lines), or in an array, however long it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from adapters.imports.unpacking import LINE_BYTES_MAX, Unreadable, lines

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}\[\]"]', re.DOTALL)
"""What the structure of JSON depends on: a whole string, a bracket, or a quote whose string has not ended yet."""

_BETWEEN = re.compile(rb"[\s,]*")


class Item(NamedTuple):
    """A piece of the file and the line that it begins on; with a ``flaw``, why nothing can be read from there on."""

    line: int
    raw: bytes
    flaw: str = ""


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
    """Whether what begins so is JSON Lines; an object that is spread over lines has a bracket or a comma at their ends."""
    first = text.partition(b"\n")[0].rstrip()
    return first.startswith(b"{") and not first.endswith((b"{", b"[", b","))


def _of_lines(chunks: Iterator[bytes]) -> Iterator[Item]:
    number = 0
    try:
        for number, line in enumerate(lines(chunks), 1):
            if line.strip():
                yield Item(number, line)
    except Unreadable as error:
        yield Item(number + 1, b"", str(error))


class _Scanner:
    """Finds where objects begin and end without decoding them."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""
        self._line = 1

    def items(self) -> Iterator[Item]:
        """The objects outside of everything or directly in an array; arrays may follow each other."""
        try:
            yield from self._items()
        except Unreadable as error:
            yield Item(self._line, b"", str(error))

    def _items(self) -> Iterator[Item]:
        arrays = 0
        while self._skip_between():
            mark = self._buffer[:1]
            if mark == b"{":
                end = self._end_of_object()
                if end is None:
                    yield Item(self._line, b"", "the file ends in the middle of an object")
                    return
                yield Item(self._line, self._buffer[:end])
                self._drop(end)
            elif mark in (b"[", b"]") and 0 <= (arrays := arrays + (1 if mark == b"[" else -1)) <= 1:
                self._drop(1)
            else:
                yield Item(self._line, b"", f"an object was expected, and there is {self._buffer[:20]!r}")
                return
        if arrays:
            yield Item(self._line, b"", "the file ends before its array does")

    def _skip_between(self) -> bool:
        """Go to the next thing that matters; false at the end of the file."""
        while True:
            found = _BETWEEN.match(self._buffer)
            self._drop(found.end() if found else 0)
            if self._buffer:
                return True
            if not self._more():
                return False

    def _end_of_object(self) -> int | None:
        """Where the object ends that the buffer begins with; none where the file ends before."""
        depth = position = 0
        while True:
            found = _TOKEN.search(self._buffer, position)
            if found is None or found[0] == b'"':
                # A string without its end, or nothing: look again from here when there is more.
                position = found.start() if found else len(self._buffer)
                if not self._more():
                    return None
                continue
            position = found.end()
            if found[0] in (b"{", b"["):
                depth += 1
            elif found[0] in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    return position

    def _more(self) -> bool:
        """Take in the next chunk; false at the end. Raises ``Unreadable`` where an object is too large or the file torn."""
        if len(self._buffer) > LINE_BYTES_MAX:
            raise Unreadable(f"an object has more than {LINE_BYTES_MAX} bytes; is this the right kind of file?")
        chunk = next(self._chunks, b"")
        self._buffer += chunk
        return bool(chunk)

    def _drop(self, size: int) -> None:
        self._line += self._buffer.count(b"\n", 0, size)
        self._buffer = self._buffer[size:]
