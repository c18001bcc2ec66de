"""Finds out where a history log ends: cuts off what a crash left half written, and refuses what is no copy of the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from projections.history_file.file import HistoryFile, HistoryFileRefused, Tail

CHECKED_BYTES = 8 * 1024 * 1024
"""The end of the file that is compared with the log at the start: more than a crash of the machine can touch."""

COMPARED_AT_ONCE = 1_000

LinesOf = Callable[[int, int], Awaitable[Sequence[bytes]]]
"""The lines that the log gives for the positions after the first number up to the second."""

_REMEDY = "Move the file away: a whole one is written from the log by itself."


class _Place(msgspec.Struct):
    """What a line says of its place."""

    position: int


async def recover(file: HistoryFile, lines_of: LinesOf, *, checked_bytes: int = CHECKED_BYTES) -> int:
    """The position of the last event in the file, after which it ends with a whole line of this log.

    What a crash can leave is cut off: a line without its end, and blocks of zeros that the disk never received. What
    no crash leaves is refused: raises ``HistoryFileRefused`` and changes nothing.
    """
    await _check_beginning(file, lines_of)
    tail = _without_holes(file.tail(checked_bytes))
    while tail.offset and not tail.lines:
        file.cut(tail.offset)
        tail = _without_holes(file.tail(checked_bytes))
    size = tail.offset + sum(len(line) for line in tail.lines)
    if not tail.lines:
        file.cut(size)
        return 0
    first, last = _position(file, tail.lines[0]), _position(file, tail.lines[-1])
    if last - first + 1 != len(tail.lines):
        raise _refused(file, f"its last {len(tail.lines)} lines run from position {first} to {last}: some are missing")
    for start in range(0, len(tail.lines), COMPARED_AT_ONCE):
        lines = tail.lines[start : start + COMPARED_AT_ONCE]
        expected = await lines_of(first + start - 1, first + start - 1 + len(lines))
        for number, line in enumerate(lines):
            if number >= len(expected):
                raise _refused(file, f"it goes on to position {last}, and the log ends at {first + start + number - 1}")
            if line != expected[number]:
                raise _refused(file, f"the event at position {first + start + number} is not the one in the log")
    file.cut(size)
    return last


async def _check_beginning(file: HistoryFile, lines_of: LinesOf) -> None:
    """The first line must be the log's first, or the beginning of it that a crash left."""
    found = file.first_line()
    written = found.rstrip(b"\0")
    if not written:
        return
    expected = [*await lines_of(0, 1), b""][0]
    is_torn = not written.endswith(b"\n") and expected.startswith(written)
    if written != expected and not is_torn:
        raise _refused(file, "its first line is not the first event of this log")


def _without_holes(tail: Tail) -> Tail:
    """The lines before the first one with a zero byte in it: JSON never holds one, a block that was lost does."""
    for number, line in enumerate(tail.lines):
        if b"\0" in line:
            return Tail(tail.offset, tail.lines[:number])
    return tail


def _position(file: HistoryFile, line: bytes) -> int:
    try:
        return msgspec.json.decode(line, type=_Place).position
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(file, f"a line near its end is no event ({error})") from error


def _refused(file: HistoryFile, what: str) -> HistoryFileRefused:
    return HistoryFileRefused(f"{file.path} is no copy of this log: {what}. {_REMEDY}")
