"""Whatever is sent, the socket ends with a documented code or goes on; the server never writes a traceback."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from shared.socket.close_codes import CLOSE_CODES, CloseCode
from shared.socket.limits import FRAGMENTS_MAX, MESSAGE_BYTES_MAX
from shared.socket.messages import FROM_CLIENT
from tests.gateway.client import Client, client
from tests.gateway.server import Server


@pytest.fixture(autouse=True)
async def _no_traceback(server: Server, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    yield
    assert [record for record in caplog.records if record.exc_info and not record.name.startswith("websockets")] == []
    assert server.gateway.stats.closed["server_error"] == 0


async def _close_code_after(server: Server, *messages: str | bytes) -> int | None:
    """The code with which an authenticated socket ends after these messages, none where it stays open."""
    ada = await server.sign_in()
    async with client(server, ada.access_token) as one:
        with suppress(ConnectionClosed):
            for message in messages:
                await one.connection.send(message)
            await one.send("ping", nonce="still here")
            while (await one.receive())["payload"].get("nonce") != "still here":
                pass
            return None
        return one.connection.close_code


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "null",
        "[]",
        "7",
        '"auth"',
        "{}",
        "{",
        '{"event_type":"ping"}',
        '{"payload":{}}',
        '{"event_type":"","payload":{}}',
        '{"event_type":7,"payload":{}}',
        '{"event_type":null,"payload":{}}',
        '{"event_type":"ping","payload":null}',
        '{"event_type":"ping","payload":[]}',
        '{"event_type":"ping","payload":{"nonce":7}}',
        '{"event_type":"ping","payload":{"nonce":"%s"}}' % ("n" * 65),
        '{"event_type":"ping","payload":{"unknown":1}}',
        '{"event_type":"subscribe","payload":{}}',
        '{"event_type":"subscribe","payload":{"projects":"some"}}',
        '{"event_type":"subscribe","payload":{"projects":["not-an-id"]}}',
        '{"event_type":"subscribe","payload":{"projects":{"a":1}}}',
        '{"event_type":"auth","payload":{"token":["a"]}}',
        '{"event_type":"auth","payload":{"token":"%s"}}' % ("t" * 201),
        '{"event_type":"auth","payload":{"token":"a","after":-1}}',
        '{"event_type":"auth","payload":{"token":"a","after":1e400}}',
        '{"event_type":"auth","payload":{"token":"a","after":99999999999999999999}}',
        '{"event_type":"%s","payload":{}}' % ("e" * 101),
        '{"event_type":"ping","payload":{}} trailing',
        "\0",
        '{"event_type":"pi\0ng","payload":{}}',
        "[" * 60_000,
        '{"event_type":"ping","payload":' + '{"a":' * 10_000 + "1" + "}" * 10_000 + "}",
        '{"event_type":"subscribe","payload":{"projects":' + "[" * 30_000 + "]" * 30_000 + "}}",
    ],
    ids=lambda text: repr(text[:40]),
)
async def test_what_is_no_message_ends_the_socket(server: Server, text: str) -> None:
    assert await _close_code_after(server, text) == CloseCode.MALFORMED


async def test_a_message_of_an_unknown_type_is_answered_and_does_no_harm(server: Server) -> None:
    ada = await server.sign_in()
    async with client(server, ada.access_token) as one:
        await one.send("live.patch", anything=[1, {"at": "all"}])
        problem = await one.receive()
        assert (problem["event_type"], problem["payload"]["code"]) == ("error", "message.unknown_type")
        assert problem["payload"]["about"] == "live.patch"


async def test_more_keys_may_stand_beside_the_two(server: Server) -> None:
    assert await _close_code_after(server, '{"id":1,"event_type":"ping","payload":{},"trace":{"a":[]}}') is None


async def test_subscribing_to_too_many_projects_is_malformed(server: Server) -> None:
    projects = [str(uuid4()) for _ in range(1_001)]
    message = json.dumps({"event_type": "subscribe", "payload": {"projects": projects}})
    assert await _close_code_after(server, message) == CloseCode.MALFORMED


async def test_a_binary_message_ends_the_socket(server: Server) -> None:
    assert await _close_code_after(server, b'{"event_type":"ping","payload":{}}') == CloseCode.BINARY


async def test_a_message_as_large_as_allowed_is_read_and_one_more_byte_is_not(server: Server) -> None:
    message = '{"event_type":"unknown","payload":{"text":"%s"}}'
    fits = message % ("x" * (MESSAGE_BYTES_MAX - len(message) + 2))
    assert len(fits) == MESSAGE_BYTES_MAX
    assert await _close_code_after(server, fits) is None
    assert await _close_code_after(server, fits.replace("x", "xx", 1)) == CloseCode.TOO_BIG


async def test_a_huge_message_is_not_waited_for(server: Server) -> None:
    assert await _close_code_after(server, "x" * 10_000_000) == CloseCode.TOO_BIG


async def test_a_message_in_too_many_frames_ends_the_socket(server: Server) -> None:
    async with client(server) as one:
        await _write(one, Frame(Opcode.TEXT, b"{", fin=False), *[Frame(Opcode.CONT, b"", fin=False)] * FRAGMENTS_MAX)
        assert await one.close_code() == CloseCode.TOO_BIG


async def test_text_that_is_not_utf8_ends_the_socket(server: Server) -> None:
    async with client(server) as one:
        await _write(one, Frame(Opcode.TEXT, b'{"event_type":"\xff\xfe"}'))
        assert await one.close_code() == CloseCode.NOT_UTF8


async def test_a_character_may_be_split_between_frames(server: Server) -> None:
    ada = await server.sign_in()
    text = json.dumps({"event_type": "ping", "payload": {"nonce": "é"}}, ensure_ascii=False).encode()
    at = text.index(b"\xc3") + 1
    async with client(server, ada.access_token) as one:
        await _write(one, Frame(Opcode.TEXT, text[:at], fin=False), Frame(Opcode.CONT, text[at:]))
        assert (await one.receive())["payload"]["nonce"] == "é"


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xff\xff\xff",
        b"\x81\x05hello",
        struct.pack("!BB", 0x83, 0x80) + bytes(4),
        struct.pack("!BBQ", 0x81, 0xFF, 1 << 62) + bytes(4),
        struct.pack("!BB", 0x89, 0xFE) + struct.pack("!H", 200) + bytes(204),
        struct.pack("!BB", 0x80, 0x80) + bytes(4),
        struct.pack("!BB", 0xC1, 0x80) + bytes(4),
        os.urandom(64),
    ],
    ids=["noise", "unmasked", "reserved opcode", "endless", "long ping", "lone continuation", "compressed", "random"],
)
async def test_broken_frames_end_the_socket_with_a_code_of_the_table(server: Server, raw: bytes) -> None:
    async with client(server) as one:
        one.connection.transport.write(raw + b"\x88\x80\0\0\0\0")
        code, messages = await one.ended()
    assert messages == []
    assert CloseCode(code) in CLOSE_CODES or code == 1005


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)
_types = st.sampled_from([message.event_type for message in FROM_CLIENT]) | st.text(max_size=20)
_fields = st.sampled_from(["token", "ticket", "after", "projects", "nonce", ""]) | st.text(max_size=8)
_messages = st.one_of(
    st.text(max_size=200),
    st.binary(max_size=200),
    _json.map(json.dumps),
    st.builds(
        lambda event_type, payload: json.dumps({"event_type": event_type, "payload": payload}),
        _types,
        st.dictionaries(_fields, _json, max_size=4) | _json,
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(messages=st.lists(_messages, min_size=1, max_size=5), authenticated=st.booleans())
async def test_rubbish_of_every_kind_ends_with_a_code_of_the_table(
    server: Server, messages: list[str | bytes], authenticated: bool
) -> None:
    if authenticated:
        code = await _close_code_after(server, *messages)
        assert code is None or CloseCode(code) in CLOSE_CODES
        return
    async with client(server) as one:
        for message in messages:
            try:
                await one.connection.send(message)
            except ConnectionClosed:
                break
        code, heard = await one.ended()
        assert heard == []
        assert CloseCode(code) in (CloseCode.MALFORMED, CloseCode.NOT_AUTHENTICATED, CloseCode.BINARY)


async def _write(one: Client, *frames: Frame) -> None:
    for frame in frames:
        one.connection.transport.write(frame.serialize(mask=True))
