"""Bounds on waiting: what takes too long ends in TimeoutError, and a cancellation that somebody else made stands."""

from __future__ import annotations

import asyncio

import pytest

from hivesync_core.eventstore.patience import within


async def test_what_takes_too_long_is_told_so_and_what_does_not_is_left_alone() -> None:
    with pytest.raises(TimeoutError), within(0.02):
        await asyncio.sleep(5)
    with within(5.0):
        await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0.03)


async def test_the_inner_of_two_bounds_ends_only_what_it_bounds() -> None:
    with within(5.0):
        with pytest.raises(TimeoutError), within(0.02):
            await asyncio.sleep(5)
        await asyncio.sleep(0.01)
    with pytest.raises(TimeoutError), within(0.02), within(5.0):
        await asyncio.sleep(5)


async def test_a_cancellation_is_no_lack_of_time() -> None:
    async def wait() -> None:
        with within(5.0):
            await asyncio.sleep(5)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_at_the_moment_when_the_time_is_over_stands() -> None:
    async def wait() -> None:
        with within(0.0):
            await asyncio.sleep(5)

    task = asyncio.create_task(wait())
    asyncio.get_running_loop().call_later(0.001, task.cancel)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_block_is_raised_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), within(5.0):
        raise ZeroDivisionError
