"""What a client of ``/ws/live`` sends, read one message after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from adapters.gateway.admission import Receive
from adapters.gateway.proving import Refused
from adapters.gateway.stats import Stats
from shared.socket.close_codes import CloseCode
from shared.socket.live import Message
from shared.socket.messages import Incoming

Decoders = Mapping[str, msgspec.json.Decoder[Any]]

_decode_envelope: Final = msgspec.json.Decoder(Incoming).decode


class Left(Exception):
    """The socket is closed, or the client has said that it leaves."""


def decoders(*messages: type[Message]) -> Decoders:
    """What decodes the payload of each message, by its type."""
    return {message.event_type: msgspec.json.Decoder(message) for message in messages}


class Inbox:
    """The messages of one socket."""

    __slots__ = ("_receive", "_stats")

    def __init__(self, receive: Receive, stats: Stats) -> None:
        self._receive, self._stats = receive, stats

    async def next(self, known: Decoders, *, unknown: CloseCode) -> Any:
        """The payload of the next message.

        Raises ``Left``, and ``Refused``: with ``unknown`` for a message that is not among the known.
        """
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise Left
        text = message.get("text")
        if text is None:
            raise Refused(CloseCode.BINARY, "messages are text")
        try:
            envelope = _decode_envelope(text)
            decoder = known.get(envelope.event_type)
            if decoder is None:
                self._stats.received["unknown"] += 1
                raise Refused(unknown, f"not taken here: {envelope.event_type}")
            payload = decoder.decode(envelope.payload)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise Refused(CloseCode.MALFORMED, str(error)) from None
        self._stats.received[envelope.event_type] += 1
        return payload
