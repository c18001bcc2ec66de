"""What the checker and its worker processes say to each other: frames of msgpack behind their length."""

from __future__ import annotations

import struct

import msgspec

from hivesync_core.comments import Report

LENGTH = struct.Struct(">I")
FRAME_BYTES_MAX = 64 * 1024 * 1024


class Question(msgspec.Struct, frozen=True):
    """One check. ``comments`` is JSON text: what a model wrote may hold what msgpack cannot (lone surrogates, huge numbers)."""

    source: bytes
    language: str
    comments: bytes
    timeout_s: float


class Answer(msgspec.Struct, frozen=True):
    """The report, or why the file is refused."""

    report: Report | None = None
    cause: str = ""
    reason: str = ""


def framed(message: Question | Answer) -> bytes:
    """The message behind its length."""
    body = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(body)) + body
