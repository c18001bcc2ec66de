"""Appends: in batches, each command whole or not at all, a conflict only its own command's."""

from __future__ import annotations

import asyncio
import random

import psycopg
import pytest

from adapters.ids import uuid7
from adapters.postgres import appender
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from hivesync_core.eventstore.errors import StoreBusy, StoreError, StoreUnavailable, VersionConflict
from hivesync_core.eventstore.records import Append, Appended
from tests.eventstore import stored
from tests.eventstore.tally import added, idempotency, one


async def test_what_arrives_while_a_batch_is_under_way_forms_the_next(commit: GroupCommit, postgres_url: str) -> None:
    appended = await asyncio.gather(*(commit.append(one()) for _ in range(300)))
    assert sorted(one.first_position for one in appended) == list(range(1, 301))
    assert commit.batches < 10
    assert len(stored.whole_log(postgres_url)) == 300


async def test_the_events_of_a_command_stand_together_and_in_order(commit: GroupCommit, postgres_url: str) -> None:
    streams = [uuid7() for _ in range(20)]
    appended = await asyncio.gather(
        *(commit.append(Append(tuple(added(stream, version) for version in (1, 2, 3)))) for stream in streams)
    )
    log = stored.whole_log(postgres_url)
    for stream, answer in zip(streams, appended, strict=True):
        own = log[answer.first_position - 1 : answer.last_position]
        assert [(record.originator_id, record.originator_version) for record in own] == [
            (stream, 1),
            (stream, 2),
            (stream, 3),
        ]


async def test_a_conflict_refuses_its_own_command_and_no_other(commit: GroupCommit, postgres_url: str) -> None:
    old, fresh = uuid7(), [uuid7() for _ in range(10)]
    await commit.append(one(old))
    late = [commit.append(one(old, version)) for version in (1, 3, 0)]
    good = [commit.append(one(stream)) for stream in fresh]
    answers = await asyncio.gather(*late, *good, return_exceptions=True)
    assert [type(answer) for answer in answers] == [VersionConflict] * 3 + [Appended] * 10
    assert {record.originator_id for record in stored.whole_log(postgres_url)} == {old, *fresh}


async def test_a_command_on_several_streams_is_stored_whole_or_not_at_all(
    commit: GroupCommit, postgres_url: str
) -> None:
    first, second = uuid7(), uuid7()
    await commit.append(one(second))
    with pytest.raises(VersionConflict):
        await commit.append(Append((added(first, 1), added(second, 1))))
    assert [record.originator_id for record in stored.whole_log(postgres_url)] == [second]
    await commit.append(Append((added(first, 1), added(second, 2))))
    assert len(stored.whole_log(postgres_url)) == 3


@pytest.mark.parametrize("versions", [(2,), (1, 3), (1, 1), (0, 2), (-1, 0)])
async def test_a_stream_begins_at_the_beginning_and_has_no_gap(
    commit: GroupCommit, postgres_url: str, versions: tuple[int, ...]
) -> None:
    stream = uuid7()
    with pytest.raises(StoreError):
        await commit.append(Append(tuple(added(stream, version) for version in versions)))
    assert stored.whole_log(postgres_url) == []


async def test_commands_to_one_stream_take_turns_and_are_never_lost(commit: GroupCommit, postgres_url: str) -> None:
    stream = uuid7()
    answers = await asyncio.gather(*(commit.append(one(stream, version)) for version in range(1, 51)))
    assert [answer.first_position for answer in answers] == list(range(1, 51))
    assert len(stored.whole_log(postgres_url)) == 50


@pytest.mark.parametrize(
    "guilty",
    [
        Append((added(actor="not\0storable"),)),
        Append((added(actor="two\nlines"),)),
        # Longer than an index entry may be: what PostgreSQL calls a program limit, and psycopg operational.
        one(key=idempotency(random.Random(1).randbytes(5_000).hex())),
    ],
    ids=["NUL", "line feed", "too large a key"],
)
async def test_what_cannot_be_stored_is_refused_without_its_neighbours(
    commit: GroupCommit, postgres_url: str, guilty: Append
) -> None:
    batch = [one() for _ in range(25)]
    batch[7] = guilty
    answers = await asyncio.gather(*(commit.append(append) for append in batch), return_exceptions=True)
    assert [number for number, answer in enumerate(answers) if not isinstance(answer, Appended)] == [7]
    assert type(answers[7]) is StoreError
    assert len(stored.whole_log(postgres_url)) == 24


async def test_a_full_queue_says_that_the_store_is_busy(
    commit: GroupCommit, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "QUEUE_MAX", 40)
    answers = await asyncio.gather(*(commit.append(one()) for _ in range(50)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Appended] * 40 + [StoreBusy] * 10
    assert len(stored.whole_log(postgres_url)) == 40
    await commit.append(one())


async def test_a_queue_that_weighs_too_much_says_that_the_store_is_busy(
    commit: GroupCommit, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heavy = [Append((added(note="x" * 1_000),)) for _ in range(10)]
    monkeypatch.setattr(appender, "QUEUE_BYTES_MAX", 5 * len(heavy[0].events[0].state))
    answers = await asyncio.gather(*(commit.append(append) for append in heavy), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Appended] * 5 + [StoreBusy] * 5
    # One that alone is over the limit is taken when it is alone.
    await commit.append(Append((added(note="x" * 9_000),)))
    assert len(stored.whole_log(postgres_url)) == 6


async def test_a_command_that_waits_for_another_process_too_long_tries_again(
    commit: GroupCommit, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "APPEND_WAIT_S", 60.0)
    async with await psycopg.AsyncConnection.connect(postgres_url) as other:
        await other.execute("SELECT pg_advisory_xact_lock(7237101)")
        sender = asyncio.create_task(commit.append(one()))
        await asyncio.sleep(3.2)  # The session's lock_timeout is three seconds.
    assert await sender == Appended(1, 1)
    assert len(stored.whole_log(postgres_url)) == 1


async def test_a_sender_that_is_gone_leaves_its_place_in_the_queue(
    commit: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "QUEUE_MAX", 3)
    gone = [asyncio.create_task(commit.append(one())) for _ in range(3)]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    assert commit.waiting == 0
    await asyncio.gather(*(commit.append(one()) for _ in range(3)))


async def test_a_sender_that_leaves_while_its_batch_is_under_way_disturbs_nobody(
    commit: GroupCommit, postgres_url: str
) -> None:
    senders = [asyncio.create_task(commit.append(one())) for _ in range(64)]
    while not commit.batches:
        await asyncio.sleep(0)
        for sender in senders[::2]:
            sender.cancel()
    answers = await asyncio.gather(*senders, return_exceptions=True)
    assert all(isinstance(answer, Appended) for answer in answers[1::2])
    log = stored.whole_log(postgres_url)
    assert 32 <= len(log) <= 64


async def test_what_waits_at_a_stop_is_stored_and_what_comes_after_is_refused(
    database: Database, postgres_url: str
) -> None:
    commit = GroupCommit(database)
    await commit.start()
    senders = [asyncio.create_task(commit.append(one())) for _ in range(700)]
    await asyncio.sleep(0)
    await commit.stop()
    assert all(isinstance(answer, Appended) for answer in await asyncio.gather(*senders))
    with pytest.raises(StoreUnavailable):
        await commit.append(one())
    assert len(stored.whole_log(postgres_url)) == 700


async def test_a_command_without_events_and_without_a_key_is_answered_with_the_head(commit: GroupCommit) -> None:
    await commit.append(one())
    assert await commit.append(Append(())) == Appended(1, 1)
