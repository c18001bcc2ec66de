"""Time as an event loop has it: a machine that is busy with something else does not count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TICK_S = 0.02


class LoopTime:
    """Seconds that the event loop was able to do something with."""

    def __init__(self) -> None:
        self._ticks = 0

    @property
    def seconds(self) -> float:
        """How many have passed."""
        return self._ticks * TICK_S

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._ticks += 1


@asynccontextmanager
async def loop_time() -> AsyncIterator[LoopTime]:
    """Count while the block runs; a stretch in which the loop got no turn counts as one tick, however long it was.

    What waits twice as long as it may is found as with a clock; what was only kept waiting by other processes is not.
    """
    time = LoopTime()
    ticking = asyncio.create_task(time._tick(), name="loop time")
    try:
        yield time
    finally:
        ticking.cancel()
