"""The description of ``/ws`` (AsyncAPI 3.0), made of the same types that decode and encode the messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from adapters.gateway.gateway import PATH
from adapters.gateway.live.asyncapi import live_channel
from adapters.gateway.news import split_topic
from hivesync_core.kernel.event import Event
from shared.socket import limits
from shared.socket.close_codes import CLOSE_CODES
from shared.socket.messages import FROM_CLIENT, FROM_SERVER, EventMessage, FromClient, FromServer

_REF: Final = "#/components/schemas/{name}"

_ABOUT: Final = """\
Every event of the log, pushed to the members of its project as it is committed.

**Coming in.** Open the socket and send `auth` with a token that has the scope `read`, or with a ticket that
`POST /api/v1/socket-tickets` gives for one use. A token never stands in the address. Web pages need an `Origin` that the
server allows; programs need none.

**Keeping a picture.** Connect, and note the `position` of `auth.accepted`. Read what you need from the API with the header
`HiveSync-Min-Position` of that number. From then on let each event change your picture, and pass by those whose position is
not beyond what you read. The events are complete and in order; the one who caused an event hears it like everybody.

**Coming back.** Keep the `position` of the last message that had one. Connect again and send it as `after`: what you missed is
sent, then what happens. `resync` says that it was too much: read anew, at its position.

**Staying.** A message comes at least every {heartbeat} seconds. Renew your token before `valid_until` and send `auth` again
with the new one. A token that is revoked, a session that is signed out and an account that is disabled end the socket at
once; who leaves a project hears nothing more of it.

**Being slow.** What waits for one client is bounded. One that does not keep up is sent the rest as fast as it takes it, and
told to `resync` when that is too much; nobody else waits for it.

The close codes and limits are listed under `x-close-codes` and `x-limits`.
"""


def asyncapi_document(events: Iterable[type[Event]], public_url: str, version: str) -> dict[str, Any]:
    """The description; ``events`` are those that the log may hold."""
    messages = {message.event_type: _to_server(message) for message in FROM_CLIENT}
    to_server = list(messages)
    messages |= {message.event_type: _from_server(message) for message in FROM_SERVER}
    messages |= {event.topic(): _of_event(event) for event in events}
    server, live = urlsplit(public_url), live_channel()
    return {
        "asyncapi": "3.0.0",
        "id": "urn:hivesync:socket",
        "info": {
            "title": "HiveSync socket",
            "version": version,
            "description": _ABOUT.format(heartbeat=f"{limits.HEARTBEAT_S:.0f}"),
        },
        "defaultContentType": "application/json",
        "servers": {"here": {"host": server.netloc, "protocol": "wss" if server.scheme == "https" else "ws"}},
        "channels": {
            "socket": {
                "address": PATH,
                "description": "JSON text messages, one object each.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            },
            **live["channels"],
        },
        "operations": {
            "receive": _operation("receive", "What a client sends.", to_server),
            "send": _operation("send", "What the server sends.", [name for name in messages if name not in to_server]),
            **live["operations"],
        },
        "components": {
            "messages": messages | live["messages"],
            "schemas": payload_schemas([*FROM_CLIENT, *FROM_SERVER], events) | live["schemas"],
        },
        "x-close-codes": [
            {
                "code": int(code),
                "name": code.name.lower(),
                "cause": meaning.cause,
                "remedy": meaning.remedy,
                "reasons": dict(meaning.reasons),
            }
            for code, meaning in CLOSE_CODES.items()
        ],
        "x-limits": {name: value for name, value in vars(limits).items() if name.endswith(("_MAX", "_S"))},
        "x-live-limits": live["limits"],
    }


def _operation(action: str, summary: str, names: Iterable[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"} for name in names],
    }


def _to_server(message: type[FromClient]) -> dict[str, Any]:
    schema = _envelope(message.event_type, _ref(message), {})
    schema["required"] = ["event_type", "payload"]
    return _message(message.event_type, message, schema)


def _from_server(message: type[FromServer]) -> dict[str, Any]:
    return _message(message.event_type, message, _envelope(message.event_type, _ref(message), {"position": _POSITION}))


def _of_event(event: type[Event]) -> dict[str, Any]:
    event_type, schema_version = split_topic(event.topic())
    fields = msgspec.json.schema(EventMessage)["$defs"]["EventMessage"]["properties"]
    more = {name: field for name, field in fields.items() if name not in ("event_type", "payload")}
    more |= {"position": _POSITION, "schema_version": {"const": schema_version}}
    return _message(event_type, event, _envelope(event_type, _ref(event), more))


_POSITION: Final[dict[str, Any]] = {
    "type": "integer",
    "minimum": 0,
    "description": "Everything up to this place in the log that concerns this socket has been sent.",
}


def _envelope(event_type: str, payload: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    properties = {"event_type": {"const": event_type}, "payload": payload, **more}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _message(name: str, described: type[msgspec.Struct], payload: dict[str, Any]) -> dict[str, Any]:
    text = " ".join((described.__doc__ or "").split())
    return {"name": name, "summary": text.split(". ")[0].rstrip("."), "description": text, "payload": payload}


def _ref(described: type[msgspec.Struct]) -> dict[str, Any]:
    return {"$ref": _REF.format(name=described.__name__)}


def payload_schemas(messages: Iterable[type[msgspec.Struct]], events: Iterable[type[Event]]) -> dict[str, Any]:
    """The schema of every payload; that of an event without its topic, which stands in the envelope."""
    events = list(events)
    _, schemas = msgspec.json.schema_components([*messages, *events], ref_template=_REF)
    for event in events:
        schema = schemas[event.__name__]
        schema["properties"].pop("type")
        schema["required"] = [name for name in schema["required"] if name != "type"]
    return schemas
