"""What the event store answers when it does not store a command."""

from __future__ import annotations

from uuid import UUID


class StoreError(Exception):
    """A command was not stored; nothing of it was."""


class VersionConflict(StoreError):
    """Another command appended to one of the streams since it was read: read again, decide again."""


class IdempotencyKeyReused(StoreError):
    """The idempotency key was used for another command."""


class StoreBusy(StoreError):
    """More commands are waiting than the queue holds; try again in a second."""


class StoreUnavailable(StoreError):
    """The database does not answer; whether a command that was under way is stored is settled when it does."""


class UnexpectedVersion(StoreError):
    """The stream is not at the version that the command was made for."""

    def __init__(self, stream_id: UUID, expected: int, actual: int) -> None:
        super().__init__(f"stream {stream_id} is at version {actual}, the command expects {expected}")
        self.stream_id, self.expected, self.actual = stream_id, expected, actual


class UnknownTopic(StoreError):
    """A stored event has a topic that this version of HiveSync does not know."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"no event with the topic {topic!r} is known here: it was stored by a newer version")
        self.topic = topic


class Undecodable(StoreError):
    """A stored event's payload does not have the shape that its topic says."""
