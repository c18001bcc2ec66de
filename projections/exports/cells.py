"""Exports as CSV (RFC 4180): one line an event, and no cell that a spreadsheet would run."""

from __future__ import annotations

from collections.abc import Sequence

from projections.engine.stored_text import StoredText
from projections.exports.defuse import defused, defused_json
from projections.exports.erasure import Erasures
from projections.exports.summary import summary_of

COLUMNS = (
    "position",
    "time",
    "type",
    "stream",
    "version",
    "actor",
    "summary",
    "event_id",
    "correlation_id",
    "causation_id",
    "command_id",
    "hash",
    "data",
)
"""The columns; ``data`` is the payload as JSON, ``summary`` the words of it that a person looks for first."""

_KNOWN_CELLS_MAX = 10_000


class CsvEncoder:
    """Writes CSV. Ids, times and numbers need neither quotes nor care; only texts are looked at."""

    media_type = "text/csv; charset=utf-8; header=present"
    header = ",".join(COLUMNS) + "\r\n"

    def __init__(self, erasures: Erasures) -> None:
        self.defused = 0
        self._erasures = erasures
        self._cells: dict[str, tuple[str, bool]] = {}

    def encode(self, rows: Sequence[StoredText]) -> str:
        """One line an event."""
        erasures = self._erasures
        known = self._cells
        harmful = 0
        lines = []
        for position, at, topic, stream, version, actor, event_id, correlation, causation, command, link, state in rows:
            kind, kind_harmful = known.get(topic) or self._cell(topic)
            who, who_harmful = known.get(actor) or self._cell(actor)
            words = summary_of(state)
            if words:
                harmless = defused(words)
                harmful += harmless != words
                words = quoted(harmless)
            if erasures:
                state = erasures.payload(state)
            data = defused_json(state)
            harmful += kind_harmful + who_harmful + (data != state)
            lines.append(
                f"{position},{at},{kind},{stream},{version},{who},{words},{event_id},{correlation},"
                f"{causation or ''},{command},{link},{quoted(data)}\r\n"
            )
        self.defused += harmful
        return "".join(lines)

    def footer(self) -> str:
        """Nothing."""
        return ""

    def _cell(self, text: str) -> tuple[str, bool]:
        """A cell that comes again and again: an actor or a topic."""
        if len(self._cells) >= _KNOWN_CELLS_MAX:
            self._cells.clear()
        shown = self._erasures.actor(text)
        harmless = defused(shown)
        plain = harmless == shown and not any(sign in shown for sign in ',"\r\n')
        cell = self._cells[text] = (shown if plain else quoted(harmless), harmless != shown)
        return cell


def quoted(text: str) -> str:
    """The text in quotes, those inside doubled."""
    return '"' + text.replace('"', '""') + '"'
