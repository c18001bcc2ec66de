"""What the description of the sockets says of ``/ws/live``, made of the same types that decode and encode the messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from adapters.gateway.live.gateway import LIVE_PATH
from shared.socket import live_limits
from shared.socket.live import FROM_HOST, FROM_VIEWER, TO_HOST, TO_VIEWER, Message, Said

_REF: Final = "#/components/schemas/live.{name}"

_ABOUT: Final = f"""\
A live session: its host's editor, and whoever reads along. JSON text messages, one object each.

**The first message** says what a socket is: `live.host` with a token that has the scope `live`, or `live.view` with the
`viewer_token` that joining gave, and the account's token beside where it was an account that joined. Wait for the answer.

**Positions** are those of the Language Server Protocol: lines and characters from zero, characters in UTF-16 code units, lines
ended by CR LF, LF or CR. One that is beyond the end of its line, between CR and LF or inside a surrogate pair does not fit.

**A host** sends each file whole with `live.open`, then `live.ready`, then what changes. The server makes every change on its own
copy; one that does not fit changes nothing and is answered by `live.send_snapshot`. A host that was cut off attaches again within
{live_limits.RESUME_S_MAX:.0f} seconds, opens again what `live.hosting` does not list as it has it, and says `live.ready`.

**A viewer** is sent a snapshot, from `live.snapshot` to `live.snapshot_end`, and then what changes. It keeps `seq`, and `epoch` of the
last snapshot, and resumes with both. One whose text does not fit a patch, or has another digest, says `live.resync`. One that
does not keep up is sent a new snapshot. Whatever else a viewer sends ends its socket, and changes nothing.
"""


def live_channel() -> dict[str, Any]:
    """The parts to merge into the document, each under its own key: channels, operations, messages, schemas, limits."""
    groups: dict[str, tuple[type[Message] | type[Said], ...]] = {
        "": tuple(dict.fromkeys((*FROM_HOST, *FROM_VIEWER))),
        "to_host.": TO_HOST,
        "to_viewer.": TO_VIEWER,
    }
    messages = {prefix + said.event_type: _message(said, prefix) for prefix, group in groups.items() for said in group}
    to_server = [said.event_type for said in groups[""]]
    _, schemas = msgspec.json.schema_components(
        [said for group in groups.values() for said in group], ref_template=_REF
    )
    return {
        "channels": {
            "live": {
                "address": LIVE_PATH,
                "description": _ABOUT,
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "receiveLive": _operation("receive", "What a host or viewer sends.", to_server),
            "sendToHost": _operation("send", "What a host is sent.", _named("to_host.", TO_HOST)),
            "sendToViewer": _operation("send", "What a viewer is sent.", _named("to_viewer.", TO_VIEWER)),
        },
        "messages": messages,
        "schemas": {f"live.{name}": schema for name, schema in schemas.items()},
        "limits": {name: value for name, value in vars(live_limits).items() if name.endswith(("_MAX", "_S"))},
    }


def _named(prefix: str, group: Iterable[type[Said]]) -> list[str]:
    return [prefix + said.event_type for said in group]


def _message(said: type[Message] | type[Said], prefix: str) -> dict[str, Any]:
    text = " ".join((said.__doc__ or "").split())
    properties: dict[str, Any] = {
        "event_type": {"const": said.event_type},
        "payload": {"$ref": _REF.format(name=said.__name__)},
    }
    if prefix == "to_viewer.":
        properties["seq"] = {"type": "integer", "minimum": 0, "description": "Everything up to this was sent."}
    return {
        "name": said.event_type,
        "summary": text.split(". ")[0].rstrip("."),
        "description": text,
        "payload": {"type": "object", "properties": properties, "required": list(properties)},
    }


def _operation(action: str, summary: str, names: Iterable[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/live"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/live/messages/{name}"} for name in names],
    }
