"""What was changed between two texts, as few and small changes as can be found in bounded time.

Changes are those of the Language Server Protocol: each range is in the text that the changes before it have left. They
are given from the end of the text to its beginning, so that each one's range is that of the old text as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from hivesync_core.live.document import split_lines, utf16_length
from shared.socket.live import Change, Position, Range
from shared.socket.live_limits import CHANGES_MAX

COMPARED_LINES_MAX: Final = 4_000
"""Lines on either side that are compared with each other; more that changed at once are replaced whole."""


def changes_between(old: str, new: str) -> tuple[Change, ...]:
    """The changes that make ``new`` of ``old``; none where they are the same."""
    before, after = split_lines(old), split_lines(new)
    top = _common(before, after)
    bottom = _common(before[top:][::-1], after[top:][::-1])
    changed, made = before[top : len(before) - bottom], after[top : len(after) - bottom]
    if not changed and not made:
        return ()
    blocks = [
        _replacement(before, top + at, end, after, top + to, stop) for at, end, to, stop in _blocks(changed, made, top)
    ]
    if len(blocks) > CHANGES_MAX:
        blocks = [_replacement(before, top, len(before) - bottom, after, top, len(after) - bottom)]
    return tuple(blocks[::-1])


def _blocks(changed: list[str], made: list[str], top: int) -> list[tuple[int, int, int, int]]:
    """Which lines became which: where they begin in what changed, and the ends in the whole texts."""
    if max(len(changed), len(made)) > COMPARED_LINES_MAX or not changed or not made:
        return [(0, top + len(changed), 0, top + len(made))]
    codes = SequenceMatcher(None, changed, made, autojunk=False).get_opcodes()
    return [(at, top + end, to, top + stop) for tag, at, end, to, stop in codes if tag != "equal"]


def _replacement(before: list[str], at: int, end: int, after: list[str], to: int, stop: int) -> Change:
    """The change that makes the lines ``after[to:stop]`` of the lines ``before[at:end]``, without what they share."""
    old, new = "".join(before[at:end]), "".join(after[to:stop])
    start = _common(old, new)
    rest = _common(old[start:][::-1], new[start:][::-1])
    start, rest = _between_characters(old, new, start, rest)
    position = _Positions(before, at)
    return Change(Range(position.of(old, start), position.of(old, len(old) - rest)), new[start : len(new) - rest])


def _between_characters(old: str, new: str, start: int, rest: int) -> tuple[int, int]:
    """The same places, or less in common, so that none is between a CR and its LF: there is no such position."""
    while start and any(text[start - 1] == "\r" and text[start : start + 1] == "\n" for text in (old, new)):
        start -= 1
    while rest and any(len(text) > rest and text[-rest] == "\n" and text[-rest - 1] == "\r" for text in (old, new)):
        rest -= 1
    return start, rest


class _Positions:
    """Places in lines of a text from a line on."""

    def __init__(self, lines: list[str], first: int) -> None:
        self._lines, self._first = lines, first

    def of(self, text: str, offset: int) -> Position:
        """The position at ``offset`` of ``text``, which begins at the first line."""
        lines = split_lines(text[:offset])
        number = self._first + len(lines) - 1
        if number < len(self._lines):
            return Position(number, utf16_length(lines[-1]))
        # Beyond the last line: the end of the text.
        last = self._lines[-1]
        return Position(len(self._lines) - 1, utf16_length(last))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines or characters at the beginning are the same."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count
