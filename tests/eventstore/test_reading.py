"""Reading streams and the whole log from PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from adapters.ids import uuid7
from adapters.postgres import recorder as recorder_module
from adapters.postgres.connections import Database
from adapters.postgres.reader import PostgresStreamReader, recorded_from
from adapters.postgres.recorder import HiveSyncDatastore, HiveSyncRecorder, stored_record
from hivesync_core.eventstore.errors import StoreUnavailable
from tests.eventstore import stored
from tests.eventstore.tally import CATALOGUE, MAPPER, added


@pytest.fixture
def recorder(postgres_url: str) -> Iterator[HiveSyncRecorder]:
    """A recorder on a log of 1,000 events."""
    with HiveSyncDatastore(postgres_url) as datastore:
        recorder = HiveSyncRecorder(datastore)
        recorder.insert_events([added() for _ in range(1_000)])
        yield recorder


@pytest.mark.parametrize("window", [20_000, 1_000, 300])
def test_pages_hold_the_whole_log_in_order(
    recorder: HiveSyncRecorder, postgres_url: str, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(recorder_module, "WINDOW_EVENTS", window)
    pages = list(recorder.pages(0))
    assert [stored_record(row) for page in pages for row in page] == stored.log(postgres_url)
    assert max(len(page) for page in pages) <= recorder_module.PAGE_EVENTS


def test_pages_begin_after_a_position_and_end_at_one(recorder: HiveSyncRecorder) -> None:
    rows = [row for page in recorder.pages(100, 350, size=7) for row in page]
    assert [row[0] for row in rows] == list(range(101, 351))
    assert list(recorder.pages(1_000)) == []
    assert list(recorder.pages(0, 0)) == []


def test_pages_that_nobody_reads_to_the_end_leave_nothing_behind(recorder: HiveSyncRecorder, postgres_url: str) -> None:
    pages = recorder.pages(0, size=5)
    assert len(next(pages)) == 5
    pages.close()  # type: ignore[attr-defined]
    assert recorder.insert_events([added()]) == [1_001]
    left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
    assert stored.query(postgres_url, left) == [(1,)]


def test_a_caller_that_fails_in_the_midst_of_the_pages_gets_its_own_error(recorder: HiveSyncRecorder) -> None:
    def fail() -> None:
        for page in recorder.pages(0, size=5):
            assert page[0][0] / 0

    with pytest.raises(ZeroDivisionError):
        fail()


def test_pages_say_how_far_they_came_when_the_database_goes_away(recorder: HiveSyncRecorder, postgres_url: str) -> None:
    pages = recorder.pages(0, size=10)
    read = len(next(pages))
    stored.query(
        postgres_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()",
    )
    with pytest.raises(StoreUnavailable) as unavailable:
        read += sum(len(page) for page in pages)
    said = re.search(r"up to position (\d+)", str(unavailable.value))
    assert said is not None
    assert 10 <= read <= int(said[1]) < 1_000


async def test_a_stream_is_read_in_order_and_from_a_version_on(recorder: HiveSyncRecorder, database: Database) -> None:
    stream = uuid7()
    recorder.insert_events([added(stream, version) for version in (1, 2, 3)])
    reader = PostgresStreamReader(database, CATALOGUE)
    recorded = await reader.read_stream(stream)
    assert [(r.position, r.version) for r in recorded] == [(1_001, 1), (1_002, 2), (1_003, 3)]
    assert await reader.read_stream(stream, after_version=2) == recorded[2:]
    assert await reader.read_stream(uuid7()) == []


def test_a_row_and_a_record_decode_to_the_same(recorder: HiveSyncRecorder) -> None:
    for row in next(recorder.pages(0)):
        assert recorded_from(row, CATALOGUE) == MAPPER.to_domain_event(stored_record(row))
