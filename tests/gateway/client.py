"""A client of the socket, as a test speaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.gateway.server import Server

PATIENCE_S = 60.0
QUIET_S = 0.3
"""How long nothing has to come before a test believes that nothing comes; an event takes some milliseconds."""

Message = dict[str, Any]


class Client:
    """One connection; what comes is read when asked for."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, event_type: str, **payload: Any) -> None:
        """Send a message."""
        await self.connection.send(json.dumps({"event_type": event_type, "payload": payload}))

    async def receive(self) -> Message:
        """The next message that is no heartbeat."""
        while True:
            message: Message = json.loads(await asyncio.wait_for(self.connection.recv(), PATIENCE_S))
            if message["event_type"] != "heartbeat":
                return message

    async def authenticate(self, token: str, **more: Any) -> Message:
        """Authenticate, and be accepted."""
        await self.send("auth", token=token, **more)
        message = await self.receive()
        assert message["event_type"] == "auth.accepted", message
        return message

    async def until(self, position: int) -> list[Message]:
        """Everything that comes up to the message with this position."""
        messages = [await self.receive()]
        while messages[-1]["position"] < position:
            messages.append(await self.receive())
        return messages

    async def quiet(self) -> None:
        """Fail if anything comes."""
        try:
            message = await asyncio.wait_for(self.connection.recv(), QUIET_S)
        except TimeoutError:
            return
        raise AssertionError(f"nothing was to come, and there came {message!r}")

    async def ended(self) -> tuple[int, list[Message]]:
        """The code with which the server closes, and what came before."""
        messages: list[Message] = []
        with pytest.raises(ConnectionClosed) as closed:
            await self._collect(messages)
        assert closed.value.rcvd is not None, "the connection was lost without a word"
        return closed.value.rcvd.code, messages

    async def _collect(self, messages: list[Message]) -> None:
        while True:
            messages.append(json.loads(await asyncio.wait_for(self.connection.recv(), PATIENCE_S)))

    async def close_code(self) -> int:
        """The code with which the server closes, before it has said anything else."""
        code, messages = await self.ended()
        assert messages == []
        return code


@asynccontextmanager
async def client(server: Server, token: str | None = None, **auth: Any) -> AsyncIterator[Client]:
    """A connection, authenticated where there is a token, to a server that has nothing left to hand out."""
    await server.caught_up()
    async with server.connect() as connection:
        one = Client(connection)
        if token is not None:
            await one.authenticate(token, **auth)
        yield one
