"""The working set of a batch: rows are read once, changed in memory, and written once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Generic, NamedTuple
from uuid import UUID

import msgspec

from projections.engine.copying import Copied, at, between, copied_fields
from projections.engine.readmodel import ReadModel, RowT, Table

_encode = msgspec.json.Encoder().encode


class NotLoaded(LookupError):
    """A read model touches a row that its table's ``loaded_for`` did not announce."""


class Held(msgspec.Struct, gc=False, eq=False):
    """A row in hand, the position of the event that gave it its present shape, and its document where it is known.

    ``stored`` says that the database holds a row with this key, ``changed`` that it is to be written; ``scope`` is how
    the row's versions begin when they are copied, which never changes for a key.
    """

    row: Any
    valid_from: int
    doc: str | None
    stored: bool
    changed: bool = False
    scope: bytes | None = None

    def document(self) -> str:
        """The row as JSON, as readers are given it."""
        if self.doc is None:
            self.doc = _encode(self.row).decode()
        return self.doc


class Replaced(NamedTuple):
    """A version of a row that no longer stands, and the positions of the events that began and ended it."""

    held: Held
    valid_from: int
    valid_to: int
    doc: str


class TableRows(Generic[RowT]):
    """The rows of one table that a batch works on.

    ``changed`` are the rows to be written, ``gone`` the keys whose row is to be taken away, ``replaced`` the versions
    that stood before. Where rows are to be copied, ``versions`` holds those instead, and ``appended`` the rows of a table
    that only gains rows, ready to be sent.

    Of a key it is known that there is a row, or that there is none, or nothing; what is not known cannot be touched, so
    that no batch works on less than the database holds. A ``complete`` working set has no database behind it: what is
    not known is not there.
    """

    def __init__(self, table: Table[RowT], rows: Rows) -> None:
        self.table = table
        self._rows = rows
        self._has_history = table.history is not None
        self._only_gains = table.append_only and not rows.complete
        self._known: dict[Hashable, Held | None] = {}
        self._before: dict[Hashable, Held | None] = {}
        self.changed: dict[Hashable, Held] = {}
        self.gone: dict[Hashable, Hashable] = {}
        self.replaced: list[Replaced] = []
        self.versions, self.appended = Copied(), Copied()
        self._scope = copied_fields(table, (table.key, *(table.history or ())), 3)
        self._fields = copied_fields(table, (table.key, *table.exposed), 2)

    def __len__(self) -> int:
        return len(self._known) + len(self._before)

    def knows(self, key: Hashable) -> bool:
        """Whether it is known what the database holds under this key."""
        ident = _ident(key)
        return ident in self._known or ident in self._before

    def unknown(self, keys: Mapping[int, UUID]) -> list[UUID]:
        """The keys of which it is not known what the database holds; ``keys`` has each by its integer."""
        known, before = self._known, self._before
        return [key for ident, key in keys.items() if ident not in known and ident not in before]

    def absent(self, key: Hashable) -> None:
        """Take note that the database holds no row with this key."""
        if not self.knows(key):
            self._known[_ident(key)] = None

    def load(self, key: Hashable, doc: str, valid_from: int) -> None:
        """Take in a row that the database holds."""
        row = msgspec.json.decode(doc, type=self.table.row)
        self._known[_ident(key)] = Held(row, valid_from, doc, stored=True)

    def get(self, key: Hashable) -> RowT | None:
        """The row with this key, or none. Change only what ``change`` gives."""
        held = self._find(key)
        return None if held is None else held.row

    def all(self) -> dict[Hashable, RowT]:
        """Every row in hand, by its key."""
        held = (*self._before.values(), *self._known.values())
        return {getattr(one.row, self.table.key): one.row for one in held if one is not None}

    def insert(self, row: RowT) -> None:
        """Add a row, or put it in the place of the one with its key."""
        key = getattr(row, self.table.key)
        if self._only_gains:
            assert key == self._rows.position, "a table that only gains rows is keyed by the position of the event"
            if self._rows.copied:
                self.appended.add(self._fields(row) + at(key), row, None)
            else:
                self.changed[key] = Held(row, key, None, stored=False)
            return
        ident = _ident(key)
        before = self._find(key)
        stored = before is not None and before.stored
        if before is not None:
            self._drop(before)
        elif ident in self.gone:
            del self.gone[ident]
            stored = True
        self._known[ident] = self.changed[ident] = Held(row, self._rows.position, None, stored, changed=True)

    def change(self, key: Hashable) -> RowT:
        """The row with this key, to be changed in place; a row that is not there is an error of the projection."""
        ident = key.int if type(key) is UUID else key
        held = self._known.get(ident) or self._find(key)
        if held is None:
            raise LookupError(f"{self.table.name} has no row {key}")
        position = self._rows.position
        if held.valid_from != position:
            if self._has_history:
                self._keep(held, position)
            held.valid_from = position
        held.doc = None
        if not held.changed:
            held.changed = True
            self.changed[ident] = held
        return held.row  # type: ignore[no-any-return]

    def delete(self, key: Hashable) -> None:
        """Take a row away, where there is one."""
        held = self._find(key)
        if held is None:
            return
        self._drop(held)
        ident = _ident(key)
        self._known[ident] = None
        self.changed.pop(ident, None)
        if held.stored:
            self.gone[ident] = key

    def written(self, held_max: int) -> None:
        """Take note that the changes are written, and let go of what was not touched lately.

        What stays are the keys that were touched since half of ``held_max`` others were.
        """
        for held in self.changed.values():
            held.stored, held.changed = True, False
        self.changed, self.gone, self.replaced = {}, {}, []
        if len(self._known) >= held_max / 2:
            self._before, self._known = self._known if held_max else {}, {}

    def clear(self) -> None:
        """Forget every row and every change."""
        self._known, self._before = {}, {}
        self.changed, self.gone, self.replaced = {}, {}, []
        self.versions.clear()
        self.appended.clear()

    def copied(self) -> bytearray:
        """The rows to be written as they are copied, handed over to be sent."""
        copied, fields = self.appended, self._fields
        for held in self.changed.values():
            copied.add(fields(held.row) + at(held.valid_from), held.row, held.doc)
            held.stored, held.changed = True, False
        self.changed, self.gone = {}, {}
        return copied.taken()

    def _find(self, key: Hashable) -> Held | None:
        ident = _ident(key)
        try:
            return self._known[ident]
        except KeyError:
            if ident in self._before:
                held = self._known[ident] = self._before.pop(ident)
                return held
            if self._rows.complete:
                return None
            raise NotLoaded(f"{self.table.name} was not asked for the row {key}") from None

    def _drop(self, held: Held) -> None:
        """Keep the version that is about to be taken away, unless this same event made it."""
        position = self._rows.position
        if self._has_history and held.valid_from != position:
            self._keep(held, position)

    def _keep(self, held: Held, position: int) -> None:
        """Keep the version that stood until this position."""
        if self._rows.copied:
            scope = held.scope
            if scope is None:
                scope = held.scope = self._scope(held.row)
            self.versions.add(scope + between(held.valid_from, position), held.row, held.doc)
        else:
            self.replaced.append(Replaced(held, held.valid_from, position, held.document()))


