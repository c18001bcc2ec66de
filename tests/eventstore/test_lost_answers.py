"""An answer that gets lost after COMMIT: the command counts once, and its sender hears what became of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from adapters.ids import uuid7
from adapters.postgres import appender
from adapters.postgres.appender import GroupCommit
from hivesync_core.eventstore.errors import IdempotencyKeyReused, StoreUnavailable, VersionConflict
from hivesync_core.eventstore.records import Append, Appended
from tests.eventstore import stored
from tests.eventstore.proxy import Proxy
from tests.eventstore.tally import added, idempotency, one

DISTURBANCES = 25


@pytest.fixture
async def connected(commit_by_proxy: GroupCommit) -> GroupCommit:
    """A group commit that has appended one event by the proxy, so that its line stands."""
    await commit_by_proxy.append(one())
    return commit_by_proxy


async def test_a_stored_command_whose_answer_is_lost_is_stored_once(
    connected: GroupCommit, proxy: Proxy, postgres_url: str
) -> None:
    proxy.lose("answer")
    assert await connected.append(Append((added(stream := uuid7()), added(stream, 2)))) == Appended(2, 3)
    assert proxy.lost == 1
    assert len(stored.whole_log(postgres_url)) == 3


async def test_a_command_that_never_reached_the_database_is_sent_again(
    connected: GroupCommit, proxy: Proxy, postgres_url: str
) -> None:
    proxy.lose("request")
    assert await connected.append(one()) == Appended(2, 2)
    assert proxy.lost == 1
    assert len(stored.whole_log(postgres_url)) == 2


async def test_answers_lost_again_and_again_change_nothing(
    connected: GroupCommit, proxy: Proxy, postgres_url: str
) -> None:
    # The first two cut the line at work, the others the log-in of the new one.
    proxy.lose("answer", "request", "answer", "answer", "request", "answer")
    assert await connected.append(one()) == Appended(2, 2)
    assert proxy.lost == 6
    assert len(stored.whole_log(postgres_url)) == 2


async def test_every_command_of_a_lost_batch_hears_its_own_outcome(
    connected: GroupCommit, proxy: Proxy, postgres_url: str
) -> None:
    taken = uuid7()
    await connected.append(one(taken, key=idempotency("used", b"one"), answer="first"))
    batch = [
        one(),
        one(taken, 1),
        one(key=idempotency("new"), answer="stored"),
        one(key=idempotency("used", b"one"), answer="not this"),
        one(key=idempotency("used", b"two")),
        Append((added(stream := uuid7()), added(stream, 2))),
    ]
    proxy.lose("answer")
    plain, conflict, keyed, replayed, reused, double = await asyncio.gather(
        *(connected.append(append) for append in batch), return_exceptions=True
    )
    assert proxy.lost == 1
    assert [type(answer) for answer in (plain, keyed, double)] == [Appended] * 3
    assert [answer.replayed for answer in (plain, keyed, double) if isinstance(answer, Appended)] == [False] * 3
    assert type(conflict) is VersionConflict
    assert replayed == Appended(2, 2, replayed=True, answer="first")
    assert type(reused) is IdempotencyKeyReused
    assert len(stored.whole_log(postgres_url)) == 2 + 1 + 1 + 2


async def test_the_answer_of_a_keyed_command_with_nothing_to_do_survives_its_loss(
    connected: GroupCommit, proxy: Proxy, postgres_url: str
) -> None:
    proxy.lose("answer")
    answered = await connected.append(Append((), idempotency(), "nothing to do"))
    assert (answered.first_position, answered.last_position) == (1, 1)
    assert await connected.append(Append((), idempotency(), "no")) == Appended(1, 1, True, "nothing to do")
    assert len(stored.whole_log(postgres_url)) == 1


async def test_a_request_that_arrives_late_finds_its_command_stored(
    connected: GroupCommit, proxy: Proxy, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "TRANSACTION_WAIT_S", 0.3)
    monkeypatch.setattr(appender, "APPEND_WAIT_S", 60.0)
    late = proxy.hold_next_request()
    assert await connected.append(one()) == Appended(2, 2)
    late.set()
    await asyncio.sleep(0.3)
    assert len(stored.whole_log(postgres_url)) == 2


async def test_a_request_that_arrives_late_and_first_is_answered_to_its_sender(
    connected: GroupCommit, proxy: Proxy, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "TRANSACTION_WAIT_S", 0.3)
    monkeypatch.setattr(appender, "APPEND_WAIT_S", 60.0)
    late = proxy.hold_next_request()
    sender = asyncio.create_task(connected.append(one()))
    await asyncio.sleep(0.1)
    # The new line is silent too: what was held back is done before anything else.
    proxy.go_silent()
    await asyncio.sleep(0.5)
    late.set()
    while len(stored.log(postgres_url)) < 2:
        await asyncio.sleep(0.01)
    proxy.speak_again()
    assert await sender == Appended(2, 2)
    assert len(stored.whole_log(postgres_url)) == 2


async def test_a_command_that_its_sender_gave_up_is_not_sent_again(
    connected: GroupCommit, proxy: Proxy, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "APPEND_WAIT_S", 0.5)
    for _ in range(1000):
        proxy.lose("request")
    with pytest.raises(StoreUnavailable):
        await connected.append(one())
    proxy.lose_no_more()
    kept = one()
    assert await connected.append(kept) == Appended(2, 2)
    await asyncio.sleep(0.3)
    assert [record.meta.event_id for record in stored.whole_log(postgres_url)][1:] == [kept.events[0].meta.event_id]


async def test_backends_that_are_ended_at_any_moment_lose_and_double_nothing(
    commit: GroupCommit, postgres_url: str
) -> None:
    acknowledged = await _append_while(commit, lambda: _end_backends(postgres_url), random.Random(1))
    assert sorted(acknowledged) == [record.id for record in stored.whole_log(postgres_url)]


@pytest.mark.parametrize("seed", range(3))
async def test_lines_that_break_at_any_moment_lose_and_double_nothing(
    commit_by_proxy: GroupCommit, proxy: Proxy, postgres_url: str, seed: int
) -> None:
    chance = random.Random(seed)

    async def break_line() -> None:
        proxy.lose(chance.choice(("answer", "request")))

    acknowledged = await _append_while(commit_by_proxy, break_line, chance)
    assert proxy.lost >= DISTURBANCES - 1
    assert sorted(acknowledged) == [record.id for record in stored.whole_log(postgres_url)]


async def _append_while(
    commit: GroupCommit, disturb: Callable[[], Awaitable[None]], chance: random.Random
) -> list[int]:
    """Positions that 16 senders were told while they were disturbed, some commands keyed, some of two events."""
    positions: list[int] = []
    disturbed = 0

    async def sender(name: int) -> None:
        stream, version = uuid7(), 0
        for number in count():
            if disturbed == DISTURBANCES:
                return
            events = tuple(added(stream, version + offset) for offset in range(1, 2 + number % 2))
            key = idempotency(f"{name} {number}") if number % 3 == 0 else None
            appended = await commit.append(Append(events, key, "answer"))
            version += len(events)
            positions.extend(range(appended.first_position, appended.last_position + 1))

    async def disturbance() -> None:
        nonlocal disturbed
        for _ in range(DISTURBANCES):
            until = commit.batches + chance.randrange(1, 6)
            while commit.batches < until:
                await asyncio.sleep(0)
            await disturb()
            disturbed += 1

    await asyncio.gather(disturbance(), *(sender(name) for name in range(16)))
    return positions


async def _end_backends(url: str) -> None:
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hivesync-append'"
    await asyncio.to_thread(stored.query, url, ended)
