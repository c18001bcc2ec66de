"""Idempotency keys: the same command has one effect and one answer, another command under the key is refused."""

from __future__ import annotations

import asyncio

import pytest

from adapters.ids import uuid7
from adapters.postgres.appender import GroupCommit
from hivesync_core.eventstore.errors import IdempotencyKeyReused, VersionConflict
from hivesync_core.eventstore.records import Append, Appended
from tests.eventstore import stored
from tests.eventstore.tally import added, idempotency, one


async def test_a_repetition_is_answered_as_the_first_time_and_stored_once(
    commit: GroupCommit, postgres_url: str
) -> None:
    first = await commit.append(one(key=idempotency(), answer="the answer"))
    again = await commit.append(one(key=idempotency(), answer="another answer"))
    assert first == Appended(1, 1)
    assert again == Appended(1, 1, replayed=True, answer="the answer")
    assert await commit.find_answer(idempotency()) == again
    assert len(stored.whole_log(postgres_url)) == 1


async def test_another_body_under_the_same_key_is_refused(commit: GroupCommit, postgres_url: str) -> None:
    await commit.append(one(key=idempotency(body=b"one")))
    with pytest.raises(IdempotencyKeyReused):
        await commit.append(one(key=idempotency(body=b"two")))
    with pytest.raises(IdempotencyKeyReused):
        await commit.find_answer(idempotency(body=b"two"))
    assert len(stored.whole_log(postgres_url)) == 1


async def test_the_same_key_of_another_account_is_another_key(commit: GroupCommit, postgres_url: str) -> None:
    await commit.append(one(key=idempotency()))
    await commit.append(one(key=idempotency()._replace(scope="another account")))
    assert len(stored.whole_log(postgres_url)) == 2


async def test_fifty_times_the_same_key_at_once_is_one_effect(commit: GroupCommit, postgres_url: str) -> None:
    answers = await asyncio.gather(*(commit.append(one(key=idempotency(), answer="done")) for _ in range(50)))
    assert [answer.first_position for answer in answers] == [1] * 50
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 49
    assert len(stored.whole_log(postgres_url)) == 1


async def test_fifty_times_the_same_key_and_stream_at_once_is_one_effect(
    commit: GroupCommit, postgres_url: str
) -> None:
    stream = uuid7()
    answers = await asyncio.gather(*(commit.append(one(stream, key=idempotency())) for _ in range(50)))
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 49
    assert len(stored.whole_log(postgres_url)) == 1


async def test_two_keys_in_one_batch_are_two_effects(commit: GroupCommit, postgres_url: str) -> None:
    answers = await asyncio.gather(*(commit.append(one(key=idempotency(str(n)))) for n in range(40)))
    assert sorted(answer.first_position for answer in answers) == list(range(1, 41))
    assert commit.batches < 5
    assert len(stored.whole_log(postgres_url)) == 40


async def test_a_command_that_conflicts_does_not_use_up_its_key(commit: GroupCommit, postgres_url: str) -> None:
    stream = uuid7()
    await commit.append(one(stream))
    with pytest.raises(VersionConflict):
        await commit.append(one(stream, key=idempotency()))
    assert await commit.find_answer(idempotency()) is None
    assert not (await commit.append(one(stream, 2, key=idempotency()))).replayed
    assert len(stored.whole_log(postgres_url)) == 2


async def test_a_command_with_nothing_to_do_keeps_its_answer_too(commit: GroupCommit, postgres_url: str) -> None:
    await commit.append(Append((added(),)))
    assert await commit.append(Append((), idempotency(), "nothing to do")) == Appended(1, 1)
    await commit.append(one())
    again = await commit.append(Append((), idempotency(), "something else"))
    assert again == Appended(1, 1, replayed=True, answer="nothing to do")
    assert len(stored.whole_log(postgres_url)) == 2
