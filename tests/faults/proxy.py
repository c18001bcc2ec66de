"""A TCP proxy before PostgreSQL's unix socket that can fall silent, lose its connections, or hang up."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

from tests.servers.ports import free_port

_CHUNK_BYTES = 65_536
_LINGER_NOT = struct.pack("ii", 1, 0)
"""Close with a reset, as a host that forgot the connection does."""


class Proxy:
    """Forwards TCP connections to a unix socket, until it is told to do otherwise."""

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._open = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._pairs: dict[asyncio.Task[None], asyncio.Event] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = free_port()

    async def __aenter__(self) -> Self:
        self._open.set()
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.hang_up()

    def url(self, postgres_url: str) -> str:
        """The same database by way of the proxy."""
        parts = urlsplit(postgres_url)
        user, password = quote(parts.username or "", safe=""), quote(parts.password or "", safe="")
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}{parts.path}"

    def fall_silent(self) -> None:
        """Forward nothing; connections stay open, and new ones are taken and hear nothing."""
        self._open.clear()

    def speak(self) -> None:
        """Forward again, and what was held back first."""
        self._open.set()

    def lose_connections(self) -> None:
        """Never forward anything again on the connections that there are, though they stay open; new ones work."""
        for forgotten in self._pairs.values():
            forgotten.set()
        self._open.set()

    async def hang_up(self) -> None:
        """Reset every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            _reset(writer)
        for task in list(self._pairs):
            task.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    async def pick_up(self) -> None:
        """Take connections again after ``hang_up``."""
        self._open.set()
        await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        forgotten = self._pairs[task] = asyncio.Event()
        self._writers.add(writer)
        try:
            await self._open.wait()
            far_reader, far_writer = await asyncio.open_unix_connection(self._target)
            self._writers.add(far_writer)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump(reader, far_writer, forgotten))
                    group.create_task(self._pump(far_reader, writer, forgotten))
            finally:
                self._writers.discard(far_writer)
                far_writer.close()
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass  # One side ended, or the proxy did: the other side is closed below.
        finally:
            self._writers.discard(writer)
            del self._pairs[task]
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, forgotten: asyncio.Event) -> None:
        while True:
            data = await reader.read(_CHUNK_BYTES)
            await self._open.wait()
            while forgotten.is_set():
                await asyncio.sleep(3600)
            if not data:
                raise ConnectionResetError("one side has closed")
            writer.write(data)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        found = writer.get_extra_info("socket")
        if found is not None and found.family == socket.AF_INET:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()
