"""WebSocket frames, made once for everybody who is sent the same."""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from shared.socket.messages import FromServer, Outgoing

_FINAL_TEXT: Final = 0x81
_SHORT_MAX: Final = 125
_MEDIUM_MAX: Final = 65_535

_encode = msgspec.json.Encoder().encode


def text_frame(text: bytes) -> bytes:
    """UTF-8 text as one whole frame from a server: unmasked, uncompressed (RFC 6455, section 5.2)."""
    length = len(text)
    if length <= _SHORT_MAX:
        head = struct.pack("!BB", _FINAL_TEXT, length)
    elif length <= _MEDIUM_MAX:
        head = struct.pack("!BBH", _FINAL_TEXT, 126, length)
    else:
        head = struct.pack("!BBQ", _FINAL_TEXT, 127, length)
    return head + text


def message_frame(payload: FromServer, position: int) -> bytes:
    """The frame of a message that is no event of the log."""
    return text_frame(_encode(Outgoing(event_type=payload.event_type, payload=payload, position=position)))
