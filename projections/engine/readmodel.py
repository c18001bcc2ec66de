"""What a read model is: tables of its own, and a function that applies one event to them."""

from __future__ import annotations

import types
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from hivesync_core.kernel.event import Event, Recorded

if TYPE_CHECKING:
    from projections.engine.rows import Held, Replaced, Rows

RowT = TypeVar("RowT", bound=msgspec.Struct)

_SQL_TYPES: dict[Any, str] = {
    UUID: "uuid",
    str: "text",
    int: "bigint",
    bool: "boolean",
    datetime: "timestamptz",
    date: "date",
}


_VACUUMED_SOON = {"autovacuum_vacuum_scale_factor": "0.05", "autovacuum_vacuum_threshold": "200"}
"""Rows are written again with every event: whoever lists a project reads through what is dead until it is taken away."""

_VACUUMED_LATE = {
    "autovacuum_vacuum_threshold": "100000",
    "autovacuum_vacuum_insert_threshold": "-1",
    "autovacuum_analyze_threshold": "1000000000",
}
"""While a table is filled, nobody reads it, and what is made of it afterwards would have to wait for a vacuum."""


@dataclass(frozen=True, eq=False)
class Table(Generic[RowT]):
    """A table of a read model: one row a key, stored as the JSON document that readers are given.

    ``row`` is a mutable msgspec struct. ``exposed`` names the fields that are columns too, to filter and sort by.

    The key is the stream's id, so that a batch knows beforehand which rows it needs; or one of ``fixed_keys``, where the
    rows belong to no stream; or, where the table is ``append_only``, the event's position. ``loaded_for`` names the
    events that read or change a row which may be stored already, where these are not all that the read model takes.

    ``generated`` are columns that the database works out of the others as it stores a row, each by name and definition.

    With ``history`` every version of a row that was replaced is kept in ``<name>_history`` with the positions between
    which it stood. Versions of rows that stay are found by their keys; where rows can be taken away, it names the columns
    that go along, to find them by, which never change for a key.
    """

    name: str
    row: type[RowT]
    key: str
    exposed: tuple[str, ...] = ()
    generated: tuple[tuple[str, str], ...] = ()
    history: tuple[str, ...] | None = None
    append_only: bool = False
    fixed_keys: tuple[UUID, ...] = ()
    loaded_for: tuple[type[Event], ...] | None = None
    indexes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are written, in order: key, exposed fields, the row's position, the document."""
        return (self.key, *self.exposed, "valid_from", "doc")

    @property
    def history_columns(self) -> tuple[str, ...]:
        """The columns of a replaced version, in order."""
        assert self.history is not None
        return (self.key, *self.history, "valid_from", "valid_to", "doc")

    @property
    def soon_final(self) -> bool:
        """Whether a row hardly changes once it is there, so that nothing is saved by writing it late."""
        return self.append_only or self.loaded_for is not None

    def sql_type(self, field: str) -> str:
        """The PostgreSQL type of a field of the row."""
        return _sql_types(self.row)[field]

    def table_ddl(self, schema: str, *, to_be_filled: bool = False) -> list[str]:
        """The statements that make the table and its history in a PostgreSQL schema, with their keys alone.

        What is ``to_be_filled`` is vacuumed late, until the statements of ``filled_ddl``.
        """
        columns = [f"{name} {self.sql_type(name)}" for name in (self.key, *self.exposed)]
        columns += ["valid_from bigint NOT NULL", "doc text NOT NULL"]
        columns += [f"{name} {definition}" for name, definition in self.generated]
        columns.append(f"PRIMARY KEY ({self.key})")
        statements = [f"CREATE TABLE {schema}.{self.name} ({', '.join(columns)})"]
        if self.history is not None:
            kept = [f"{name} {self.sql_type(name)}" for name in (self.key, *self.history)]
            kept += ["valid_from bigint NOT NULL", "valid_to bigint NOT NULL", "doc text NOT NULL"]
            statements.append(f"CREATE TABLE {schema}.{self.name}_history ({', '.join(kept)})")
        if to_be_filled:
            settings = _settings(_VACUUMED_LATE)
            return [*statements, *(f"ALTER TABLE {schema}.{name} SET ({settings})" for name in self.names)]
        return [*statements, f"ALTER TABLE {schema}.{self.name} SET ({_settings(_VACUUMED_SOON)})"]

    def filled_ddl(self, schema: str) -> list[str]:
        """The statements that make of tables that were ``to_be_filled`` such as serve."""
        statements = [f"ALTER TABLE {schema}.{name} RESET ({', '.join(_VACUUMED_LATE)})" for name in self.names]
        return [*statements, f"ALTER TABLE {schema}.{self.name} SET ({_settings(_VACUUMED_SOON)})"]

    def index_ddl(self, schema: str) -> list[str]:
        """The statements that make the other indexes; a rebuild runs them last, and again if it was interrupted."""
        definitions = [(self.name, index) for index in self.indexes]
        if self.history is not None:
            definitions.append((f"{self.name}_history", f"({self.key}, valid_to)"))
            if self.history:
                definitions.append((f"{self.name}_history", f"({', '.join(self.history)}, valid_to, valid_from)"))
        return [
            f"CREATE INDEX IF NOT EXISTS {table}_{number} ON {schema}.{table} {definition}"
            for number, (table, definition) in enumerate(definitions, 1)
        ]

    def values(self, held: Held) -> tuple[Any, ...]:
        """A row in hand as a row of ``columns``."""
        return (*fields_of((self.key, *self.exposed))(held.row), held.valid_from, held.document())

    def history_values(self, replaced: Replaced) -> tuple[Any, ...]:
        """A replaced version as a row of ``history_columns``."""
        assert self.history is not None
        fields = fields_of((self.key, *self.history))(replaced.held.row)
        return (*fields, replaced.valid_from, replaced.valid_to, replaced.doc)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tables in the database."""
        return (self.name,) if self.history is None else (self.name, f"{self.name}_history")


class ReadModel(ABC):
    """A projection that is kept in tables.

    ``version`` rises with every change of the tables or of ``apply``; the read model is then rebuilt. ``events`` are
    those that it takes; others pass it by.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    tables: ClassVar[tuple[Table[Any], ...]]
    events: ClassVar[tuple[type[Event], ...]]
    reads_envelope: ClassVar[bool] = False
    """Whether ``apply`` reads more of the envelope than when the event was recorded."""

    takes_unreadable: ClassVar[bool] = False
    """Whether ``apply`` wants events that cannot be decoded here too, as ``Unreadable``; the stream is not parked."""

    def concerns(self, topic: str) -> bool:
        """Whether a topic that nobody knows here may concern this read model: it takes others of the same kind."""
        kind = topic.split(".", 1)[0]
        return any(event.topic().split(".", 1)[0] == kind for event in self.events)

    @abstractmethod
    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Apply one event to the rows, those of its own stream and of fixed keys alone.

        Pure: it sees the event and the rows, nothing else.
        """


def _settings(values: dict[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())


@cache
def fields_of(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that takes these fields from a row, as a tuple also where it is one field."""
    take = attrgetter(*names)
    return take if len(names) > 1 else lambda row: (take(row),)


@cache
def _sql_types(row: type[msgspec.Struct]) -> dict[str, str]:
    """The PostgreSQL types of those fields of a row that have one."""
    return {name: sql for name, hint in get_type_hints(row).items() if (sql := _sql_type(hint)) is not None}


def _sql_type(annotation: Any) -> str | None:
    origin = get_origin(annotation)
    if origin is Union or origin is types.UnionType:
        (inner,) = [arg for arg in get_args(annotation) if arg is not type(None)]
        return _sql_type(inner)
    if origin is list:
        element = _sql_type(get_args(annotation)[0])
        return None if element is None else f"{element}[]"
    supertype = getattr(annotation, "__supertype__", annotation)
    if isinstance(supertype, type) and issubclass(supertype, str):
        return "text"
    return _SQL_TYPES.get(supertype)
