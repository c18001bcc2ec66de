"""The exact unified diff of a file before and after: what `git apply` and `patch` make the one into the other with."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import NamedTuple

CONTEXT_LINES = 3
_NO_NEWLINE = b"\n\\ No newline at end of file\n"


class _Change(NamedTuple):
    """Old lines ``i1:i2`` become new lines ``j1:j2``; both 0-based."""

    i1: int
    i2: int
    j1: int
    j2: int


def unified_diff(path: str, before: bytes, after: bytes) -> bytes:
    """The diff in git's form, in bytes, since line ends are part of it; empty where nothing differs.

    ``path`` is relative, with ``/``. Lines end at LF alone, as git and patch see them: a CR stays in its line.
    """
    if before == after:
        return b""
    old, new = _lines(before), _lines(after)
    written = [_name(b"--- ", "a/" + path), _name(b"+++ ", "b/" + path)]
    for group in _grouped(_insertions(old, new) or _changes(old, new)):
        written += _hunk(group, old, new)
    return b"".join(written)


def _lines(text: bytes) -> list[bytes]:
    lines = text.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _insertions(old: list[bytes], new: list[bytes]) -> list[_Change]:
    """The changes, where ``new`` is ``old`` with lines put in; empty where it is not. Linear in the length."""
    changes: list[_Change] = []
    at = 0
    for position, line in enumerate(new):
        if at < len(old) and line == old[at]:
            at += 1
        elif changes and changes[-1].j2 == position and changes[-1].i1 == at:
            changes[-1] = changes[-1]._replace(j2=position + 1)
        else:
            changes.append(_Change(at, at, position, position + 1))
    return changes if at == len(old) else []


def _changes(old: list[bytes], new: list[bytes]) -> list[_Change]:
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [_Change(*places) for tag, *places in codes if tag != "equal"]


def _grouped(changes: list[_Change]) -> list[list[_Change]]:
    """Changes whose context would touch share a hunk."""
    groups: list[list[_Change]] = []
    for change in changes:
        if groups and change.i1 - groups[-1][-1].i2 <= 2 * CONTEXT_LINES:
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _hunk(group: list[_Change], old: list[bytes], new: list[bytes]) -> list[bytes]:
    first, last = group[0], group[-1]
    before = min(CONTEXT_LINES, first.i1)
    begin, end = first.i1 - before, min(len(old), last.i2 + CONTEXT_LINES)
    new_begin, new_end = first.j1 - before, last.j2 + end - last.i2
    written = [b"@@ -%s +%s @@\n" % (_range(begin, end), _range(new_begin, new_end))]
    at = begin
    for change in group:
        written += [_row(b" ", line) for line in old[at : change.i1]]
        written += [_row(b"-", line) for line in old[change.i1 : change.i2]]
        written += [_row(b"+", line) for line in new[change.j1 : change.j2]]
        at = change.i2
    return written + [_row(b" ", line) for line in old[at:end]]


def _range(begin: int, end: int) -> bytes:
    """A range counts from 1, an empty one from the line before it; a length of 1 is left out."""
    length = end - begin
    return b"%d" % (begin + 1) if length == 1 else b"%d,%d" % (begin + (length > 0), length)


def _row(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + _NO_NEWLINE


def _name(mark: bytes, path: str) -> bytes:
    """A name with signs that git quotes is quoted as git does; one with blanks gets the tab that ends it."""
    raw = path.encode("utf-8", "surrogateescape")
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in raw):
        return mark + raw + (b"\t\n" if b" " in raw else b"\n")
    quoted = b"".join(b"\\%c" % byte if byte in b'"\\' else bytes([byte]) if 0x20 <= byte < 0x7F else b"\\%03o" % byte
                      for byte in raw)  # fmt: skip
    return mark + b'"' + quoted + b'"\n'
