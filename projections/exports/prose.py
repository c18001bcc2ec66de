"""Exports as text for people: one block an event, in which no text can pass for another event or move the cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from projections.engine.stored_text import StoredText
from projections.exports.erasure import Erasures

_INVISIBLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of writing: a terminal or an editor would obey them."""

_LINE_END = re.compile("\r\n|\n|\r")
_TAG = "type"


class TextEncoder:
    """Writes blocks of lines, with an empty line after each."""

    media_type = "text/plain; charset=utf-8"
    header = "HiveSync history\n\n"
    defused = 0

    def __init__(self, erasures: Erasures) -> None:
        self._erasures = erasures

    def encode(self, rows: Sequence[StoredText]) -> str:
        """One block an event."""
        return "".join([self._block(row) for row in rows])

    def footer(self) -> str:
        """Nothing."""
        return ""

    def _block(self, row: StoredText) -> str:
        position, at, topic, stream, version, actor, event_id, correlation, causation, command, link, state = row
        if self._erasures:
            state = self._erasures.payload(state)
        lines = [
            f"#{position}  {at}  {_visible(topic)}",
            f"    by {_visible(self._erasures.actor(actor))}",
            f"    stream {stream}  version {version}",
            *_fields(state),
            f"    event {event_id}  command {command}  correlation {correlation}  causation {causation or '-'}",
            f"    hash {link}",
            "\n",
        ]
        return "\n".join(lines)


def _fields(state: str) -> Iterator[str]:
    """The payload, a field a line; a text of several lines as a block of its own."""
    try:
        payload = msgspec.json.decode(state)
    except msgspec.DecodeError:
        payload = state
    if not isinstance(payload, dict):
        payload = {"data": payload}
    for name, value in payload.items():
        if name != _TAG:
            yield from _field(_visible(name), value)


def _field(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"    {name}: {'-' if value is None else _visible(msgspec.json.encode(value).decode())}"
        return
    first, *others = _LINE_END.split(value)
    if not others:
        yield f"    {name}: {_visible(first)}".rstrip()
        return
    yield f"    {name}:"
    for line in (first, *others):
        yield f"        | {_visible(line)}".rstrip()


def _visible(text: str) -> str:
    """The text with characters that cannot be seen as escapes, like ``\\u202e``."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
