"""The connection of a live command: made again whenever it is lost, until the server says that it is over."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus

from adapters.cli.console import CommandFailed
from adapters.cli.ending import Exit
from shared.socket.close_codes import CLOSE_CODES, CloseCode
from shared.socket.live_limits import HOST_MESSAGE_BYTES_MAX

PAUSE_MIN_S: Final = 0.2
PAUSE_MAX_S: Final = 5.0
OPEN_WAIT_S: Final = 10.0
SILENCE_FACTOR: Final = 2.5

OVER: Final = frozenset(CloseCode) - {
    CloseCode.SERVER_ERROR, CloseCode.RESTART, CloseCode.TRY_AGAIN, CloseCode.TOO_MANY_MESSAGES, CloseCode.TOO_SLOW,
    CloseCode.TOO_MANY_SOCKETS, CloseCode.AUTH_TIMEOUT,
}  # fmt: skip
"""Codes after which coming back is of no use."""


class Heard(msgspec.Struct, frozen=True):
    """A message from the server."""

    event_type: str
    payload: msgspec.Raw
    seq: int | None = None


class Lost(NamedTuple):
    """The connection was lost; ``again_in_s`` until the next try."""

    cause: str
    again_in_s: float


class Over(Exception):
    """The server closed for good, with this code."""

    def __init__(self, code: int, reason: str) -> None:
        known = CLOSE_CODES.get(CloseCode(code)) if code in set(CloseCode) else None
        cause = reason or f"closed with {code}" if known is None else known.reasons.get(reason, known.cause)
        super().__init__(cause.rstrip("."))
        self.code = code


class Talk:
    """Says things while there is a connection; ``messages`` makes one whenever there is none."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: ClientConnection | None = None
        self.heartbeat_s = 20.0
        self._failures = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._socket is not None

    async def say(self, event_type: str, payload: msgspec.Struct | Mapping[str, Any]) -> bool:
        """Send a message; false where there is no connection, which ``messages`` tells too. Waits for a slow server."""
        if self._socket is None:
            return False
        try:
            await self._socket.send(
                msgspec.json.encode({"event_type": event_type, "payload": payload}).decode(), text=True
            )
        except ConnectionClosed:
            return False
        return True

    def is_well(self) -> None:
        """The server has taken the connection: the next pause is a short one."""
        self._failures = 0

    async def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            await self._socket.close()

    async def messages(self) -> AsyncGenerator[Heard | Lost | None, None]:
        """What the server says; None for each new connection, ``Lost`` for each that is lost. Raises ``Over``."""
        while True:
            try:
                async with connect(
                    self._url, max_size=HOST_MESSAGE_BYTES_MAX, compression=None, open_timeout=OPEN_WAIT_S
                ) as socket:
                    self._socket = socket
                    yield None
                    async for heard in self._listen(socket):
                        yield heard
                cause = "the connection was closed"
            except ConnectionClosed as error:
                cause = self._closed(error)
            except InvalidStatus as error:
                if error.response.status_code < 500:
                    cause = f"the server answers {error.response.status_code} instead of speaking of live sessions"
                    raise CommandFailed(cause, "Is it a HiveSync server of this version?", Exit.UNREACHABLE) from error
                cause = f"the server answers {error.response.status_code}"
            except (OSError, TimeoutError, InvalidHandshake, InvalidMessage) as error:
                cause = str(error) or type(error).__name__
            finally:
                self._socket = None
            pause_s = min(PAUSE_MAX_S, PAUSE_MIN_S * 2.0**self._failures) * random.uniform(0.5, 1.0)
            self._failures += 1
            yield Lost(cause, pause_s)
            await asyncio.sleep(pause_s)

    async def _listen(self, socket: ClientConnection) -> AsyncGenerator[Heard, None]:
        while True:
            async with asyncio.timeout(self.heartbeat_s * SILENCE_FACTOR):
                text = await socket.recv()
            yield msgspec.json.decode(text, type=Heard)

    def _closed(self, error: ConnectionClosed) -> str:
        frame = error.rcvd
        if frame is None:
            return "the connection broke"
        if frame.code in OVER:
            raise Over(frame.code, frame.reason) from error
        return frame.reason or f"the server closed with {frame.code}"
