"""Reads tasks from CSV of any dialect, with the columns that are said or that go by their usual names."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, BinaryIO

import msgspec

from adapters.imports.columns import mapped, shown
from adapters.imports.drafts import Draft, Flaw, Pieces
from adapters.imports.rows import read_rows
from adapters.imports.unpacking import UNPACKED_BYTES_MAX
from hivesync_core.tasks.events import Priority
from hivesync_core.tasks.importing import ForeignTask

SOURCE = "csv"
ENCODINGS = ("utf-8", "windows-1252", "iso-8859-1", "iso-8859-15", "shift_jis", "gb18030")

_OPEN_WORDS = frozenset(
    ("", "0", "active", "assigned", "backlog", "blocked", "doing", "false", "in progress", "in review", "new", "no",
     "open", "opened", "pending", "reopened", "review", "started", "to do", "to-do", "todo", "waiting")
)  # fmt: skip
_CLOSED_WORDS = frozenset(
    ("1", "approved", "canceled", "cancelled", "closed", "complete", "completed", "done", "duplicate", "finished",
     "fixed", "invalid", "merged", "rejected", "resolved", "shipped", "true", "verified", "won't do", "won't fix",
     "wontfix", "x", "yes")
)  # fmt: skip
_PRIORITIES = {
    Priority.NONE: ("", "none", "-", "undefined"),
    Priority.LOW: ("low", "lowest", "minor", "trivial", "p4", "p3", "4"),
    Priority.MEDIUM: ("medium", "normal", "moderate", "p2", "3"),
    Priority.HIGH: ("high", "major", "p1", "2"),
    Priority.URGENT: ("urgent", "highest", "critical", "blocker", "immediate", "p0", "1"),
}
_PRIORITY_OF = {word: priority for priority, words in _PRIORITIES.items() for word in words}
_LIST_SEPARATORS = str.maketrans({";": ",", "|": ",", "\n": ","})


class TableOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a table is read.

    ``columns`` maps fields to columns; ``delimiter`` is found out where it is none; ``open_words`` and
    ``closed_words`` say what a state means besides the usual words.
    """

    columns: Mapping[str, str] = {}
    delimiter: str | None = None
    encoding: str = "utf-8"
    open_words: tuple[str, ...] = ()
    closed_words: tuple[str, ...] = ()


class CellRefused(ValueError):
    """A cell that does not say what its column should; the message says why."""


def read_table(stream: BinaryIO, options: TableOptions, *, unpacked_bytes_max: int = UNPACKED_BYTES_MAX) -> Pieces:
    """The tasks of a CSV file, plain or packed with gzip; raises ``MappingRefused`` where a title cannot be found."""
    rows = read_rows(
        stream, delimiter=options.delimiter, encoding=options.encoding, unpacked_bytes_max=unpacked_bytes_max
    )
    first = next(rows, None)
    if isinstance(first, Flaw):
        # Without the names of the columns no row can be understood.
        yield msgspec.structs.replace(first, ends=True)
        return
    table = _Table(first.cells if first else (), options)
    for row in rows:
        if isinstance(row, Flaw):
            yield row
        else:
            yield from table.pieces(row.cells, row.line)


class _Table:
    """Makes drafts of rows."""

    def __init__(self, header: Sequence[str], options: TableOptions) -> None:
        self._width = len(header)
        self._header = header
        self._places = mapped(header, options.columns)
        self._open = _OPEN_WORDS | {word.casefold() for word in options.open_words}
        self._closed = (_CLOSED_WORDS - self._open) | {word.casefold() for word in options.closed_words}
        self._seen: Counter[str] = Counter()

    def pieces(self, row: Sequence[str], line: int) -> Pieces:
        """The draft of a row, or everything that is wrong with it."""
        if len(row) != self._width:
            cause = f"it has {len(row)} cells, and the first line names {self._width} columns"
            yield Flaw(line=line, cause=cause)
            return
        taken: dict[str, Any] = {}
        flawed = False
        for field, places in self._places.items():
            try:
                cells = [_readable(row[place]).strip() for place in places]
                taken |= self._taken(field, ",".join(cells))
            except CellRefused as error:
                yield Flaw(line=line, cause=str(error), field=shown(self._header[places[0]]), more=flawed)
                flawed = True
        if not flawed:
            external_id = taken.pop("external_id", "") or self._id_of(row)
            yield Draft(line=line, task=ForeignTask(source=SOURCE, external_id=external_id, **taken))

    def _taken(self, field: str, text: str) -> dict[str, Any]:
        """What a cell says of the draft."""
        match field:
            case "id":
                return {"external_id": text}
            case "title":
                if not text:
                    raise CellRefused("it is empty, and a task needs a title")
                return {"title": text}
            case "description":
                return {"description": text}
            case "url" | "author":
                return {field: text or None}
            case "labels" | "assignees":
                return {
                    field: tuple(part for part in map(str.strip, text.translate(_LIST_SEPARATORS).split(",")) if part)
                }
            case "priority":
                return {"priority": _priority(text)}
            case "due":
                return {"due": _date(text) if text else None}
            case "created" | "updated":
                return {f"{field}_at": _time(text) if text else None}
            case "state":
                return {"closed": self._is_closed(text)}
            case "closed":
                if not text:
                    return {}
                return {"closed_at": _time(text)} | ({} if "state" in self._places else {"closed": True})
            case _:
                return {"closed_reason": text or None}

    def _is_closed(self, text: str) -> bool:
        word = text.casefold()
        if word not in self._open and word not in self._closed:
            raise CellRefused(
                f"{text[:40]!r} is not known to mean open or closed; say which with the option open or closed"
            )
        return word in self._closed

    def _id_of(self, row: Sequence[str]) -> str:
        """A name for a row without an id, which is the same in the next import: its words, and the how-manieth it is."""
        words = hashlib.sha256("\x1f".join(row).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        self._seen[words] += 1
        return words if self._seen[words] == 1 else f"{words}-{self._seen[words]}"


def _readable(cell: str) -> str:
    for sign in cell:
        if "\udc80" <= sign <= "\udcff":
            byte = ord(sign) - 0xDC00
            raise CellRefused(
                f"it is not UTF-8 (byte 0x{byte:02x}); if the file is older, try the encoding windows-1252"
            )
    return cell


def _priority(text: str) -> Priority:
    try:
        return _PRIORITY_OF[text.casefold()]
    except KeyError:
        raise CellRefused(f"{text[:40]!r} is no priority; none, low, medium, high and urgent are") from None


def _date(text: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise CellRefused(f"{text[:40]!r} is no date like 2025-03-01") from None


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise CellRefused(f"{text[:40]!r} is no time like 2025-03-01T12:00:00Z") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time
