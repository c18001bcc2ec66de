"""Work that is done again and again, supervised: a failure is logged and the next turn tries again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from hivesync_core.eventstore.errors import StoreError
from projections.engine.tasks import end

logger = logging.getLogger(__name__)


class Periodic:
    """Calls ``work`` every ``interval_s`` seconds until it is stopped.

    ``work`` must be safe to run in several processes at once and again after any failure.
    """

    def __init__(self, name: str, interval_s: float, work: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._interval_s = interval_s
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self.failures = 0

    def start(self) -> None:
        """Begin; the first turn comes at once."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Stop after what is under way is cancelled."""
        await end(self._task)

    async def _run(self) -> None:
        while True:
            try:
                await self._work()
            except StoreError as error:
                self.failures += 1
                logger.warning("%s waits for the database: %s", self._name, error)
            except Exception:
                self.failures += 1
                logger.exception("%s failed; it is tried again", self._name)
            await asyncio.sleep(self._interval_s)
