"""The stored form of an event, and the hash chain over it.

The chain is defined so that an auditor can recompute it with any language's SHA-256: the text of an event is its
eleven fields, one a line, and its hash is SHA-256 over the previous event's hash (32 bytes, zeros before the first)
followed by that text in UTF-8. All fields but the last exclude line feeds, so the text has one reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from hivesync_core.kernel.event import Meta

GENESIS_HASH = bytes(32)
"""The hash before the first event."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class NewEvent(StoredEvent):
    """An event that is about to be stored; ``state`` is JSON in UTF-8."""

    meta: Meta


@dataclass(frozen=True)
class StoredRecord(Notification):
    """An event as it lies in the store; ``id`` is its position, ``hash`` its link in the chain (32 bytes)."""

    meta: Meta
    hash: bytes


class Idempotency(NamedTuple):
    """A command's idempotency key: the same key and fingerprint are the same command.

    ``scope`` is the account that the key belongs to, ``fingerprint`` the SHA-256 of what was asked.
    """

    scope: str
    key: str
    fingerprint: bytes


class Append(NamedTuple):
    """The events of one command, stored together or not at all."""

    events: tuple[NewEvent, ...]
    idempotency: Idempotency | None = None
    answer: str = ""
    """What a repetition of the command is answered, kept with the idempotency key."""


class Appended(NamedTuple):
    """What became of an append: the positions of its first and last event.

    ``replayed`` says that an earlier command with the same key stands, and ``answer`` is what that one was answered.
    Without events both positions are the head of the log.
    """

    first_position: int
    last_position: int
    replayed: bool = False
    answer: str = ""


def epoch_microseconds(time: datetime) -> int:
    """Microseconds since 1970-01-01T00:00:00Z of a time with a time zone."""
    return (time - _EPOCH) // _MICROSECOND


def from_epoch_microseconds(microseconds: int) -> datetime:
    """The UTC time that lies so many microseconds after 1970-01-01T00:00:00Z."""
    return _EPOCH + timedelta(microseconds=microseconds)


def canonical_text(position: int, event: StoredEvent, meta: Meta) -> bytes:
    """The bytes that an event's hash is taken over, after the previous hash."""
    head = (
        f"{position}\n{event.originator_id}\n{event.originator_version}\n{event.topic}\n{meta.event_id}\n"
        f"{epoch_microseconds(meta.recorded_at)}\n{meta.actor}\n{meta.correlation_id}\n"
        f"{meta.causation_id or ''}\n{meta.command_id}\n"
    )
    return head.encode() + event.state


def chain_hash(previous: bytes, position: int, event: StoredEvent, meta: Meta) -> bytes:
    """The link of an event: SHA-256 over the previous link and the event's canonical text."""
    return sha256(previous + canonical_text(position, event, meta)).digest()


def first_broken_link(records: Iterable[StoredRecord], previous: bytes = GENESIS_HASH) -> int | None:
    """The position of the first record whose hash does not follow from the one before, or none."""
    for record in records:
        if record.hash != chain_hash(previous, record.id, record, record.meta):
            return record.id
        previous = record.hash
    return None


def stream_prefix(topic: str) -> str:
    """The kind of stream that a topic belongs to: ``task`` for ``task.help_claimed.v1``."""
    return topic.split(".", 1)[0]


def originator(event: StoredEvent) -> UUID:
    """The stream of a stored event as a UUID (the library allows text as well; HiveSync stores UUIDs only)."""
    assert isinstance(event.originator_id, UUID)
    return event.originator_id
