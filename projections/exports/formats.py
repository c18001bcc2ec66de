"""What a format is to the writer of exports, and the table of all formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.exports.events import ExportFormat
from projections.engine.stored_text import StoredText
from projections.exports.cells import CsvEncoder
from projections.exports.erasure import Erasures
from projections.exports.lines import JsonLinesEncoder
from projections.exports.ocel.encoder import OcelEncoder
from projections.exports.prose import TextEncoder


class Encoder(Protocol):
    """Turns stored events into the text of a file, page by page; the same events always give the same text."""

    media_type: str
    header: str
    """What the file begins with."""

    defused: int
    """Cells so far that a spreadsheet could have run."""

    def encode(self, rows: Sequence[StoredText]) -> str:
        """The text of these events, each ended by a line end."""
        ...

    def footer(self) -> str:
        """What the file ends with, after the last event."""
        ...


FORMATS: Mapping[ExportFormat, Callable[[Erasures], Encoder]] = {
    ExportFormat.CSV: CsvEncoder,
    ExportFormat.TXT: TextEncoder,
    ExportFormat.JSONL: JsonLinesEncoder,
    ExportFormat.OCEL: lambda erasures: OcelEncoder(erasures, the_catalogue()),
}
"""Every format; a new one is one more line here."""


def media_type_of(format_: ExportFormat) -> str:
    """The media type of a format's files."""
    return FORMATS[format_](Erasures()).media_type
