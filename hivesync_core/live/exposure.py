"""Which lines of a file were shown while it was edited: ranges of lines that move with the edits, and merge."""

from __future__ import annotations

from collections.abc import Iterable

from hivesync_core.live.document import split_lines
from shared.socket.live import Change

LineRange = tuple[int, int]
"""The first line and the last, counted from one as people do."""


class ShownLines:
    """Lines of one file that were sent since it was last asked, by their numbers in the text as it is now."""

    __slots__ = ("_ranges",)

    def __init__(self, ranges: Iterable[LineRange] = ()) -> None:
        self._ranges = list(ranges)

    def show(self, first: int, last: int) -> None:
        """Lines were sent."""
        self._ranges = _merged([*self._ranges, (first, last)])

    def change(self, changes: Iterable[Change]) -> None:
        """A change was sent: what it put in was shown, and what was shown before has moved."""
        for change in changes:
            first, last = change.range.start.line + 1, change.range.end.line + 1
            end = first + len(split_lines(change.text)) - 1
            moved = [_moved(shown, first, last, end - last) for shown in self._ranges]
            self._ranges = _merged([*(shown for shown in moved if shown is not None), (first, end)])

    def take(self) -> tuple[LineRange, ...]:
        """The ranges, in order and apart from each other; begin anew."""
        ranges, self._ranges = tuple(self._ranges), []
        return ranges

    def __bool__(self) -> bool:
        return bool(self._ranges)


def _moved(shown: LineRange, first: int, last: int, by: int) -> LineRange | None:
    """Where shown lines are after lines ``first`` to ``last`` have become ``by`` lines more; none where they are gone."""
    begin, end = shown
    if end < first:
        return shown
    if begin > last:
        return begin + by, end + by
    begin, end = min(begin, first), max(last, end) + by
    return (begin, end) if end >= begin else None


def _merged(ranges: list[LineRange]) -> list[LineRange]:
    merged: list[LineRange] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
