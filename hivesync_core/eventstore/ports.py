"""What the Log needs of a store: to append the events of a command, and to read a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from hivesync_core.eventstore.records import Append, Appended, Idempotency
from hivesync_core.kernel.event import Recorded


class EventAppender(Protocol):
    """Appends the events of one command, all or none, and knows the answers to earlier commands by their keys."""

    async def append(self, append: Append) -> Appended:
        """Store the events durably and in order.

        Raises ``VersionConflict``, ``IdempotencyKeyReused``, ``StoreBusy`` or ``StoreUnavailable``.
        """
        ...

    async def find_answer(self, idempotency: Idempotency) -> Appended | None:
        """What an earlier command with this key was answered; raises ``IdempotencyKeyReused`` for another command's."""
        ...


class StreamReader(Protocol):
    """Reads single streams."""

    async def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> Sequence[Recorded]:
        """The events of a stream in order, those after a version; raises ``StoreUnavailable``."""
        ...
