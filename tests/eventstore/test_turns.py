"""Turns on streams: one holder at a time, in order, whoever gives up on the way."""

from __future__ import annotations

import asyncio

from adapters.ids import uuid7
from hivesync_core.eventstore.turns import Turns


async def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, stream, held = Turns(), uuid7(), []

    async def hold(who: int) -> None:
        await turns.take(stream)
        held.append(who)
        await asyncio.sleep(0)
        assert held[-1] == who, "another was let in meanwhile"
        turns.leave(stream)

    await asyncio.gather(*(hold(who) for who in range(6)))
    assert held == list(range(6))
    assert not turns


async def test_streams_do_not_wait_for_one_another() -> None:
    turns = Turns()
    for _ in range(3):
        await asyncio.wait_for(turns.take(uuid7()), 1)
    assert len(turns) == 3


async def test_who_gives_up_is_passed_over_also_in_the_moment_of_the_turn() -> None:
    turns, stream = Turns(), uuid7()
    await turns.take(stream)
    waiting = [asyncio.create_task(turns.take(stream)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    turns.leave(stream)
    # The turn is the second one's now, who has not run yet.
    waiting[1].cancel()
    await asyncio.wait(waiting, timeout=1)
    assert [task.cancelled() for task in waiting] == [True, True, False]
    turns.leave(stream)
    assert not turns


async def test_whoever_comes_after_somebody_who_left_waits_for_those_before() -> None:
    turns, stream = Turns(), uuid7()
    await turns.take(stream)
    first = asyncio.create_task(turns.take(stream))
    await asyncio.sleep(0)
    turns.leave(stream)
    second = asyncio.create_task(turns.take(stream))
    await asyncio.wait([first], timeout=1)
    await asyncio.sleep(0)
    assert first.done()
    assert not second.done()
    turns.leave(stream)
    await asyncio.wait_for(second, 1)
