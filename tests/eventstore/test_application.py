"""The library's application with our mapper, on the library's recorder in memory, on ours in memory and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from eventsourcing.persistence import ApplicationRecorder, IntegrityError
from eventsourcing.popo import POPOApplicationRecorder

from adapters.ids import uuid7
from adapters.postgres.recorder import HiveSyncDatastore, HiveSyncRecorder
from hivesync_core.eventstore.application import HiveSyncApplication
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.memory import MemoryRecorder
from hivesync_core.eventstore.records import StoredRecord, first_broken_link
from hivesync_core.kernel.event import Recorded
from tests.eventstore.tally import CATALOGUE, Added, Closed, added


@pytest.fixture(params=["library", "memory", "postgres"])
def recorder(request: pytest.FixtureRequest) -> Iterator[ApplicationRecorder]:
    """One of the three recorders."""
    if request.param == "postgres":
        with HiveSyncDatastore(request.getfixturevalue("postgres_url")) as datastore:
            yield HiveSyncRecorder(datastore)
    else:
        yield POPOApplicationRecorder() if request.param == "library" else MemoryRecorder()


def test_events_go_through_the_librarys_store_and_back(recorder: ApplicationRecorder) -> None:
    application = HiveSyncApplication(recorder, CATALOGUE)
    assert application.recorder is recorder
    assert isinstance(application.mapper, MsgspecMapper)
    stream, meta = uuid7(), added().meta
    events = [
        Recorded(0, stream, 1, Added(amount=2), meta),
        Recorded(0, stream, 2, Closed(), added().meta),
    ]
    recordings = application.events.put(events)  # type: ignore[arg-type]
    assert [recording.notification.id for recording in recordings] == [1, 2]
    found: list[Recorded] = list(application.events.get(stream))  # type: ignore[arg-type]
    assert [(e.stream_id, e.version, e.event, e.meta) for e in found] == [
        (e.stream_id, e.version, e.event, e.meta) for e in events
    ]
    assert [notification.id for notification in application.notification_log.select(1, 10)] == [1, 2]
    with pytest.raises(IntegrityError):
        application.events.put([Recorded(0, stream, 2, Closed(), added().meta)])  # type: ignore[list-item]


@pytest.mark.parametrize("recorder", ["memory", "postgres"], indirect=True)
def test_our_recorders_answer_with_envelope_position_and_link(recorder: ApplicationRecorder) -> None:
    new = [added(stream := uuid7()), added(stream, 2), added()]
    assert recorder.insert_events(new) == [1, 2, 3]
    log = recorder.select_notifications(None, 10)
    assert all(isinstance(record, StoredRecord) for record in log)
    assert [(record.id, record.meta) for record in log] == [(n, e.meta) for n, e in enumerate(new, 1)]  # type: ignore[attr-defined]
    assert first_broken_link(log) is None  # type: ignore[arg-type]
    assert recorder.select_events(stream) == log[:2]


@pytest.mark.parametrize("recorder", ["postgres"], indirect=True)
def test_the_same_event_again_is_answered_with_its_place(recorder: ApplicationRecorder) -> None:
    # The library sends an append again when its answer is lost.
    new = [added(stream := uuid7()), added(stream, 2)]
    assert recorder.insert_events(new) == recorder.insert_events(new) == [1, 2]
    assert recorder.max_notification_id() == 2


@pytest.mark.parametrize("recorder", ["memory", "postgres"], indirect=True)
@pytest.mark.parametrize("versions", [(2,), (1, 3), (1, 1)])
def test_our_recorders_take_no_gap(recorder: ApplicationRecorder, versions: tuple[int, ...]) -> None:
    stream = uuid7()
    with pytest.raises(IntegrityError):
        recorder.insert_events([added(stream, version) for version in versions])
    assert recorder.max_notification_id() is None


def test_the_process_environment_does_not_configure_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSISTENCE_MODULE", "eventsourcing.sqlite")
    monkeypatch.setenv("IS_SNAPSHOTTING_ENABLED", "y")
    monkeypatch.setenv("COMPRESSOR_TOPIC", "eventsourcing.compressor:ZlibCompressor")
    application = HiveSyncApplication(MemoryRecorder())
    assert application.snapshots is None
    assert application.mapper.compressor is None
