"""An event store in memory, over the library's recorder: for tests of rules and of the Log without a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent
from eventsourcing.popo import POPOApplicationRecorder

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.errors import IdempotencyKeyReused, VersionConflict
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.records import (
    GENESIS_HASH,
    Append,
    Appended,
    Idempotency,
    NewEvent,
    StoredRecord,
    chain_hash,
)
from hivesync_core.kernel.event import Recorded


class MemoryRecorder(POPOApplicationRecorder):
    """The library's recorder in memory, as strict as the database: streams without gaps, envelopes, a chain of hashes."""

    def _assert_uniqueness(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        super()._assert_uniqueness(stored_events, **kwargs)
        heads: dict[UUID | str, int] = {}
        for event in stored_events:
            head = heads.get(event.originator_id, self.version(event.originator_id))
            if event.originator_version != head + 1:
                raise IntegrityError("a stream is not at the version before the event's")
            heads[event.originator_id] = event.originator_version

    def _update_table(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        records: list[StoredEvent] = []
        last = self._stored_events[-1] if self._stored_events else None
        previous = last.hash if isinstance(last, StoredRecord) else GENESIS_HASH
        for position, event in enumerate(stored_events, len(self._stored_events) + 1):
            assert isinstance(event, NewEvent), "only events in an envelope are stored"
            previous = chain_hash(previous, position, event, event.meta)
            records.append(StoredRecord(**vars(event), id=position, hash=previous))
        return super()._update_table(records, **kwargs)

    def select_notifications(self, *args: Any, **kwargs: Any) -> Sequence[Notification]:
        """A page of the log; each record carries its envelope and its hash."""
        found = super().select_notifications(*args, **kwargs)
        return [self._record(self._stored_events[notification.id - 1]) for notification in found]

    def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> list[StoredRecord]:
        """The records of a stream in order, those after a version."""
        return [self._record(event) for event in self.select_events(stream_id, gt=after_version)]

    def version(self, stream_id: UUID | str) -> int:
        """The version of a stream, 0 where there is none."""
        last = self.select_events(stream_id, desc=True, limit=1)
        return last[0].originator_version if last else 0

    @staticmethod
    def _record(event: StoredEvent) -> StoredRecord:
        assert isinstance(event, StoredRecord)
        return event


class MemoryStore:
    """The ``EventAppender`` and the ``StreamReader`` of tests."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.recorder = MemoryRecorder()
        self.mapper = MsgspecMapper(catalogue)
        self._answers: dict[tuple[str, str], tuple[bytes, Appended]] = {}

    async def append(self, append: Append) -> Appended:
        """Store the events of a command; see ``EventAppender``."""
        if append.idempotency is not None:
            earlier = await self.find_answer(append.idempotency)
            if earlier is not None:
                return earlier
        try:
            positions = self.recorder.insert_events(append.events)
        except IntegrityError as error:
            raise VersionConflict("the stream has moved on since it was read") from error
        head = self.recorder.max_notification_id() or 0
        appended = Appended(positions[0], positions[-1]) if positions else Appended(head, head)
        if append.idempotency is not None:
            scope, key, fingerprint = append.idempotency
            self._answers[scope, key] = (fingerprint, appended._replace(replayed=True, answer=append.answer))
        return appended

    async def find_answer(self, idempotency: Idempotency) -> Appended | None:
        """What the earlier command with this key was answered; see ``EventAppender``."""
        fingerprint, answered = self._answers.get(idempotency[:2], (b"", None))
        if answered is not None and fingerprint != idempotency.fingerprint:
            raise IdempotencyKeyReused("the idempotency key was used for another command")
        return answered

    async def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> Sequence[Recorded]:
        """The events of a stream in order, those after a version."""
        return [
            self.mapper.to_domain_event(r) for r in self.recorder.read_stream(stream_id, after_version=after_version)
        ]

    def log(self) -> list[Recorded]:
        """Every event, in order."""
        return [self.mapper.to_domain_event(r) for r in self.recorder.select_notifications(None, 1_000_000)]
