"""Logs to tamper with: events as they lie in the store, with their chain of hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from hivesync_core.eventstore.records import GENESIS_HASH, StoredRecord, canonical_text, chain_hash
from hivesync_core.kernel.event import Meta
from hivesync_core.proof.checkpoint import Checkpoint, SignedCheckpoint, sign_checkpoint
from hivesync_core.proof.evidence import Row
from hivesync_core.proof.note import SigningKey
from hivesync_core.proof.tree import leaf_hash, root_of

KEY = SigningKey("log.example/hivesync", bytes(range(32)))
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def make_log(size: int, seed: int = 1) -> list[StoredRecord]:
    """A log of so many events of a few streams, chained."""
    random = Random(seed)
    streams = [UUID(int=random.getrandbits(128)) for _ in range(max(1, size // 10))]
    versions = dict.fromkeys(streams, 0)
    records = []
    for position in range(1, size + 1):
        stream = random.choice(streams)
        versions[stream] += 1
        meta = Meta(
            event_id=UUID(int=random.getrandbits(128)),
            recorded_at=STARTED + timedelta(microseconds=position * 1_234_567),
            actor=str(UUID(int=random.getrandbits(128))),
            correlation_id=UUID(int=random.getrandbits(128)),
            causation_id=UUID(int=random.getrandbits(128)) if random.random() < 0.5 else None,
            command_id=UUID(int=random.getrandbits(128)),
        )
        state = b'{"type":"task.commented.v1","text":"Comment %d, \xc3\xa4 \\"quoted\\", =1+1"}' % position
        records.append(
            StoredRecord(stream, versions[stream], "task.commented.v1", state, id=position, meta=meta, hash=b"")
        )
    return rechained(records)


def rechained(records: Sequence[StoredRecord], previous: bytes = GENESIS_HASH) -> list[StoredRecord]:
    """The records with every hash recomputed: what an attacker who knows the rule does."""
    chained = []
    for record in records:
        previous = chain_hash(previous, record.id, record, record.meta)
        chained.append(replace(record, hash=previous))
    return chained


def renumbered(records: Sequence[StoredRecord], first: int = 1) -> list[StoredRecord]:
    """The records with positions counted anew, without a gap."""
    return [replace(record, id=position) for position, record in enumerate(records, first)]


def leaves_of(records: Sequence[StoredRecord]) -> list[bytes]:
    return [leaf_hash(canonical_text(record.id, record, record.meta)) for record in records]


def rows_of(records: Sequence[StoredRecord]) -> list[Row]:
    return [
        Row(record.id, canonical_text(record.id, record, record.meta), record.hash, line)
        for line, record in enumerate(records, 1)
    ]


def checkpoint_at(records: Sequence[StoredRecord], size: int, key: SigningKey = KEY) -> SignedCheckpoint:
    """The checkpoint that was signed when the log had so many events."""
    head = records[size - 1].hash if size else GENESIS_HASH
    checkpoint = Checkpoint(key.name, size, root_of(leaves_of(records[:size])), head, STARTED)
    return sign_checkpoint(checkpoint, key)


def with_bit_flipped(record: StoredRecord, field: str, bit: int) -> StoredRecord:
    """The record with one bit of one field changed; ``bit`` counts round within the field."""
    if field == "hash":
        return replace(record, hash=_flipped(record.hash, bit))
    if field == "state":
        return replace(record, state=_flipped(record.state, bit))
    if field == "topic":
        return replace(record, topic=_flipped_text(record.topic, bit))
    if field == "originator_id":
        return replace(record, originator_id=UUID(bytes=_flipped(UUID(str(record.originator_id)).bytes, bit)))
    if field in ("id", "originator_version"):
        return replace(record, **{field: getattr(record, field) ^ 1 << bit % 63})
    value = getattr(record.meta, field)
    changed: object
    if isinstance(value, UUID):
        changed = UUID(bytes=_flipped(value.bytes, bit))
    elif isinstance(value, datetime):
        changed = value + timedelta(microseconds=1 << bit % 40)
    elif value is None:
        changed = UUID(int=1 << bit % 128)
    else:
        changed = _flipped_text(value, bit)
    return replace(record, meta=Meta(**{**{name: getattr(record.meta, name) for name in META_FIELDS}, field: changed}))


META_FIELDS = ("event_id", "recorded_at", "actor", "correlation_id", "causation_id", "command_id")
FIELDS = ("id", "originator_id", "originator_version", "topic", "state", *META_FIELDS, "hash")


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    bit %= len(changed) * 8
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _flipped_text(text: str, bit: int) -> str:
    """One of the low seven bits of one ASCII character; what can no longer stand on a line becomes another letter."""
    at, low = bit // 7 % len(text), bit % 7
    char = chr(ord(text[at]) ^ 1 << low)
    return text[:at] + (char if char.isprintable() else "~") + text[at + 1 :]
