"""Where a line went when its file was changed: by the line itself and what stands around it, and only when there is no doubt."""

from __future__ import annotations

from collections.abc import Sequence

CONTEXT_LINES_MAX = 3


def rebind(old_source: bytes, new_source: bytes, line: int) -> int | None:
    """The 1-based line of ``new_source`` that ``line`` of ``old_source`` became; None where that is not certain.

    A line is found again by its bytes (line ends aside) and those of its neighbours above and below. It is certain where
    exactly one line of the new file fits with the widest context that fits anywhere, and exactly one of the old file had
    that context: a line that stands twice with the same neighbours is never guessed at. The ends of a file are no
    neighbours, since something may have been put before or behind.
    """
    old, new = _lines(old_source), _lines(new_source)
    if not 1 <= line <= len(old):
        return None
    if old == new:
        return line
    for width in range(CONTEXT_LINES_MAX, 0, -1):
        for above, below in ((width, width), (width, 0), (0, width)):
            wanted = _context(old, line - 1, above, below)
            found = _places(new, old[line - 1], wanted)
            if found and any(row.strip() for row in wanted.values()):
                return found[0] + 1 if len(found) == 1 == len(_places(old, old[line - 1], wanted)) else None
    alone = _places(new, old[line - 1], {})
    is_unique = len(alone) == 1 == len(_places(old, old[line - 1], {})) and bool(old[line - 1].strip())
    return alone[0] + 1 if is_unique else None


def _lines(source: bytes) -> list[bytes]:
    lines = source.replace(b"\r\n", b"\n").split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    return lines


def _context(lines: Sequence[bytes], at: int, above: int, below: int) -> dict[int, bytes]:
    """The lines around ``at`` by their distance."""
    near = (distance for distance in range(-above, below + 1) if distance and 0 <= at + distance < len(lines))
    return {distance: lines[at + distance] for distance in near}


def _places(lines: Sequence[bytes], line: bytes, wanted: dict[int, bytes]) -> list[int]:
    """Where ``line`` stands with the neighbours that are ``wanted``."""
    return [
        at
        for at, found in enumerate(lines)
        if found == line
        and all(0 <= at + distance < len(lines) and lines[at + distance] == near for distance, near in wanted.items())
    ]
