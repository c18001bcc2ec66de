"""Whatever a client sends is a message that it may send, or ends its socket with a documented code: nothing else happens."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.gateway.live.gateway import FIRST
from adapters.gateway.live.inbox import Decoders, Inbox, decoders
from adapters.gateway.proving import Refused
from adapters.gateway.stats import Stats
from shared.socket.close_codes import CLOSE_CODES, CloseCode
from shared.socket.live import FROM_HOST, FROM_VIEWER, Host, View

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
NAMES = st.sampled_from(sorted({said.event_type for said in (*FROM_HOST, *FROM_VIEWER)})) | st.text(max_size=12)
FIELDS = st.sampled_from(
    ["file", "to", "text", "version", "base_version", "changes", "selections", "visible", "nonce", "token", "seq",
     "epoch", "viewer_token", "session_id", "ignore", "sha256", "language", "range"]
)  # fmt: skip
ENVELOPES = st.fixed_dictionaries(
    {"event_type": NAMES, "payload": st.dictionaries(FIELDS | st.text(max_size=5), JSON, max_size=5) | JSON},
    optional={"seq": JSON, "extra": JSON},
)
ROLES = {"first": FIRST, "host": decoders(*FROM_HOST), "viewer": decoders(*FROM_VIEWER)}


async def heard(known: Decoders, message: dict[str, Any]) -> Any:
    """What an inbox makes of a message: its payload, or the code that ends the socket."""

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.receive", **message}

    try:
        return await Inbox(receive, Stats()).next(known, unknown=CloseCode.READ_ONLY)
    except Refused as refused:
        return refused.code


@pytest.mark.parametrize("role", ROLES)
@settings(max_examples=300, deadline=None)
@given(st.one_of(ENVELOPES.map(json.dumps), JSON.map(json.dumps), st.text()))
@example("[" * 100_000)
@example('{"event_type":"live.ping","payload":' + "[" * 100_000 + "}")
@example('{"event_type":"live.ping","payload":{"nonce":' + "9" * 100_000 + "}}")
@example('{"event_type":"live.ping","payload":{"nonce":"\\ud800"}}')
def test_it_is_a_message_or_a_documented_end(role: str, text: str) -> None:
    allowed = {"first": (Host, View), "host": FROM_HOST, "viewer": FROM_VIEWER}[role]
    answer = asyncio.run(heard(ROLES[role], {"text": text}))
    assert type(answer) in allowed or answer in CLOSE_CODES


def test_bytes_are_refused() -> None:
    assert asyncio.run(heard(FIRST, {"bytes": b"{}"})) == CloseCode.BINARY
