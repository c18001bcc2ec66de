"""Turns on streams: commands that would conflict within this process wait for one another instead."""

from __future__ import annotations

import asyncio
from collections import deque
from uuid import UUID


class Turns:
    """One holder a stream at a time, in the order in which they came; a stream that nobody wants costs nothing."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, deque[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        """How many streams are held."""
        return len(self._waiting)

    async def take(self, stream_id: UUID) -> None:
        """Return when it is the caller's turn, who has to ``leave`` afterwards."""
        waiting = self._waiting.get(stream_id)
        if waiting is None:
            self._waiting[stream_id] = deque()
            return
        turn = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                # The turn had just come: it is the next one's.
                self.leave(stream_id)
            raise

    def leave(self, stream_id: UUID) -> None:
        """Give the turn to whoever has waited longest."""
        waiting = self._waiting[stream_id]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiting[stream_id]
