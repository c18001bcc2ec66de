"""Between events in the program and events in the store: the library's mapper for msgspec structs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.records import NewEvent, StoredRecord, originator
from hivesync_core.kernel.event import Event, Meta, Recorded


class MsgspecMapper(Mapper[UUID]):
    """Stores the event as JSON under its stable tag; the envelope travels beside it, not inside."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(transcoder=JSONTranscoder())
        self.catalogue = catalogue

    def to_new_event(self, stream_id: UUID, version: int, event: Event, meta: Meta) -> NewEvent:
        """The stored form of an event that is about to become the ``version``-th of its stream."""
        return NewEvent(
            originator_id=stream_id,
            originator_version=version,
            topic=event.topic(),
            state=self.catalogue.encode(event),
            meta=meta,
        )

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The stored form of an event in its envelope."""
        recorded: Recorded = domain_event
        return self.to_new_event(recorded.stream_id, recorded.version, recorded.event, recorded.meta)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event in its envelope; position 0 where the store did not say where it stands in the log."""
        assert isinstance(stored_event, StoredRecord | NewEvent), "only what HiveSync stored carries an envelope"
        return Recorded(
            stored_event.id if isinstance(stored_event, StoredRecord) else 0,
            originator(stored_event),
            stored_event.originator_version,
            self.catalogue.decode(stored_event.topic, stored_event.state),
            stored_event.meta,
        )
