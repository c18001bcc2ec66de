"""Exports as JSON Lines: one CloudEvent a line."""

from __future__ import annotations

from collections.abc import Sequence

from projections.engine.cloudevents import LineEncoder
from projections.engine.stored_text import StoredText
from projections.exports.erasure import Erasures


class JsonLinesEncoder:
    """Writes JSON Lines."""

    media_type = "application/jsonl"
    header = ""
    defused = 0

    def __init__(self, erasures: Erasures) -> None:
        self._erasures = erasures
        self._encoder = LineEncoder()

    def encode(self, rows: Sequence[StoredText]) -> str:
        """One line an event."""
        if self._erasures:
            rows = [self._marked(row) for row in rows]
        lines = self._encoder.lines(rows)
        lines.append("")
        return "\n".join(lines)

    def footer(self) -> str:
        """Nothing."""
        return ""

    def _marked(self, row: StoredText) -> StoredText:
        return (*row[:5], self._erasures.actor(row[5]), *row[6:11], self._erasures.payload(row[11]))
