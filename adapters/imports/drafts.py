"""What readers of other systems' files make of them: drafts of tasks, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from hivesync_core.tasks.importing import ForeignTask


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A task as a file tells it, and the line that it begins on."""

    line: int
    task: ForeignTask


class Flaw(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one piece of a file; ``field`` is a column or a path in the piece, none for all of it.

    After one that ``ends`` the file nothing more of it can be read. ``more`` is one of a piece that had one before.
    """

    line: int
    cause: str
    field: str | None = None
    ends: bool = False
    more: bool = False


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A piece that was not asked for."""

    line: int


Piece: TypeAlias = Draft | Flaw | Skipped
Pieces: TypeAlias = Iterator[Piece]
