"""TypeScript types of everything that the API and the socket speak, made from the models that the server uses.

``python -m adapters.clients.types`` writes them to ``shared/generated``; a test fails while what lies there is older.
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec

import shared.api
from adapters.gateway.asyncapi import payload_schemas
from adapters.gateway.news import split_topic
from hivesync_core.eventstore.events import EVENTS
from hivesync_core.kernel.event import Event
from shared.api.base import Answer
from shared.socket.close_codes import CloseCode
from shared.socket.live import FROM_HOST, FROM_VIEWER, TO_HOST, TO_VIEWER, Message, Said
from shared.socket.messages import FROM_CLIENT, FROM_SERVER

FOLDER: Final = Path(shared.api.__file__).parents[1] / "generated"
_HEAD: Final = "// Made by `python -m adapters.clients.types` from the server's own models. Do not edit.\n\n"
_REF: Final = "#/components/schemas/{name}"


def files() -> dict[str, str]:
    """The generated files, by name."""
    return {"api.d.ts": api_types(), "socket.d.ts": socket_types(), "live.d.ts": live_types()}


def api_types() -> str:
    """The requests and answers of the API."""
    models = list(_models())
    _, schemas = msgspec.json.schema_components(models, ref_template=_REF)
    for model in models:
        if issubclass(model, Answer):
            # A default is what the server puts in, not what it may leave out.
            schemas[model.__name__]["required"] = list(schemas[model.__name__]["properties"])
    return _HEAD + "\n".join(_declaration(name, schemas[name]) for name in sorted(schemas))


def socket_types() -> str:
    """The messages of the socket, the payloads of all events, and the close codes."""
    schemas = payload_schemas([*FROM_CLIENT, *FROM_SERVER], EVENTS)
    parts = [_declaration(name, schemas[name]) for name in sorted(schemas)]
    parts.append(_ENVELOPES)
    parts.append("/** What an event is called, and what it carries. */")
    parts.append("export interface Events {\n" + "".join(map(_event_line, EVENTS)) + "}\n")
    parts.append("/** What the server says beside the events of the log. */")
    told = "".join(f'  "{message.event_type}": {message.__name__};\n' for message in FROM_SERVER)
    parts.append("export interface Messages {\n" + told + "}\n")
    codes = " | ".join(str(int(code)) for code in CloseCode)
    parts.append("/** Why the server closes; the table stands in the socket's description. */")
    parts.append(f"export type CloseCode = {codes};\n")
    return _HEAD + "\n".join(parts)


def live_types() -> str:
    """The messages of live sessions, from and to hosts and viewers."""
    groups: dict[str, tuple[type[Message] | type[Said], ...]] = {
        "FromHost": FROM_HOST,
        "FromViewer": FROM_VIEWER,
        "ToHost": TO_HOST,
        "ToViewer": TO_VIEWER,
    }
    said = list(dict.fromkeys(message for group in groups.values() for message in group))
    _, schemas = msgspec.json.schema_components(said, ref_template=_REF)
    for message in (*TO_HOST, *TO_VIEWER):
        schemas[message.__name__]["required"] = list(schemas[message.__name__]["properties"])
    parts = [_declaration(name, schemas[name]) for name in sorted(schemas)]
    for name, group in groups.items():
        lines = "".join(f'  "{message.event_type}": {message.__name__};\n' for message in group)
        parts.append(f"export interface {name} {{\n{lines}}}\n")
    parts.append(_LIVE_ENVELOPE)
    return _HEAD + "\n".join(parts)


_LIVE_ENVELOPE: Final = """\
/** A message to a viewer: it has been sent everything of the session up to `seq`. */
export type LiveMessage = { [Name in keyof ToViewer]: {
  event_type: Name;
  payload: ToViewer[Name];
  seq: number;
} }[keyof ToViewer];
"""


_ENVELOPES: Final = """\
/** An event of the log; `position` says that everything up to it that concerns the socket has been sent. */
export type EventMessage = { [Name in keyof Events]: {
  event_type: Name;
  payload: Events[Name];
  position: number;
  stream_id: string;
  version: number;
  time: string;
  actor: string;
  project_id: string | null;
  event_id: string;
  schema_version: number;
} }[keyof Events];

/** Any other message from the server. */
export type OtherMessage = { [Name in keyof Messages]: {
  event_type: Name;
  payload: Messages[Name];
  position: number;
} }[keyof Messages];
"""


def _event_line(event: type[Event]) -> str:
    return f'  "{split_topic(event.topic())[0]}": {event.__name__};\n'


def _models() -> Iterator[type[msgspec.Struct]]:
    """Every model in ``shared.api``."""
    for module in pkgutil.iter_modules(shared.api.__path__, "shared.api."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.name:
                yield value


def _declaration(name: str, schema: dict[str, Any]) -> str:
    text = _comment(schema.get("description", ""))
    if schema.get("type") != "object" or "properties" not in schema:
        return f"{text}export type {name} = {_type(schema)};\n"
    required = set(schema.get("required", ()))
    lines = [
        f"{_comment(field.get('description', ''), '  ')}  {_key(key)}{'' if key in required else '?'}: {_type(field)};\n"
        for key, field in schema["properties"].items()
    ]
    return f"{text}export interface {name} {{\n{''.join(lines)}}}\n"


def _type(schema: dict[str, Any]) -> str:
    """A JSON schema, as msgspec writes it, as a type."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema or "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    match schema.get("type"):
        case "array" if "items" in schema and schema["items"] is not False:
            return f"{_grouped(_type(schema['items']))}[]"
        case "array":
            return "unknown[]"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"Record<string, {_type(schema['additionalProperties'])}>"
        case "object":
            return "Record<string, unknown>"
        case "integer" | "number":
            return "number"
        case "string" | "boolean" | "null" as name:
            return str(name)
    return "unknown"


def _grouped(text: str) -> str:
    return f"({text})" if " | " in text else text


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _comment(text: str, indent: str = "") -> str:
    first = " ".join(text.split()).replace("``", "`").replace("*/", "")
    return f"{indent}/** {first} */\n" if first else ""


def write() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
