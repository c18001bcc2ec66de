"""How tasks that run for as long as the process are ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any


async def end(*tasks: asyncio.Task[Any] | None) -> None:
    """Cancel tasks, all at once, and wait for them; raises what the first that failed has failed with."""
    begun = [task for task in tasks if task is not None]
    for task in begun:
        task.cancel()
    for task in begun:
        with suppress(asyncio.CancelledError):
            await task
