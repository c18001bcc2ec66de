"""Reads an export back into the events that it was made from, written anew for the tests."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from hivesync_core.exports.events import ExportFormat
from projections.engine.stored_text import StoredText
from projections.exports.cells import COLUMNS
from projections.exports.defuse import fused, fused_json

CELL_CHARS_MAX = 16 * 1024 * 1024
"""Characters of one cell; an event's payload is far below."""

_MARK = "erased-"
_MARKED_ID = re.compile(r'"erased-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"')


class NotAnExport(ValueError):
    """The file is none of the form that it should have; the message names the line."""


class _CloudEvent(msgspec.Struct):
    """A line of JSON Lines; the payload stays the bytes that it was stored as."""

    id: str
    type: str
    time: str
    subject: str
    position: int
    version: int
    actor: str
    correlation: str
    command: str
    hash: str
    data: msgspec.Raw
    causation: str | None = None


def read_csv(lines: Iterable[str]) -> Iterator[StoredText]:
    """The events of a CSV export, from its text with line ends as they are. Raises ``NotAnExport``."""
    csv.field_size_limit(CELL_CHARS_MAX)
    reader = csv.reader(lines, strict=True)
    try:
        if tuple(next(reader, ())) != COLUMNS:
            raise NotAnExport("line 1: these are not the columns of an export")
        for row in reader:
            if len(row) != len(COLUMNS):
                raise NotAnExport(f"line {reader.line_num}: {len(row)} cells instead of {len(COLUMNS)}")
            position, at, topic, stream, version, actor, _, event_id, correlation, causation, command, link, data = row
            if not (_is_number(position) and _is_number(version)):
                raise NotAnExport(f"line {reader.line_num}: position and version must be numbers")
            yield (
                int(position), at, fused(topic), stream, int(version), _unmarked_actor(fused(actor)),
                event_id, correlation, causation or None, command, link, _unmarked(fused_json(data)),
            )  # fmt: skip
    except csv.Error as error:
        raise NotAnExport(f"line {reader.line_num}: {error}") from error


def read_jsonl(lines: Iterable[str]) -> Iterator[StoredText]:
    """The events of JSON Lines, an export's or those of the history log. Raises ``NotAnExport``."""
    decode = msgspec.json.Decoder(_CloudEvent).decode
    for number, line in enumerate(lines, 1):
        try:
            one = decode(line)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise NotAnExport(f"line {number}: {error}") from error
        yield (
            one.position, one.time, one.type, one.subject, one.version, _unmarked_actor(one.actor), one.id,
            one.correlation, one.causation, one.command, one.hash, _unmarked(bytes(one.data).decode()),
        )  # fmt: skip


READERS: Mapping[ExportFormat, Callable[[Iterable[str]], Iterator[StoredText]]] = {
    ExportFormat.CSV: read_csv,
    ExportFormat.JSONL: read_jsonl,
}
"""The formats that hold everything of an event; a text export is for people, its manifest's hash is its proof."""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _unmarked_actor(actor: str) -> str:
    return actor.removeprefix(_MARK)


def _unmarked(state: str) -> str:
    return _MARKED_ID.sub(r'"\1"', state) if _MARK in state else state
