"""The HTTP protocol of the server, with a limit on the size of a request's head and on how long it may take.

uvicorn lets a half-sent request wait for ever and a head grow without end. A proxy in front would see to both; the one
command that starts HiveSync has none.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.http.errors import HEAD_MALFORMED, HEAD_TOO_LARGE, HEAD_TOO_SLOW, Kind
from adapters.http.limits import HEAD_BYTES_MAX, HEAD_WAIT_S
from shared.api.problems import PROBLEM_MEDIA_TYPE, PROBLEM_TYPES_PATH


class _Answer:
    """What an answer is written to: its head waits for the first part of its body, so that both leave in one piece.

    Two would cost two calls of the system, and wake the client twice. A head whose body takes its time goes alone, as
    soon as the loop has its next turn.
    """

    __slots__ = ("_has_begun", "_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._head: bytes | None = None
        self._has_begun = False

    def write(self, data: bytes) -> None:
        """Write, or hold what is written first."""
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.writelines((head, data) if data else (head,))
        elif self._has_begun:
            self._transport.write(data)
        else:
            self._has_begun, self._head = True, data
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what is held."""
        if self._head is not None:
            self.write(b"")

    def close(self) -> None:
        """Write what is held, and close the connection."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is closed."""
        return self._transport.is_closing()


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's protocol; a connection whose request does not begin properly is answered once and closed."""

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; what is left of a head that does not end is counted."""
        super().data_received(data)
        if self._head_timer is not None and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._head_bytes = 0
        if self._head_timer is None:
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole; from here on the application looks after its limits."""
        self._head_is_there()
        super().on_headers_complete()
        # Before its task runs; a request to upgrade has no cycle of its own.
        cycle = self.cycle
        if cycle is not None and cycle.transport is self.transport:
            cycle.transport = _Answer(self.transport, self.loop)  # type: ignore[assignment]

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._refuse(HEAD_MALFORMED)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_WAIT_S, self._refuse, HEAD_TOO_SLOW)

    def _head_is_there(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, kind: Kind) -> None:
        self._head_is_there()
        if self.transport.is_closing():
            return
        cycle = self.cycle
        if cycle is not None and cycle.more_body and not cycle.response_started:
            # The body is what was wrong: the application waits for the rest of it, and is not heard any more.
            cycle.disconnected = True
            cycle.message_event.set()
            self.transport.write(_problem(kind))
        elif cycle is None or cycle.response_complete:
            self.transport.write(_problem(kind))
        self.transport.close()


def _problem(kind: Kind) -> bytes:
    told = {
        "type": PROBLEM_TYPES_PATH + kind.code,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.explanation,
    }
    body = msgspec.json.encode(told)
    head = (
        f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}\r\ncontent-type: {PROBLEM_MEDIA_TYPE}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
