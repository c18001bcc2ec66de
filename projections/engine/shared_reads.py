"""Reads that are asked for many times between two changes are made once, and those that ask at the same time share one."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import NamedTuple

ANSWERS_MAX = 256
"""Answers that are kept; the one that was asked for longest ago goes first."""

AGE_MAX_S = 1.0
"""An answer is not used for longer, whatever is known of the position."""


class _Kept(NamedTuple):
    position: int
    made_at: float
    answer: asyncio.Task[bytes]


class SharedReads:
    """Answers of one read model, each good as long as the read model stands where it stood when it was made.

    An answer may be newer than the position it is kept under, never older. What one asker cancels, others still get.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self.made = 0
        self.shared = 0

    async def get(self, key: Hashable, position: int, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """The answer to ``key`` at ``position`` of the read model, or a newer one; raises what ``read`` raises."""
        kept = self._kept.get(key)
        if kept is None or kept.position < position or time.monotonic() - kept.made_at > AGE_MAX_S:
            kept = _Kept(position, time.monotonic(), asyncio.ensure_future(_awaited(read)))
            self._kept[key] = kept
            self.made += 1
            if len(self._kept) > ANSWERS_MAX:
                self._kept.popitem(last=False)
        else:
            self.shared += 1
        self._kept.move_to_end(key)
        answer = kept.answer
        if answer.done():
            return answer.result()
        try:
            return await asyncio.shield(answer)
        except BaseException:
            if answer.done() and self._kept.get(key) is kept:
                del self._kept[key]
            raise


async def _awaited(read: Callable[[], Awaitable[bytes]]) -> bytes:
    return await read()
