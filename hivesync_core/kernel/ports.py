"""The two things the rules may not do themselves: read a clock and invent an identifier."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Answers the current time."""

    def __call__(self) -> datetime:
        """The time now, with the time zone UTC and microseconds."""
        ...


class IdSource(Protocol):
    """Invents identifiers."""

    def __call__(self) -> UUID:
        """A new UUID of version 7 (RFC 9562): later ones sort after earlier ones."""
        ...
