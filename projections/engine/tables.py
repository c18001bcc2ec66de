"""Reads and writes the rows of a read model in PostgreSQL, many in one statement."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from projections.engine.copying import copied_fields, json_document
from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import Held, Replaced, Rows

LIVE = "readmodel"
REBUILD = "rebuild"

SINGLE_EVENTS_MAX = 16
"""Up to so many events are written row by row in a pipeline; beyond, rows are copied."""

_COPY_ROWS = 500
"""Rows that go to the server in one piece."""

Missing = Mapping[str, Collection[UUID]]
"""Keys that a working set does not know of yet, by table."""


async def create_tables(connection: AsyncConnection[Any], model: ReadModel, schema: str) -> None:
    """Make a read model's tables anew, empty and without the indexes that only readers need."""
    await drop_tables(connection, model, schema)
    for table in model.tables:
        for statement in table.table_ddl(schema):
            await connection.execute(statement.encode())


async def create_indexes(connection: AsyncConnection[Any], model: ReadModel, schema: str) -> None:
    """Make the indexes that readers need, where they are missing, and tell the planner what the tables hold."""
    for table in model.tables:
        for statement in table.index_ddl(schema):
            await connection.execute(statement.encode())
        # Columns alone: of an indexed expression nothing need be known, and working it out takes long.
        await connection.execute(f"ANALYZE {schema}.{table.name} ({', '.join(table.columns[:-1])})".encode())
        if table.history is not None:
            columns = ", ".join(table.history_columns[:-1])
            await connection.execute(f"ANALYZE {schema}.{table.name}_history ({columns})".encode())


async def drop_tables(connection: AsyncConnection[Any], model: ReadModel, schema: str) -> None:
    """Take a read model's tables away, where they are."""
    names = [f"{schema}.{name}" for table in model.tables for name in table.names]
    await connection.execute(f"DROP TABLE IF EXISTS {', '.join(names)}".encode())


async def load_rows(connection: AsyncConnection[Any], rows: Rows, missing: Missing, schema: str) -> None:
    """Take the rows with these keys into the working set; where there is none, that is known too."""
    cursors = []
    for name, keys in missing.items():
        if keys:
            table = rows.tables[name].table
            query = f"SELECT {table.key}, doc, valid_from FROM {schema}.{name} WHERE {table.key} = ANY(%s)"
            cursors.append((name, await connection.execute(query.encode(), (list(keys),), prepare=True, binary=True)))
    for name, cursor in cursors:
        for key, doc, valid_from in await cursor.fetchall():
            rows.tables[name].load(key, doc, valid_from)
    for name, keys in missing.items():
        for key in keys:
            rows.tables[name].absent(key)


async def write_rows(connection: AsyncConnection[Any], rows: Rows, schema: str) -> None:
    """Write what the working set has changed row by row, which goes in a pipeline, inside the caller's transaction."""
    for table_rows in rows.tables.values():
        table, name = table_rows.table, f"{schema}.{table_rows.table.name}"
        if table_rows.gone:
            await _delete(connection, table, name, list(table_rows.gone.values()))
        if table_rows.changed:
            await _upsert(connection, table, name, [table.values(held) for held in table_rows.changed.values()])
        if table_rows.replaced:
            values = [table.history_values(old) for old in table_rows.replaced]
            await _insert(connection, f"{name}_history", table.history_columns, values)


class Staged(NamedTuple):
    """What a batch changes in one table, ready to be copied: it does not change any more when the rows do."""

    table: Table[Any]
    gone: list[Hashable]
    lines: list[str]
    history_lines: list[str]


def stage_rows(rows: Rows, *, finished: bool = False) -> list[Staged]:
    """What the working set has changed, as lines of COPY; where ``finished``, only what hardly changes any more."""
    staged = []
    for of in rows.tables.values():
        table, gone, lines = of.table, list[Hashable](), list[str]()
        if table.soon_final or not finished:
            changed = of.changed.values()
            gone = [*of.gone.values(), *(getattr(held.row, table.key) for held in changed if held.stored)]
            lines = _blocks(_lines(table, changed))
        versions = _blocks(_history_lines(table, of.replaced)) if of.replaced else []
        staged.append(Staged(table, gone, lines, versions))
    return staged


async def copy_rows(connection: AsyncConnection[Any], staged: Iterable[Staged], schema: str) -> None:
    """Write what was staged, inside the caller's transaction."""
    for table, gone, lines, history_lines in staged:
        name = f"{schema}.{table.name}"
        if gone:
            await _delete(connection, table, name, gone)
        if lines:
            await _copy(connection, name, table.columns, lines)
        if history_lines:
            await _copy(connection, f"{name}_history", table.history_columns, history_lines)


async def _delete(connection: AsyncConnection[Any], table: Table[Any], name: str, keys: list[Hashable]) -> None:
    query = f"DELETE FROM {name} WHERE {table.key} = ANY(%s)"
    await connection.execute(query.encode(), (keys,), prepare=True, binary=True)


async def _upsert(
    connection: AsyncConnection[Any], table: Table[Any], name: str, values: Sequence[tuple[Any, ...]]
) -> None:
    places = ", ".join(["%s"] * len(table.columns))
    changes = ", ".join(f"{column} = excluded.{column}" for column in table.columns if column != table.key)
    query = (
        f"INSERT INTO {name} ({', '.join(table.columns)}) VALUES ({places}) "
        f"ON CONFLICT ({table.key}) DO UPDATE SET {changes}"
    )
    for row in values:
        await connection.execute(query.encode(), row, prepare=True)


async def _insert(
    connection: AsyncConnection[Any], name: str, columns: Sequence[str], values: Sequence[tuple[Any, ...]]
) -> None:
    query = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
    for row in values:
        await connection.execute(query.encode(), row, prepare=True)


async def _copy(connection: AsyncConnection[Any], name: str, columns: Sequence[str], blocks: Iterable[str]) -> None:
    query = f"COPY {name} ({', '.join(columns)}) FROM STDIN"
    async with connection.cursor() as cursor, cursor.copy(query.encode()) as copy:
        for block in blocks:
            await copy.write(block)


def _blocks(lines: Iterator[str]) -> list[str]:
    """Lines in pieces that go to the server at once."""
    blocks = []
    while block := "".join(islice(lines, _COPY_ROWS)):
        blocks.append(block)
    return blocks


def _lines(table: Table[Any], changed: Iterable[Held]) -> Iterator[str]:
    """Rows as lines of COPY."""
    fields = copied_fields(table, (table.key, *table.exposed))
    for held in changed:
        yield f"{fields(held.row)}{held.valid_from}\t{json_document(held.document())}\n"


def _history_lines(table: Table[Any], versions: Iterable[Replaced]) -> Iterator[str]:
    """Replaced versions as lines of COPY."""
    assert table.history is not None
    fields = copied_fields(table, (table.key, *table.history))
    for held, valid_from, valid_to, doc in versions:
        scope = held.scope
        if scope is None:
            scope = held.scope = fields(held.row)
        yield f"{scope}{valid_from}\t{valid_to}\t{json_document(doc)}\n"
