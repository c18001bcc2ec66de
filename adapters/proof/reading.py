"""Reads exports and the history log for an audit: every event with its place, and what cannot be one as a flaw.

Each event is rendered anew from what was read and compared with the very bytes of the file, so that a change anywhere
in a line is found at that line, also where it does not touch what the hashes are taken over.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import BinaryIO

import msgspec

from adapters.proof.stored_rows import flawed, row_of
from hivesync_core.exports.events import ExportFormat
from hivesync_core.proof.evidence import Row
from projections.engine.cloudevents import LineEncoder
from projections.engine.stored_text import StoredText
from projections.exports.cells import CsvEncoder
from projections.exports.defuse import fused, fused_json
from projections.exports.erasure import Erasures
from projections.exports.lines import JsonLinesEncoder
from projections.exports.ocel.encoder import OcelEncoder
from projections.exports.prose import TextEncoder

PAGE_ROWS = 2_000
CELL_CHARS_MAX = 64 * 1024 * 1024
LINES_OF_ONE_ROW_MAX = 10_000
_HEADER_BYTES_MAX = 4_096

EVENT_ENDS: Mapping[ExportFormat, str] = {ExportFormat.TXT: "\n\n", ExportFormat.OCEL: "\n"}
"""Formats that events cannot be read back from, and what ends an event in them: each is proven by its bytes."""

_MARK = "erased-"
_ROW_BEGINS = re.compile(rb'"?\d+,\d{4}-')
_BLOCK_BEGINS = re.compile(rb"#(\d{1,19})  \d{4}-")
_OCEL_EVENT = re.compile(
    rb',?{"id":"[^"]*","type":"[^"]*","time":"[^"]*","attributes":\[{"name":"position","value":"(\d{1,19})"}'
)
_OCEL_FOOTER = b"],"
_MARKED_ID = re.compile(r'"erased-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"')


class NotThatForm(Exception):
    """The file is not of the form that it should have."""


class _CloudEvent(msgspec.Struct):
    """What is read of a line of JSON Lines; whatever else stands there shows when the line is rendered anew."""

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


Piece = tuple[int, bytes]
"""The number of the line that an event begins on, and its bytes."""

Parse = Callable[[Sequence[bytes]], list[StoredText]]
Render = Callable[[Sequence[StoredText]], str]


class Unparsable(Exception):
    """Bytes that are no event; the message says why."""


def read_history(file: BinaryIO) -> Iterator[list[Row]]:
    """The events of ``history.jsonl``, in batches."""
    encoder = LineEncoder()
    return _rows(
        _lines(file, 1), _json_parser(frozenset()), lambda rows: "".join(f"{x}\n" for x in encoder.lines(rows))
    )


def read_export(file: BinaryIO, format_: ExportFormat, erased: frozenset[str]) -> Iterator[list[Row]]:
    """The events of an export in batches; ``erased`` are the accounts that it shows as erased.

    Where events cannot be read back, rows have no text of their own, and their link is the SHA-256 of their bytes.
    Raises ``NotThatForm`` where the file does not begin as it should.
    """
    erasures = Erasures(erased)
    if format_ is ExportFormat.JSONL:
        return _rows(_lines(file, 1), _json_parser(erased), JsonLinesEncoder(erasures).encode)
    if format_ is ExportFormat.CSV:
        csv.field_size_limit(CELL_CHARS_MAX)
        _must_begin(file, CsvEncoder.header)
        return _rows(_csv_pieces(file), lambda raw: _parse_csv(raw, erased), CsvEncoder(erasures).encode)
    if format_ is ExportFormat.OCEL:
        _must_begin(file, OcelEncoder.header)
        return _opaque_rows(_ocel_events(file), _OCEL_EVENT)
    _must_begin(file, TextEncoder.header)
    return _opaque_rows(_blocks(enumerate(file, TextEncoder.header.count("\n") + 1)), _BLOCK_BEGINS)


def _must_begin(file: BinaryIO, header: str) -> None:
    if file.read(len(header.encode())) != header.encode():
        raise NotThatForm(f"its beginning is not that of an export: {header.strip()[:60]!r} was expected")


def _rows(pieces: Iterator[Piece], parse: Parse, render: Render) -> Iterator[list[Row]]:
    """Events from their bytes; page by page, and one by one only in a page that does not read or render as it stands."""
    while page := list(islice(pieces, PAGE_ROWS)):
        raw = [piece for _, piece in page]
        try:
            stored = parse(raw)
            same = len(stored) == len(page) and _rendered(render, stored) == b"".join(raw)
        except Unparsable:
            same = False
        if same:
            yield [row_of(one, place) for (place, _), one in zip(page, stored, strict=True)]
        else:
            yield [_single(place, piece, parse, render) for place, piece in page]


def _single(place: int, raw: bytes, parse: Parse, render: Render) -> Row:
    """An event from its bytes alone."""
    try:
        stored = parse([raw])
        if len(stored) != 1:
            return flawed(place, "its line is not one event")
        row = row_of(stored[0], place)
        if row.flaw or _rendered(render, stored) == raw:
            return row
    except Unparsable as error:
        return flawed(place, str(error))
    # What the hashes are taken over may be untouched.
    return row._replace(flaw="its line is not as it was written")


def _rendered(render: Render, rows: Sequence[StoredText]) -> bytes:
    try:
        return render(rows).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise Unparsable("it holds bytes that are not UTF-8") from error


def _lines(file: BinaryIO, first: int) -> Iterator[Piece]:
    return enumerate(file, first)


def _json_parser(erased: frozenset[str]) -> Parse:
    decode = msgspec.json.Decoder(_CloudEvent).decode

    def parse(lines: Sequence[bytes]) -> list[StoredText]:
        if not lines[-1].endswith(b"\n"):
            raise Unparsable("its line has no end")
        try:
            events = [decode(line) for line in lines]
            payloads = [bytes(one.data).decode() for one in events]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unparsable(f"its line is not an event in JSON: {error}") from error
        return [
            (
                one.position, one.time, one.type, one.subject, one.version, _unmarked_actor(one.actor, erased), one.id,
                one.correlation, one.causation, one.command, one.hash, _unmarked(data, erased),
            )
            for one, data in zip(events, payloads, strict=True)
        ]  # fmt: skip

    return parse


def _csv_pieces(file: BinaryIO) -> Iterator[Piece]:
    """The rows of a CSV file. A payload may hold line ends; a quote that went missing does not swallow the next row."""
    lines = enumerate(file, 2)
    ahead: Piece | None = next(lines, None)
    while ahead is not None:
        place, raw = ahead
        ahead = next(lines, None)
        parts = [raw]
        quotes = raw.count(b'"')
        while (
            quotes % 2 and ahead is not None and len(parts) < LINES_OF_ONE_ROW_MAX and not _ROW_BEGINS.match(ahead[1])
        ):
            parts.append(ahead[1])
            quotes += ahead[1].count(b'"')
            ahead = next(lines, None)
        yield place, b"".join(parts)


def _parse_csv(raw: Sequence[bytes], erased: frozenset[str]) -> list[StoredText]:
    text = b"".join(raw).decode("utf-8", "surrogateescape")
    if not text.endswith("\r\n"):
        raise Unparsable("its line has no end")
    try:
        return [
            (
                int(position), at, fused(topic), stream, int(version), _unmarked_actor(fused(actor), erased), event_id,
                correlation, causation or None, command, link, _unmarked(fused_json(data), erased),
            )
            for position, at, topic, stream, version, actor, _, event_id, correlation, causation, command, link, data
            in csv.reader(_lines_of(text), strict=True)
        ]  # fmt: skip
    except (csv.Error, ValueError) as error:
        raise Unparsable(f"its line is not a row of an export: {error}") from error


def _lines_of(text: str) -> list[str]:
    """The lines of a text that ends in one; only a line feed ends a line."""
    return [f"{line}\n" for line in text[:-1].split("\n")]


def _unmarked_actor(actor: str, erased: frozenset[str]) -> str:
    return actor.removeprefix(_MARK) if erased and actor.removeprefix(_MARK) in erased else actor


def _unmarked(state: str, erased: frozenset[str]) -> str:
    if not erased or _MARK not in state:
        return state
    return _MARKED_ID.sub(lambda found: f'"{found[1]}"' if found[1] in erased else found[0], state)


def _opaque_rows(pieces: Iterator[Piece], begins: re.Pattern[bytes]) -> Iterator[list[Row]]:
    """Events by their bytes; ``begins`` finds the position that one names."""
    batch: list[Row] = []
    for place, raw in pieces:
        found = begins.match(raw)
        if found is None:
            batch.append(flawed(place, "its first line does not name an event"))
        else:
            batch.append(Row(int(found[1]), b"", sha256(raw).digest(), place))
        if len(batch) == PAGE_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _ocel_events(file: BinaryIO) -> Iterator[Piece]:
    """The lines of the events, up to the objects."""
    for number, line in enumerate(file, OcelEncoder.header.count("\n") + 1):
        if line.startswith(_OCEL_FOOTER):
            return
        yield number, line


def _blocks(lines: Iterable[Piece]) -> Iterator[Piece]:
    first, parts = 0, list[bytes]()
    for number, line in lines:
        if parts and _BLOCK_BEGINS.match(line):
            yield first, b"".join(parts)
            parts = []
        first = first if parts else number
        parts.append(line)
        if line == b"\n":
            yield first, b"".join(parts)
            parts = []
    if parts:
        yield first, b"".join(parts)
