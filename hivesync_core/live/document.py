"""A text that is changed by ranges in UTF-16 code units, as editors name them; what does not fit changes nothing.

Lines end with CR LF, LF or CR, and with nothing else (LSP 3.17, "Text Documents"). A position beyond the end of its
line, between CR and LF, or inside a surrogate pair does not fit: it is refused, never moved to where it might be meant.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Literal

from shared.socket.live import Change, Position, Range

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_ASTRAL = "\U00010000"

Fault = Literal["version", "range", "digest", "too_large"]


class DoesNotFit(Exception):
    """A change that does not belong to this text; nothing of it was made."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class Document:
    """A file's text at a version of its editor's."""

    __slots__ = ("_lines", "_text", "size_bytes", "version")

    def __init__(self, text: str, version: int = 0) -> None:
        self._lines = split_lines(text)
        self._text: str | None = text
        self.size_bytes = utf8_length(text)
        self.version = version

    @property
    def text(self) -> str:
        """The whole text; put together once for all who ask between two changes."""
        if self._text is None:
            self._text = "".join(self._lines)
        return self._text

    @property
    def line_count(self) -> int:
        """How many lines there are; an empty text has one."""
        return len(self._lines)

    @property
    def sha256(self) -> str:
        """The digest of the text in UTF-8, in hex."""
        return digest_of(self.text)

    def apply(
        self,
        base_version: int,
        version: int,
        changes: Sequence[Change],
        sha256_after: str | None = None,
        *,
        bytes_max: int | None = None,
    ) -> None:
        """Make the changes, one after the other; all of them, or none where it raises ``DoesNotFit``."""
        if base_version != self.version:
            raise DoesNotFit("version", f"the text is at version {self.version}, not {base_version}")
        if version <= base_version:
            raise DoesNotFit("version", f"version {version} does not come after {base_version}")
        lines, size = self._changed(changes)
        text: str | None = None
        if bytes_max is not None and size > bytes_max:
            raise DoesNotFit("too_large", f"the text would have {size} bytes, {bytes_max} are the most")
        if sha256_after is not None:
            text = "".join(lines)
            if digest_of(text) != sha256_after:
                raise DoesNotFit("digest", "the text is another one after the change")
        self._lines, self._text, self.size_bytes, self.version = lines, text, size, version

    def _changed(self, changes: Sequence[Change]) -> tuple[list[str], int]:
        """The lines after the changes, as a list of their own, and their bytes."""
        lines, size = list(self._lines), self.size_bytes
        for change in changes:
            first, end, new = _replacement(lines, change)
            size += utf8_length(new) - sum(map(utf8_length, lines[first:end]))
            pieces = split_lines(new)
            if end < len(lines):
                pieces.pop()
            lines[first:end] = pieces
        return lines, size

    def change_at(self, start: int, deleted: int, inserted: str) -> Change:
        """The change that puts ``inserted`` in the place of ``deleted`` code points from ``start`` on.

        Where that would cut a CR LF in two, the rest of it is replaced by itself. Raises ``IndexError`` beyond the end.
        """
        ends = list(accumulate(map(len, self._lines)))
        end = start + deleted
        if start < 0 or deleted < 0 or end > ends[-1]:
            raise IndexError(f"{deleted} characters from {start} on are beyond the end")
        before = after = ""
        if self._cuts_line_end(ends, start):
            start, before = start - 1, "\r"
        if self._cuts_line_end(ends, end):
            end, after = end + 1, "\n"
        return Change(Range(self._position(ends, start), self._position(ends, end)), before + inserted + after)

    def _cuts_line_end(self, ends: list[int], offset: int) -> bool:
        number = min(bisect_right(ends, offset), len(ends) - 1)
        return offset == ends[number] - 1 and self._lines[number].endswith("\r\n")

    def _position(self, ends: list[int], offset: int) -> Position:
        number = min(bisect_right(ends, offset), len(ends) - 1)
        start = ends[number - 1] if number else 0
        return Position(number, utf16_length(self._lines[number][: offset - start]))


def _replacement(lines: list[str], change: Change) -> tuple[int, int, str]:
    """The first line that a change touches, the line after the last, and the text that comes in their place."""
    start, end = change.range.start, change.range.end
    first, last = start.line, end.line
    if last >= len(lines) or first > last:
        raise DoesNotFit("range", f"lines {first} to {last} are not in a text of {len(lines)}")
    begin, stop = _index(lines[first], start), _index(lines[last], end)
    if first == last and begin > stop:
        raise DoesNotFit("range", "the range ends before it begins")
    new = lines[first][:begin] + change.text + lines[last][stop:]
    if first and new.startswith("\n") and lines[first - 1].endswith("\r"):
        # A CR that stood alone has got its LF: the two are one line's end.
        first -= 1
        new = lines[first] + new
    return first, last + 1, new


def _index(line: str, position: Position) -> int:
    """Where a position is in its line, in code points."""
    character = position.character
    content = line.rstrip("\r\n")
    if content.isascii() or max(content) < _ASTRAL:
        if character <= len(content):
            return character
    else:
        units = content.encode("utf-16-le")
        if character * 2 <= len(units):
            try:
                return len(units[: character * 2].decode("utf-16-le"))
            except UnicodeDecodeError:
                raise DoesNotFit("range", "a position is inside a surrogate pair") from None
    raise DoesNotFit("range", f"character {character} is beyond the end of line {position.line}")


def split_lines(text: str) -> list[str]:
    """The lines with their ends; the last has none, and may be empty."""
    if "\r" not in text:
        lines = [line + "\n" for line in text.split("\n")]
        lines[-1] = lines[-1][:-1]
        return lines
    lines = _LINE.findall(text)
    if not lines or lines[-1].endswith(("\r", "\n")):
        lines.append("")
    return lines


def utf8_length(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def utf16_length(text: str) -> int:
    """UTF-16 code units of a text."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def digest_of(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hex."""
    return sha256(text.encode()).hexdigest()
