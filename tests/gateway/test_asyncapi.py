"""The description of the socket is right: valid AsyncAPI, and every real message is as it says.

``asyncapi-3.0.0.schema.json.gz`` is the specification's own JSON Schema (the package ``@asyncapi/specs``, Apache-2.0).
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from adapters.gateway import session
from adapters.gateway.asyncapi import asyncapi_document
from adapters.gateway.news import event_message
from adapters.http.socket_page import socket_page
from adapters.ids import now, uuid7
from hivesync_core.eventstore.events import EVENTS, the_catalogue
from hivesync_core.kernel.event import Meta, Recorded
from projections.engine.entries import Entry
from shared.socket import limits
from shared.socket.close_codes import CLOSE_CODES, CloseCode, Gone
from shared.socket.live import END_REASONS
from tests.gateway.client import Message, client
from tests.gateway.server import Server

HERE = Path(__file__).parent
DOCUMENT = json.loads(json.dumps(asyncapi_document(EVENTS, "https://hivesync.test", "1")))


def _validator(*names: str) -> Any:
    """Accepts what one of these messages says."""
    schema = {"anyOf": [DOCUMENT["components"]["messages"][name]["payload"] for name in names]}
    return jsonschema_rs.validator_for({**schema, "components": DOCUMENT["components"]}, validate_formats=True)


def _sent(operation: str) -> list[str]:
    return [message["$ref"].rpartition("/")[2] for message in DOCUMENT["operations"][operation]["messages"]]


def _check(message: Message) -> None:
    """Fail unless the message is one of those that the server is said to send, and the one that its type says."""
    names = [
        name for name in _sent("send") if DOCUMENT["components"]["messages"][name]["name"] == message["event_type"]
    ]
    assert names, f"{message['event_type']} is not in the description"
    _validator(*names).validate(message)
    undescribed = set(message) - set(DOCUMENT["components"]["messages"][names[0]]["payload"]["properties"])
    assert undescribed == set()


def test_the_description_is_what_the_specification_asks() -> None:
    schema = json.loads(gzip.decompress((HERE / "asyncapi-3.0.0.schema.json.gz").read_bytes()))
    jsonschema_rs.validator_for(schema).validate(DOCUMENT)


def test_every_event_of_the_catalogue_and_every_close_code_is_described() -> None:
    assert {event.topic() for event in the_catalogue().classes.values()} <= set(_sent("send"))
    assert {code["code"] for code in DOCUMENT["x-close-codes"]} == {int(code) for code in CloseCode} == set(CLOSE_CODES)
    assert DOCUMENT["x-limits"]["MESSAGE_BYTES_MAX"] == limits.MESSAGE_BYTES_MAX


def test_the_page_for_people_has_every_message_every_close_code_and_every_limit() -> None:
    page = socket_page(DOCUMENT)
    for message in DOCUMENT["components"]["messages"].values():
        assert f"<code>{message['name']}</code>" in page
    for code in CloseCode:
        assert f"<td>{int(code)}</td>" in page
    for reason in (*Gone, *END_REASONS):
        assert f"<code>{reason}</code>" in page
    for name in DOCUMENT["x-limits"]:
        assert f"<code>{name}</code>" in page


async def test_what_is_really_said_is_what_is_described(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "AHEAD_WAIT_S", 0.01)
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    said: list[Message] = []
    async with client(server) as one:
        said.append(await one.authenticate(ada.access_token, after=10**9, projects=[str(uuid7()), str(garden)]))
        said += [await one.receive(), await one.receive()]
        await one.send("subscribe", projects="all")
        await one.send("ping", nonce="1")
        await one.send("no.such.thing")
        said += [await one.receive() for _ in range(3)]
        created = await server.new_task(garden, ada.account_id)
        await server.comment(created.stream_id, ada.account_id)
        said += await one.until(created.position + 1)
        server.gateway.beat()
        said.append(json.loads(await one.connection.recv()))
    kinds = {message["event_type"] for message in said}
    assert kinds >= {"auth.accepted", "error", "resync", "subscribed", "pong", "heartbeat", "task.created"}
    for message in said:
        _check(message)


@pytest.mark.parametrize("line", (HERE.parent / "golden" / "events.jsonl").read_text(encoding="utf-8").splitlines())
def test_every_event_is_sent_as_described(line: str) -> None:
    topic = msgspec.json.decode(line)["type"]
    command_id = uuid7()
    meta = Meta(event_id=uuid7(), recorded_at=now(), actor="system", correlation_id=command_id, command_id=command_id)
    entry = Entry(Recorded(7, uuid7(), 3, the_catalogue().decode(topic, line), meta), topic, bytes(32))
    for project in (None, 5):
        _check(json.loads(msgspec.json.encode(event_message(entry, project))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"event_type": "pong", "payload": {"nonce": None}},
        {"event_type": "pong", "payload": {}, "position": 3},
        {"event_type": "pong", "payload": {"nonce": 7}, "position": 3},
        {"event_type": "pong", "payload": {"nonce": None}, "position": 3, "more": 1},
        {"event_type": "no.such.thing", "payload": {}, "position": 3},
    ],
)
def test_the_check_finds_what_is_wrong(wrong: Message) -> None:
    with pytest.raises((AssertionError, jsonschema_rs.ValidationError)):
        _check(wrong)


@pytest.mark.parametrize(
    "message",
    [
        {"event_type": "auth", "payload": {"token": "t", "after": 3, "projects": "all"}},
        {"event_type": "auth", "payload": {"ticket": "t", "projects": [str(uuid7())]}},
        {"event_type": "subscribe", "payload": {"projects": "all"}},
        {"event_type": "ping", "payload": {}, "more": "keys"},
    ],
)
def test_what_clients_send_is_described(message: Message) -> None:
    _validator(message["event_type"]).validate(message)
    with pytest.raises(jsonschema_rs.ValidationError):
        _validator(message["event_type"]).validate({**message, "payload": {**message["payload"], "unknown": 1}})
