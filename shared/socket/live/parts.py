"""What messages in several directions are made of: numbers, digests, and places in a text as LSP has them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0, le=(1 << 53) - 1)]
_Place = Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
"""The SHA-256 of a text in UTF-8, in hex."""


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A place in a text, as in LSP: ``character`` counts UTF-16 code units."""

    line: _Place
    character: _Place


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """From a position up to another, which is not part of it."""

    start: Position
    end: Position


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Put ``text`` in the place of ``range``."""

    range: Range
    text: str
