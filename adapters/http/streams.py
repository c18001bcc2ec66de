"""Answers that are sent piece by piece: lines of JSON as they come, and files with ranges (RFC 9110, section 14)."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from adapters.http.answers import JsonAnswer
from adapters.http.failures import PreconditionFailed, RangeNotSatisfiable

NDJSON: Final = "application/x-ndjson"
"""Lines of JSON, each whole by itself."""

CHUNK_BYTES: Final = 256 * 1024
_RANGE = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


class LinesAnswer(JsonAnswer):
    """Lines of JSON, sent as they are made; nothing more is made once the client has gone."""

    __slots__ = ("_lines",)

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        super().__init__(b"")
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        gone = asyncio.create_task(_disconnected(receive))
        headers = [(b"content-type", NDJSON.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            async for lines in self._lines:
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": lines, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            await self._lines.aclose()  # type: ignore[attr-defined]


class FileAnswer(ASGIResponse):
    """A file that does not change, whole or one range of it, read as fast as the client takes it.

    304 where the client has it already. Raises ``RangeNotSatisfiable`` where there is no such range, and
    ``PreconditionFailed`` where the client wants another version of the file alone.
    """

    def __init__(self, scope: Scope, path: Path, file: BinaryIO, *, media_type: str, tag: str) -> None:
        super().__init__(media_type=media_type)
        self._file = file
        self._name = path.name
        self._size = os.fstat(file.fileno()).st_size
        self._tag = f'"{tag}"'.encode()
        self._media_type = media_type.encode()
        self._status, self._first, self._end = self._asked(scope)

    def to_asgi_response(self, **_: Any) -> FileAnswer:
        """Itself."""
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._file:
            await send({"type": "http.response.start", "status": self._status, "headers": self._headers()})
            left = self._end - self._first
            self._file.seek(self._first)
            while left > 0:
                chunk = await asyncio.to_thread(self._file.read, min(CHUNK_BYTES, left))
                left -= len(chunk) or left
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _headers(self) -> list[tuple[bytes, bytes]]:
        headers = [(b"etag", self._tag), (b"accept-ranges", b"bytes"), (b"cache-control", b"private, no-cache")]
        if self._status != 304:
            headers += [
                (b"content-type", self._media_type),
                (b"content-length", str(self._end - self._first).encode()),
                (b"content-disposition", f'attachment; filename="{self._name}"'.encode()),
            ]
        if self._status == 206:
            headers.append((b"content-range", f"bytes {self._first}-{self._end - 1}/{self._size}".encode()))
        return headers

    def _asked(self, scope: Scope) -> tuple[int, int, int]:
        """Status, first byte, and the byte after the last."""
        headers = dict(scope["headers"])
        wanted = headers.get(b"if-match", b"*").strip()
        if wanted != b"*" and self._tag not in [one.strip() for one in wanted.split(b",")]:
            raise PreconditionFailed
        known = headers.get(b"if-none-match", b"").strip()
        if known == b"*" or self._tag in [one.strip().removeprefix(b"W/") for one in known.split(b",")]:
            return 304, 0, 0
        found = _RANGE.fullmatch(headers.get(b"range", b"").strip())
        # A range of several parts, of another unit, or of another version of the file: all of it is sent.
        if found is None or not (found[1] or found[2]) or headers.get(b"if-range", self._tag).strip() != self._tag:
            return 200, 0, self._size
        if found[1]:
            first, end = int(found[1]), min(int(found[2] or self._size) + 1, self._size)
            if found[2] and int(found[2]) < first:
                return 200, 0, self._size
        else:
            first, end = max(0, self._size - int(found[2])), self._size
        if first >= end:
            raise RangeNotSatisfiable(self._size)
        return 206, first, end


async def _disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            return
