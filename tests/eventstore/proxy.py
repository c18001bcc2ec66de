"""A proxy before PostgreSQL's socket that loses answers, loses requests, holds them back, or goes silent."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

Loss = Literal["answer", "request"]


class Proxy:
    """Passes everything on until told otherwise; ``url`` is the database's through the proxy."""

    def __init__(self, url: str) -> None:
        given = conninfo_to_dict(url)
        self._target = f"{given['host']}/.s.PGSQL.{given['port']}"
        self._folder = Path(tempfile.mkdtemp(prefix="hivesync-proxy-"))
        user, password, database = (quote(str(given[name]), safe="") for name in ("user", "password", "dbname"))
        self.url = f"postgresql://{user}:{password}@/{database}?host={quote(str(self._folder), safe='')}&port=5432"
        self._losses: list[Loss] = []
        self._open = asyncio.Event()
        self._open.set()
        self._held: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.lost = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._folder / ".s.PGSQL.5432")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def lose(self, *losses: Loss) -> None:
        """Lose the next answers (the server has done its work) or requests (it hears nothing), and cut the line."""
        self._losses.extend(losses)

    def lose_no_more(self) -> None:
        """Forget what was still to be lost."""
        self._losses.clear()

    def go_silent(self) -> None:
        """Keep every line and pass nothing on."""
        self._open.clear()

    def speak_again(self) -> None:
        """Pass on what was kept back, and everything after."""
        self._open.set()

    def hold_next_request(self) -> asyncio.Event:
        """Keep the next request back until the returned event is set; its line stays silent, others work."""
        self._held = asyncio.Event()
        return self._held

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        server, to_server = await asyncio.open_unix_connection(self._target)
        try:
            ways = (self._requests(client, to_server), self._answers(server, to_client))
            pending = {asyncio.create_task(way) for way in ways}
            self._tasks |= pending
            # The server's callback must not end as cancelled: asyncio would log that as an error.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for way in pending:
                way.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            self._tasks -= pending
        finally:
            for writer in (to_client, to_server):
                writer.close()
            self._tasks.discard(task)

    async def _requests(self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while request := await client.read(1 << 20):
                await self._open.wait()
                if self._losses[:1] == ["request"]:
                    self._lost()
                    return
                if self._held is not None:
                    held, self._held = self._held, None
                    # The client hangs up meanwhile; the server is not to notice before it has the request.
                    await held.wait()
                to_server.write(request)
                await to_server.drain()

    async def _answers(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while answer := await server.read(1 << 20):
                await self._open.wait()
                if self._losses[:1] == ["answer"]:
                    self._lost()
                    return
                to_client.write(answer)
                await to_client.drain()

    def _lost(self) -> None:
        self._losses.pop(0)
        self.lost += 1
