"""A client that listens on the socket while faults happen: it comes back by itself, from the last position it has."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import psycopg
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.faults.report import Claim, at_least, none_of

RECONNECT_PAUSE_S = 0.1
OPEN_WAIT_S = 5.0
SILENT_MAX_S = 40.0
"""A connection that brings nothing for so long, not even a heartbeat, is given up."""

CAUGHT_UP_WAIT_S = 30.0
_KINDS = ("task.", "project.")
"""What of the log concerns a member of the project; of its own account it hears besides."""

_CONCERNING = """
    SELECT notification_id FROM eventlog.events
    WHERE notification_id > %s AND notification_id <= %s AND topic LIKE ANY (ARRAY['task.%%', 'project.%%'])
"""


class Listener:
    """Listens at any of the servers from the moment that it is accepted for the first time until the block ends."""

    def __init__(self, base_urls: Sequence[str], token: str, seed: int) -> None:
        self._urls = [url.replace("http://", "ws://") + "/ws" for url in base_urls]
        self._token = token
        self._random = random.Random(seed)
        self._task: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self.started_after: int | None = None
        self.position = 0
        self.positions: list[int] = []
        self.connections = 0
        self.resyncs: list[tuple[int, int]] = []

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="listener")
        async with asyncio.timeout(CAUGHT_UP_WAIT_S):
            await self._heard.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def reaches(self, position: int, timeout_s: float = CAUGHT_UP_WAIT_S) -> float | None:
        """Wait until everything up to a position was heard; the seconds that it took, none when the time ran out."""
        started = time.monotonic()
        while self.position < position:
            if time.monotonic() - started > timeout_s:
                return None
            await asyncio.sleep(0.01)
        return time.monotonic() - started

    async def audit(self, url: str) -> list[Claim]:
        """Hold what was heard against the log, once everything in it was."""
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT max(notification_id) FROM eventlog.events").fetchone()
            head = 0 if row is None else row[0]
            caught_up = await self.reaches(head)
            found = connection.execute(_CONCERNING, (self.started_after, head)).fetchall()
        left_out = {position for after, upto in self.resyncs for position in range(after + 1, upto + 1)}
        wanted = {position for (position,) in found} - left_out
        heard = [position for position in self.positions if position <= head]
        return [
            at_least("events heard on the socket", len(heard), 1),
            none_of("sockets that do not catch up with the log", caught_up is None),
            none_of("events that the socket did not bring", len(wanted - set(heard))),
            none_of("events that the socket brought twice or out of order", _disorder(heard)),
            none_of("events that the socket brought and the log does not have", len(set(heard) - wanted - left_out)),
        ]

    async def _run(self) -> None:
        while True:
            with suppress(OSError, TimeoutError, WebSocketException, InvalidHandshake):
                await self._listen()
            await asyncio.sleep(RECONNECT_PAUSE_S)

    async def _listen(self) -> None:
        url = self._random.choice(self._urls)
        async with connect(url, open_timeout=OPEN_WAIT_S, close_timeout=0.1, proxy=None) as connection:
            payload: dict[str, Any] = {"token": self._token}
            if self.started_after is not None:
                payload["after"] = self.position
            await connection.send(json.dumps({"event_type": "auth", "payload": payload}))
            self.connections += 1
            while True:
                async with asyncio.timeout(SILENT_MAX_S):
                    message = json.loads(await connection.recv())
                self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        position: int = message.get("position") or 0
        if message["event_type"] == "auth.accepted" and self.started_after is None:
            self.started_after = self.position = position
            self._heard.set()
        elif message["event_type"] == "resync":
            self.resyncs.append((self.position, position))
        elif message["event_type"].startswith(_KINDS):
            self.positions.append(position)
        self.position = max(self.position, position)


def _disorder(positions: Sequence[int]) -> int:
    broken = highest = 0
    for position in positions:
        broken += position <= highest
        highest = max(highest, position)
    return broken
