"""A lean HTTP/1.1 client for load: what it takes itself is taken from the servers that share its machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

IDLE_MAX_S = 3.0
"""A line that was idle for longer is not used again: the server closes it after five seconds."""


class Response(NamedTuple):
    """A whole answer; the names of its headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Idle(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    since: float


class HttpLines:
    """Connections to one server, kept open between requests; each carries one request at a time."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._always = "".join(f"{name}: {value}\r\n" for name, value in {"host": parts.netloc, **headers}.items())
        self._idle: list[_Idle] = []

    def close(self) -> None:
        """Close every connection."""
        while self._idle:
            self._idle.pop().writer.close()

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        """Send a request and read the whole answer; raises OSError or EOFError where none came, and closes the line."""
        reader, writer = self._living_line() or await asyncio.open_connection(self._host, self._port)
        kept = False
        try:
            own = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(f"{method} {path} HTTP/1.1\r\n{self._always}{own}content-length: {len(body)}\r\n\r\n".encode())
            if body:
                writer.write(body)
            response = await _read(reader)
            kept = response.headers.get("connection") != "close"
            return response
        finally:
            # After a cancellation too: the answer to this request must not be taken for that to another.
            if kept:
                self._idle.append(_Idle(reader, writer, time.monotonic()))
            else:
                writer.close()

    def _living_line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """The line that was used last, where the server has not closed it and is not about to."""
        while self._idle:
            reader, writer, since = self._idle.pop()
            if not reader.at_eof() and time.monotonic() - since < IDLE_MAX_S:
                return reader, writer
            writer.close()
        return None


async def _read(reader: asyncio.StreamReader) -> Response:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = headers.get("content-length")
    if length is None and headers.get("transfer-encoding") is None:
        body = b""
    elif length is None:
        raise ConnectionError("an answer in chunks, which none of these requests has")
    else:
        body = await reader.readexactly(int(length))
    return Response(int(first.split(" ", 2)[1]), headers, body)