class Rows:
    """The working sets of a read model's tables, and the position of the event that changes them.

    ``copied`` says that what changes will be copied, and not be written row by row; it is set while nothing is changed.
    """

    def __init__(self, model: ReadModel, *, complete: bool = False) -> None:
        self.position = 0
        self.complete = complete
        self.copied = False
        self.tables: dict[str, TableRows[Any]] = {table.name: TableRows(table, self) for table in model.tables}
        self.keyed = [rows for rows in self.tables.values() if not rows.table.append_only]

    def of(self, table: Table[RowT]) -> TableRows[RowT]:
        """The working set of one table."""
        return self.tables[table.name]

    def written(self, held_max: int = 0) -> None:
        """Take note that the changes are written, and keep up to ``held_max`` rows of each table in hand."""
        for rows in self.tables.values():
            rows.written(held_max)

    def clear(self) -> None:
        """Forget every row and every change."""
        for rows in self.tables.values():
            rows.clear()


def fold(model: ReadModel, recorded: Iterable[Any]) -> Rows:
    """The rows that a read model has after these events, in memory: what a rebuild must arrive at."""
    rows = Rows(model, complete=True)
    taken = frozenset(model.events)
    for one in recorded:
        if type(one.event) in taken:
            rows.position = one.position
            model.apply(one, rows)
    return rows


def _ident(key: Hashable) -> Hashable:
    """The key as an integer where it is a UUID: those hash and compare in Python, at ten times the cost."""
    return key.int if type(key) is UUID else key
