"""What a grammar makes of a file, in the form in which two files are compared."""

from __future__ import annotations

from typing import NamedTuple

HIDDEN = -1
"""The kind of a pseudo-token: bytes that are no blanks and that no leaf of the tree covers (parts of strings, say)."""


class Syntax(NamedTuple):
    """``tokens`` are (kind, start, end) in bytes; ``shape`` is (depth, kind) of every node but comments, in pre-order."""

    errors: int
    error_ranges: list[tuple[int, int]]
    tokens: list[tuple[int, int, int]]
    shape: list[tuple[int, int]]
    comments: list[tuple[int, int]]
    closed: list[tuple[int, int]]
    """Literals that hold expressions, into which nothing may be put though their grammar would allow it."""
