"""The WebSocket as the gateway needs it of uvicorn: with its transport in reach, and an end to every kind of flood.

Passed to uvicorn as ``ws=GatewayProtocol``. What an application gets is the ASGI of any server; in
``scope["extensions"][CONNECTION]`` lies the protocol itself, to which frames made once for everybody are written without
a hop through ASGI (6 to 15 µs a message and viewer, of which a write is 4).
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.server import ServerProtocol

from adapters.gateway.rate import RateLimit
from shared.socket.close_codes import CloseCode
from shared.socket.limits import (
    CLOSE_WAIT_S,
    FRAGMENTS_MAX,
    MESSAGE_BYTES_MAX,
    MESSAGES_BURST_MAX,
    MESSAGES_PER_S,
    OUTBOX_BYTES_MAX,
    PING_INTERVAL_S,
    PING_TIMEOUT_S,
)

CONNECTION: Final = "hivesync.connection"
QUERY: Final = "hivesync.query"
"""Where the query of the address is kept: out of ``scope["query_string"]``, which uvicorn writes to its log."""

KERNEL_BYTES_MAX: Final = 131_072
"""What the kernel keeps for one client; Linux doubles it for its own bookkeeping."""

REASON_BYTES_MAX: Final = 123
"""What a close frame has room for (RFC 6455, section 5.5)."""

_logger = logging.getLogger("adapters.gateway.websocket")
_logger.setLevel(logging.WARNING)  # Below that the library writes down every frame, tokens and all (R6).


class GatewayProtocol(WebSocketsSansIOProtocol):
    """One connection. ``paused`` says that it takes no more for now, ``is_open`` that frames may be written.

    ``ended`` names who or what ended it: a close code of ours, ``client``, or ``unanswered``.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # No compression: a frame that is made once cannot be compressed for each, and it halves the throughput.
        self.conn = ServerProtocol(max_size=MESSAGE_BYTES_MAX, logger=_logger)
        self.ping_interval, self.ping_timeout = PING_INTERVAL_S, PING_TIMEOUT_S
        self.close_timeout = CLOSE_WAIT_S
        self.paused = False
        self.ended = "client"
        self.rate = RateLimit(MESSAGES_PER_S, MESSAGES_BURST_MAX)
        self._fragments = 0
        self._drained = asyncio.Event()
        self._drained.set()

    # --- what the gateway calls ------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether frames may be written."""
        return self.handshake_complete and not (self.close_sent or self.disconnected or self.transport.is_closing())

    def allow(self, message_bytes_max: int) -> None:
        """Take messages of another size from now on: it is known who is there."""
        self.conn.max_message_size = message_bytes_max

    def write_frames(self, frames: bytes) -> None:
        """Write whole frames; nothing happens where the connection is closing."""
        if self.is_open:
            self.transport.write(frames)

    async def drained(self) -> None:
        """Return when the connection takes more, or is lost."""
        await self._drained.wait()

    def end(self, code: CloseCode, reason: str = "") -> None:
        """Close, at once for us: what a client that takes nothing has not read yet is thrown away."""
        if not self.is_open:
            return
        reason = reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
        self.ended = code.name.lower()
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": int(code), "reason": reason})
        self.close_sent = True
        with suppress(InvalidState):
            self.conn.send_close(int(code), reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.paused:
            self.transport.abort()
            return
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSE_WAIT_S, self.transport.abort)

    # --- what uvicorn calls ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what waits in the transport, and in the kernel, which would let it grow to megabytes for each."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=OUTBOX_BYTES_MAX, low=OUTBOX_BYTES_MAX // 4)
        underneath = transport.get_extra_info("socket")
        if underneath is not None and underneath.family in (socket.AF_INET, socket.AF_INET6):
            underneath.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES_MAX)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of whoever waits for the connection."""
        super().connection_lost(exc)
        self._drained.set()

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        super().pause_writing()
        self.paused = True
        self._drained.clear()

    def resume_writing(self) -> None:
        """The client has taken most of what waited."""
        super().resume_writing()
        self.paused = False
        self._drained.set()

    async def run_asgi(self) -> None:
        """Hand the connection to the application, and keep what the address says out of the log."""
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] |= {CONNECTION: self, QUERY: scope["query_string"]}
        scope["query_string"] = b""
        await super().run_asgi()

    def handle_text(self, event: Frame) -> None:
        """Begin a text message."""
        self._fragments = 0
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Begin a binary message."""
        self._fragments = 0
        super().handle_bytes(event)

    def handle_parser_exception(self) -> None:
        """The client broke the protocol, and was told so by the code that the parser chose."""
        if self.conn.close_sent is not None:
            self.ended = str(self.conn.close_sent.code)
        super().handle_parser_exception()

    def handle_cont(self, event: Frame) -> None:
        """Go on with a message; empty frames cost memory too, so they are counted."""
        self._fragments += 1
        if self._fragments >= FRAGMENTS_MAX:
            self.frames = []
            self.end(CloseCode.TOO_BIG, "too many frames")
            return
        super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping, unless they come too fast, or the client does not even take the answers."""
        if self.is_open and not self.rate.allows(self.loop.time()):
            self.conn.data_to_send()
            self.end(CloseCode.TOO_MANY_MESSAGES, "too many pings")
        elif self.paused or not self.is_open:
            self.conn.data_to_send()
        else:
            super().handle_ping()

    def send_receive_event_to_app(self) -> None:
        """Pass a whole message on, if it is what it says."""
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_utf8(self.frames):
            self.frames = []
            self.end(CloseCode.NOT_UTF8, "not UTF-8")
            return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        """Nobody is there: what waits to be sent will never be taken, so nothing is waited for."""
        self.pong_timer = None
        self.ended = "unanswered"
        self.transport.abort()

    def shutdown(self) -> None:
        """The server stops: say so, and do not wait for a client that takes nothing."""
        self.ended = "restart"
        super().shutdown()
        if self.paused:
            self.transport.abort()


def _is_utf8(frames: list[bytes]) -> bool:
    try:
        b"".join(frames).decode()
    except UnicodeDecodeError:
        return False
    return True
