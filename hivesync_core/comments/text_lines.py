"""A file's lines, which end at LF or CRLF and nowhere else."""

from __future__ import annotations

from bisect import bisect_right

BOM = b"\xef\xbb\xbf"


class Lines:
    """The lines of ``source``: where each starts, its bytes without its line end, and that line end. 1-based."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        first = len(BOM) if source.startswith(BOM) else 0
        self.starts = [first]
        found = source.find(b"\n", first)
        while found >= 0:
            self.starts.append(found + 1)
            found = source.find(b"\n", found + 1)
        if self.starts[-1] == len(source):
            self.starts.pop()

    def __len__(self) -> int:
        return len(self.starts)

    def start(self, line: int) -> int:
        """Where ``line`` starts; the line after the last one starts at the end."""
        return self.starts[line - 1] if line <= len(self.starts) else len(self.source)

    def raw(self, line: int) -> bytes:
        """The line with its line end."""
        return self.source[self.start(line) : self.start(line + 1)]

    def text(self, line: int) -> bytes:
        """The line without its line end."""
        raw = self.raw(line)
        if raw.endswith(b"\r\n"):
            return raw[:-2]
        return raw.removesuffix(b"\n")

    def end_of_line(self, line: int) -> bytes:
        """The line end of ``line``, or of the nearest line before it that has one; LF for a file of one line."""
        while 1 <= line <= len(self):
            raw = self.raw(line)
            if raw.endswith(b"\r\n"):
                return b"\r\n"
            if raw.endswith(b"\n"):
                return b"\n"
            line -= 1
        return b"\n"

    def indentation(self, line: int) -> bytes:
        """The blanks and tabs that ``line`` starts with."""
        text = self.text(line)
        return text[: len(text) - len(text.lstrip(b" \t"))]

    def at(self, offset: int) -> int:
        """The line that holds byte ``offset``."""
        return max(1, bisect_right(self.starts, offset))
