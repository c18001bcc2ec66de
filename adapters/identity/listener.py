"""Listens to the channel ``identity`` for what ceased to be good, and knows at every moment whether it hears."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import AsyncConnection

from adapters.identity.caller import Revoked
from adapters.identity.verification import TokenVerifier
from adapters.postgres.connections import Database
from adapters.postgres.errors import UNAVAILABLE
from projections.engine.tasks import end

logger = structlog.get_logger(__name__)

CHANNEL = "identity"
HEARTBEAT_S = 1.0
TRUST_S = 2.0
"""After an answered heartbeat, what was remembered is believed for so long, counted from the question."""

RECONNECT_S = 0.5


class RevocationListener:
    """One listening connection for the process; whenever it was lost, everything remembered is forgotten."""

    def __init__(self, database: Database, verifier: TokenVerifier) -> None:
        self._database = database
        self._verifier = verifier
        self._task: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    async def start(self) -> None:
        """Begin to listen in the background."""
        self._task = asyncio.create_task(self._run(), name="revocation listener")

    async def stop(self) -> None:
        """Stop to listen; nothing remembered is believed any more."""
        await end(self._task)
        self._verifier.trust_until(0.0)

    async def listening(self) -> None:
        """Return when the listening connection stands."""
        await self._listening.wait()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (*UNAVAILABLE, psycopg.Error) as error:
                logger.warning("revocation_listener_lost", error=str(error))
            finally:
                self._listening.clear()
                self._verifier.trust_until(0.0)
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        async with self._database.direct("hivesync-revocations") as connection:
            async with asyncio.timeout(TRUST_S):
                await connection.execute(f"LISTEN {CHANNEL}".encode())
            self._verifier.forget(Revoked())
            await self._hear(connection)

    async def _hear(self, connection: AsyncConnection[Any]) -> None:
        while True:
            asked = time.monotonic()
            async with asyncio.timeout(TRUST_S):
                await connection.execute(b"SELECT 1")
            # What was notified before the answer lies in the backlog: take it in before anything is believed longer.
            async for notification in connection.notifies(timeout=0):
                self._verifier.forget(_parse(notification.payload))
            self._verifier.trust_until(asked + TRUST_S)
            self._listening.set()
            async for notification in connection.notifies(timeout=HEARTBEAT_S):
                self._verifier.forget(_parse(notification.payload))


def _parse(payload: str) -> Revoked:
    """What a notification says; one that is not understood may mean anything."""
    kind, _, text = payload.partition(":")
    with suppress(ValueError):
        if kind == "token":
            return Revoked(token_id=UUID(text))
        if kind == "account":
            return Revoked(account_id=UUID(text))
    return Revoked()
