"""The description of ``/ws/live``, as something to hold a message against."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema_rs

from adapters.gateway.asyncapi import asyncapi_document
from hivesync_core.eventstore.events import EVENTS
from tests.live.people import Message

DOCUMENT = json.loads(json.dumps(asyncapi_document(EVENTS, "https://hivesync.test", "1")))
OPERATIONS = {"host": "sendToHost", "viewer": "sendToViewer"}


def check_said(role: str, message: Message) -> None:
    """Fail unless this is a message that the server is said to send to a ``host`` or ``viewer``, and has no more in it."""
    if not role:
        return
    name = _names(OPERATIONS[role]).get(message["event_type"])
    assert name is not None, f"{message['event_type']} to a {role} is not in the description"
    _validator(name).validate(message)
    payload = DOCUMENT["components"]["messages"][name]["payload"]["properties"]
    assert set(message) == set(payload)
    described = DOCUMENT["components"]["schemas"][payload["payload"]["$ref"].rpartition("/")[2]]
    assert set(message["payload"]) <= set(described["properties"])


def check_sent(message: Message) -> None:
    """Fail unless this is a message that a host or viewer is said to send."""
    _validator(_names("receiveLive")[message["event_type"]]).validate(message)


def said_to(role: str) -> set[str]:
    """The types of all messages to a ``host`` or ``viewer``."""
    return set(_names(OPERATIONS[role]))


@cache
def _names(operation: str) -> dict[str, str]:
    """The messages of an operation: their place in the document by their type."""
    names = [each["$ref"].rpartition("/")[2] for each in DOCUMENT["operations"][operation]["messages"]]
    return {DOCUMENT["components"]["messages"][name]["name"]: name for name in names}


@cache
def _validator(name: str) -> Any:
    schema = DOCUMENT["components"]["messages"][name]["payload"]
    return jsonschema_rs.validator_for({**schema, "components": DOCUMENT["components"]}, validate_formats=True)
