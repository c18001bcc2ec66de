"""A viewer that means harm: every message there is, a host's own among them, and bytes that are none."""

from __future__ import annotations

import json
import os
import random
import struct
import zlib
from typing import Any
from uuid import UUID

import msgspec

from shared.socket.live import FROM_HOST, FROM_VIEWER, TO_HOST, TO_VIEWER

NAMES = sorted({said.event_type for group in (FROM_HOST, FROM_VIEWER, TO_HOST, TO_VIEWER) for said in group})
OTHERS = ("auth", "subscribe", "ping", "live.patch", "document.replace", "__proto__", "")


_DEEP = "[" * 1_900 + "]" * 1_900
_PING = '{"event_type":"live.ping","payload":%s}'
STRANGE: tuple[str, ...] = (
    _PING % _DEEP,
    _PING % ('{"nonce":' + _DEEP + "}"),
    '{"event_type":' + _DEEP + ',"payload":{}}',
    _PING % ('{"a":' * 600 + "1" + "}" * 600),
    _PING % '{"nonce":NaN}',
    _PING % '{"nonce":Infinity}',
    _PING % '{"nonce":1e999}',
    _PING % ('{"nonce":' + "9" * 3_500 + "}"),
    '{"event_type":"live.view","payload":{"viewer_token":"x","seq":' + "9" * 3_500 + "}}",
    '{"event_type":"live.view","payload":{"viewer_token":"x","epoch":1,"seq":1e308}}',
    '{"event_type":"live.view","payload":{"viewer_token":"x","epoch":-1,"seq":9007199254740992}}',
    _PING % '{"nonce":"1","nonce":["2"]}',
    '{"event_type":"live.ping","event_type":"live.change","payload":{}}',
    "\ufeff" + _PING % "{}" + "\x00",
    (_PING % "{}") * 2,
    _PING % '{"nonce":"\\u0000"}' + "x",
    '{"event_type":"' + "a" * 3_900 + '","payload":{}}',
    '{"event_type":"live.change\\u0000","payload":{}}',
    '{"event_type":"LIVE.PING","payload":{}}',
    "null" * 900,
    "0" * 4_000,
    '"' + "\U0001f600" * 900 + '"',
)
"""JSON, and what is nearly JSON, that a parser or what is behind it may stumble over."""

WRONG = (None, -1, 2**63, 2**64, 1.5, "", "x" * 500, "\ud800", [], [[]], {}, True, {"a": {"b": []}}, [None] * 20)


def _wrong_types(whole: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """For each field of each message that a client may send: values of other types, one at a time."""
    return [
        (said.event_type, field.name, value)
        for said in (*FROM_HOST, *FROM_VIEWER)
        for field in msgspec.structs.fields(said)
        for value in WRONG
        if value != whole.get(field.name)
    ]


def _with(name: str, field: str, value: Any) -> str:
    payload = {"viewer_token": "x", "session_id": str(UUID(int=0)), "file": "a.py"} if field == "payload" else {}
    return json.dumps({"event_type": name, "payload": payload | {field: value}})


def messages(session_id: UUID, file: str, token: str, chance: random.Random) -> list[str | bytes]:
    """Text and binary messages, each to be sent on a socket of its own after the first message of a viewer."""
    position = {"line": 0, "character": 0}
    whole = {
        "session_id": str(session_id),
        "token": token,
        "viewer_token": token,
        "file": file,
        "to": "stolen.py",
        "base_version": 1,
        "version": 2,
        "text": "owned",
        "changes": [{"range": {"start": position, "end": position}, "text": "owned"}],
        "seq": 0,
        "epoch": 1,
        "nonce": "1",
        "reason": "host_ended",
        "ignore": [],
    }
    made: list[str | bytes] = []
    for name in (*NAMES, *OTHERS):
        made.append(json.dumps({"event_type": name, "payload": whole}))
        made.append(json.dumps({"event_type": name, "payload": _fitting(name, whole)}))
        made.append(json.dumps({"event_type": name, "payload": _twisted(whole, chance), "seq": 1, "position": 1}))
    made += [_with(name, field, value) for name, field, value in _wrong_types(whole)]
    made += STRANGE
    made += ["", "{", "[]", "null", "\x00", "[" * 3_000, '{"event_type":1}', '{"event_type":"live.ping","payload":[]}']
    made += ['{"event_type":"live.ping","payload":{"nonce":"\\ud800"}}', '{"payload":{}}', "x" * 5_000, b"binary"]
    return made


def _fitting(name: str, whole: dict[str, Any]) -> dict[str, Any]:
    """As much of everything as the message of this name has."""
    for said in (*FROM_HOST, *FROM_VIEWER):
        if said.event_type == name:
            return {field: whole[field] for field in (f.name for f in msgspec.structs.fields(said)) if field in whole}
    return {}


def _twisted(whole: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Everything, with some values of other kinds."""
    twists = (None, -1, 2**64, "", "x" * 500, [], {}, True, 1e308, {"$ref": "#"}, ["a"] * 50)
    return {key: chance.choice(twists) if chance.random() < 0.4 else value for key, value in whole.items()}


def frames(chance: random.Random) -> list[bytes]:
    """Frames that the WebSocket protocol does not allow, or that a server should not take (RFC 6455, section 5.2)."""
    mask = os.urandom(4)

    def frame(first: int, payload: bytes, *, length: int | None = None, masked: bool = True) -> bytes:
        size = len(payload) if length is None else length
        head = struct.pack("!BBQ", first, (0x80 if masked else 0) | 127, size)
        body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)) if masked else payload
        return head + (mask if masked else b"") + body

    ping = (_PING % "{}").encode()
    return [
        frame(0x88, struct.pack("!H", 999)),
        frame(0x88, struct.pack("!H", 1005)),
        frame(0x88, struct.pack("!H", 65_535)),
        frame(0x88, b"x"),
        frame(0x88, struct.pack("!H", 1000) + b"\xff\xfe"),
        frame(0x08, struct.pack("!H", 1000)),
        frame(0x09, b"fragmented ping"),
        frame(0xA1, ping),
        frame(0xC1, zlib.compress(ping)),
        frame(0x01, ping[:10]) + frame(0x81, ping),
        frame(0x01, ping[:10]) + frame(0x89, b"p") + frame(0x00, ping[10:20]) + frame(0x82, b"binary"),
        frame(0x01, b"\xf0\x9f") + frame(0x80, b"\x98"),
        frame(0x02, b"binary") + frame(0x80, b"more"),
        frame(0x81, _PING.encode() * 200),
        frame(0x01, b"{" * 3_000) + frame(0x80, b"{" * 3_000),
        struct.pack("!BBH", 0x81, 0x80 | 126, 10) + mask + b"0123456789",
        struct.pack("!BBQ", 0x81, 0x80 | 127, 2**63 + 1) + mask,
        frame(0x81, b"", length=2**40),
        frame(0x81, b"x" * 200_000),
        frame(0x81, b"{}", masked=False),
        frame(0xC1, b"\xf2\x48\xcd\xc9\xc9\x07\x00"),
        frame(0x83, b"reserved"),
        frame(0x80, b"continued what was not begun"),
        frame(0x89, b"p" * 200),
        frame(0x81, b"\xff\xfe"),
        b"".join([frame(0x01, b"{"), *(frame(0x00, b"") for _ in range(200))]),
        chance.randbytes(300),
    ]
