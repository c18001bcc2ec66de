"""The chain of hashes: what the database computes is what anyone can recompute, and any change of the past breaks it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ids import uuid7
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.recorder import HiveSyncDatastore, HiveSyncRecorder
from hivesync_core.eventstore.records import (
    GENESIS_HASH,
    Append,
    NewEvent,
    StoredRecord,
    canonical_text,
    first_broken_link,
    stream_prefix,
)
from hivesync_core.kernel.event import Meta
from tests.bench.seed import new_events, seed
from tests.bench.story import Story
from tests.eventstore import stored
from tests.eventstore.tally import added

one_line = st.text(st.characters(exclude_characters="\n\0", codec="utf-8"), max_size=40)
new_event = st.builds(
    NewEvent,
    originator_id=st.uuids(),
    originator_version=st.integers(0, 1),
    topic=one_line,
    state=st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=300).map(str.encode),
    meta=st.builds(
        Meta,
        event_id=st.uuids(),
        recorded_at=st.datetimes(datetime(1900, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)),
        actor=one_line,
        correlation_id=st.uuids(),
        causation_id=st.none() | st.uuids(),
        command_id=st.uuids(),
    ),
)


def test_the_text_of_an_event_is_its_eleven_fields_a_line_each() -> None:
    event = added(actor="someone", note='a "note" — ☃')
    event = replace(event, meta=msgspec.structs.replace(event.meta, causation_id=uuid7()))
    assert canonical_text(7, event, event.meta).decode().split("\n") == [
        "7",
        str(event.originator_id),
        "1",
        "tally.added.v1",
        str(event.meta.event_id),
        "1748781000123456",
        "someone",
        str(event.meta.correlation_id),
        str(event.meta.causation_id),
        str(event.meta.command_id),
        event.state.decode(),
    ]


def test_the_first_link_follows_from_thirty_two_zero_bytes() -> None:
    event = added()
    link = sha256(bytes(32) + canonical_text(1, event, event.meta)).digest()
    assert bytes(32) == GENESIS_HASH
    assert first_broken_link([StoredRecord(**vars(event), id=1, hash=link)]) is None


@pytest.mark.parametrize("way", ["by the recorder", "in a batch"])
def test_any_event_is_stored_as_it_was_and_chained_as_python_would(any_postgres_url: str, way: str) -> None:
    with (
        HiveSyncDatastore(any_postgres_url) as datastore,
        psycopg.connect(any_postgres_url, autocommit=True) as connection,
    ):
        recorder = HiveSyncRecorder(datastore)
        known = set[object]()

        @settings(max_examples=60, deadline=None)
        @given(st.lists(new_event, max_size=6, unique_by=(lambda e: e.originator_id, lambda e: e.meta.event_id)))
        def check(events: list[NewEvent]) -> None:
            fresh = [e for e in events if not {e.originator_id, e.meta.event_id} & known]
            known.update(*({e.originator_id, e.meta.event_id} for e in fresh))
            before = recorder.max_notification_id()
            if way == "in a batch":
                stored.append(connection, [Append((event,)) for event in fresh])
            else:
                recorder.insert_events(fresh)
            records = recorder.select_notifications(before, 1000, inclusive_of_start=False)
            assert [_as_new(record) for record in records] == fresh

        check()
    records = stored.whole_log(any_postgres_url)
    texts = stored.query(
        any_postgres_url,
        "SELECT eventlog.canonical_text(notification_id, originator_id, originator_version, topic, event_id, recorded_at, "
        "actor, correlation_id, causation_id, command_id, state) FROM eventlog.events ORDER BY notification_id",
    )
    assert [text for (text,) in texts] == [canonical_text(record.id, record, record.meta) for record in records]


async def test_the_chain_goes_through_batches_and_recorders_alike(
    commit: GroupCommit, database: Database, postgres_url: str
) -> None:
    await asyncio.gather(*(commit.append(Append((added(), added()))) for _ in range(50)))
    with HiveSyncDatastore(postgres_url) as datastore:
        await asyncio.to_thread(HiveSyncRecorder(datastore).insert_events, [added(), added()])
    await asyncio.gather(*(commit.append(Append((added(),))) for _ in range(50)))
    assert len(stored.whole_log(postgres_url)) == 152


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE eventlog.events SET state = replace(state, '1', '2') WHERE notification_id = 5",
        "UPDATE eventlog.events SET actor = 'someone' WHERE notification_id = 5",
        "UPDATE eventlog.events SET recorded_at = recorded_at + interval '1 microsecond' WHERE notification_id = 5",
        "UPDATE eventlog.events SET causation_id = command_id WHERE notification_id = 5",
        "DELETE FROM eventlog.events WHERE notification_id = 5",
        "UPDATE eventlog.events SET notification_id = 11 - notification_id + 1000; "
        "UPDATE eventlog.events SET notification_id = notification_id - 1000",
    ],
)
def test_a_forgery_of_the_past_is_found(postgres_url: str, forgery: str) -> None:
    with HiveSyncDatastore(postgres_url) as datastore:
        HiveSyncRecorder(datastore).insert_events([added() for _ in range(10)])
    with psycopg.connect(postgres_url, autocommit=True) as forger:
        forger.execute("ALTER TABLE eventlog.events DISABLE TRIGGER ALL")
        forger.execute(forgery.encode())
    found = first_broken_link(stored.log(postgres_url))
    assert found is not None
    assert found <= 6


def test_the_benches_log_is_what_appending_would_have_made(postgres_url: str, empty_database: str) -> None:
    from adapters.postgres.schema import create_schema

    create_schema(empty_database)
    seed(empty_database, 1_500)
    with HiveSyncDatastore(postgres_url) as datastore:
        HiveSyncRecorder(datastore).insert_events(list(new_events(Story().happenings(1_500))))
    assert stored.whole_log(empty_database) == stored.whole_log(postgres_url)


def test_a_topic_says_what_kind_of_stream_it_belongs_to() -> None:
    assert stream_prefix("task.help_claimed.v1") == "task"


def _as_new(record: object) -> NewEvent:
    assert isinstance(record, StoredRecord)
    return NewEvent(record.originator_id, record.originator_version, record.topic, record.state, record.meta)
