"""How far each read model of the node has come, and waiting for one to come as far as one's own write."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress

from hivesync_core.eventstore.patience import within


class Positions:
    """Positions that are known to be visible, by read model; waiting costs no query and no timer tick."""

    def __init__(self) -> None:
        self._reached: dict[str, int] = defaultdict(int)
        self._waiting: dict[str, list[tuple[int, asyncio.Future[None]]]] = defaultdict(list)
        self._asked_for: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.generation = 0
        """How often everything was forgotten: what was read before that does not count after it."""

    def forget(self) -> None:
        """Nothing is known any more; who waits goes on waiting."""
        self._reached.clear()
        self.generation += 1

    def reached(self, name: str) -> int:
        """The position up to which a read model is known to be complete."""
        return self._reached[name]

    def advance(self, name: str, position: int) -> None:
        """A read model has committed everything up to ``position``."""
        if position <= self._reached[name]:
            return
        self._reached[name] = position
        waiting = self._waiting[name]
        if not waiting:
            return
        still = []
        for wanted, future in waiting:
            if wanted <= position:
                if not future.done():
                    future.set_result(None)
            else:
                still.append((wanted, future))
        self._waiting[name] = still

    async def wait(self, name: str, position: int, timeout_s: float) -> bool:
        """Wait until a read model shows everything up to ``position``; false when the time runs out first."""
        if position <= self._reached[name]:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[name].append((position, future))
        self._asked_for[name].set()
        try:
            with within(timeout_s):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting[name] = [entry for entry in self._waiting[name] if entry[1] is not future]
        return True

    async def unless_asked_for(self, name: str, pause_s: float) -> None:
        """Let time pass, and no more of it once somebody waits for the read model."""
        if self._waiting[name]:
            return
        asked_for = self._asked_for[name]
        asked_for.clear()
        with suppress(TimeoutError), within(pause_s):
            await asked_for.wait()
