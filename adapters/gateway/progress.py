"""Passes on how far generations are: heard from whichever process works on them, sent to the sockets of their project."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
import psycopg
import structlog

from adapters.gateway.frames import message_frame
from adapters.gateway.hub import Hub
from adapters.jobs.progress import CHANNEL
from adapters.postgres.connections import Database
from adapters.postgres.errors import UNAVAILABLE
from projections.engine.tasks import end
from shared.socket.messages import ReviewProgress

logger = structlog.get_logger(__name__)

RECONNECT_S: Final = 1.0
LISTEN_WAIT_S: Final = 5.0
"""How long nothing may be heard before the connection is asked whether it still stands."""

_decode = msgspec.json.Decoder(ReviewProgress).decode


class ProgressCaller:
    """One listening connection for the process. What is missed while it is away is not made up for: more will come."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database, self._hub = database, hub
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen in the background."""
        self._task = asyncio.create_task(self._run(), name="gateway-progress")

    async def stop(self) -> None:
        """Stop to listen."""
        await end(self._task)

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (*UNAVAILABLE, psycopg.Error) as error:
                logger.warning("progress_listener_lost", error_type=type(error).__name__)
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        async with self._database.direct("hivesync-progress", patience_s=2 * LISTEN_WAIT_S) as connection:
            await connection.execute(f"LISTEN {CHANNEL}".encode())
            while True:
                async for notification in connection.notifies(timeout=LISTEN_WAIT_S):
                    self._pass_on(notification.payload)
                await connection.execute(b"SELECT 1")

    def _pass_on(self, text: str) -> None:
        try:
            progress = _decode(text)
        except msgspec.DecodeError:
            # A newer version's: there is nothing to be done with it here.
            return
        self._hub.call_out(progress.project_id.int, lambda position: message_frame(progress, position))
