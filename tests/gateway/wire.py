"""A connection that outboxes write to in tests: it keeps what it is given."""

from __future__ import annotations


class Wire:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.paused = False
        self.is_open = True
        self.writes: list[bytes] = []

    def write_frames(self, frames: bytes) -> None:
        """Keep it."""
        self.writes.append(frames)

    async def drained(self) -> None:
        """It is always."""
