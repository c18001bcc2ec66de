"""Reads and writes the rows of a read model in PostgreSQL, many in one statement."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import Rows

LIVE = "readmodel"
REBUILD = "rebuild"

SINGLE_EVENTS_MAX = 16
"""Up to so many events are written row by row in a pipeline; beyond, rows are copied."""

SOON_FINAL_ROWS = 3_000
"""So many rows that hardly change any more are written before a transaction ends, lest they all stay in memory."""

_COPY_BYTES = 128 * 1024
"""What goes to the server in one piece."""

_SMALL_SAMPLE = "SET default_statistics_target = 10; {}; RESET default_statistics_target"
_SIZES = b"SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relnamespace = %s::regnamespace"

Missing = Mapping[str, Collection[UUID]]
"""Keys that a working set does not know of yet, by table."""


async def create_tables(connection: AsyncConnection[Any], model: ReadModel, schema: str) -> None:
    """Make a read model's tables anew, empty and without the indexes that only readers need."""
    await drop_tables(connection, model, schema)
    for table in model.tables:
        for statement in table.table_ddl(schema, to_be_filled=schema == REBUILD):
            await connection.execute(statement.encode())


async def create_indexes(
    connection: AsyncConnection[Any], model: ReadModel, schema: str, *, beside: AsyncConnection[Any] | None = None
) -> None:
    """Make the indexes that readers need, where they are missing, and tell the planner what the tables hold.

    With a second connection ``beside``, outside of any transaction, two are made at a time.
    """
    connections = (connection,) if beside is None else (connection, beside)
    sizes = dict(await (await connection.execute(_SIZES, (schema,))).fetchall())
    tables = sorted(model.tables, key=lambda table: -max(sizes[name] for name in table.names))
    await _execute_shared(connections, [statement for table in tables for statement in table.index_ddl(schema)])
    await _execute_shared(connections, [statement for table in tables for statement in _analyses(table, schema)])


def _analyses(table: Table[Any], schema: str) -> list[str]:
    """What the planner has to know: of columns alone, since working out an indexed expression takes long.

    Versions are found by their index alone: a sample that reads a tenth of the blocks tells enough of them.
    """
    statements = [f"ANALYZE {schema}.{table.name} ({', '.join(table.columns[:-1])})"]
    if table.history is not None:
        columns = ", ".join(table.history_columns[:-1])
        statements.append(_SMALL_SAMPLE.format(f"ANALYZE {schema}.{table.name}_history ({columns})"))
    return statements


async def _execute_shared(connections: Sequence[AsyncConnection[Any]], statements: Iterable[str]) -> None:
    """Execute statements that do not depend on each other, each by the first connection that is free."""
    waiting = deque(statements)

    async def work(connection: AsyncConnection[Any]) -> None:
        while waiting:
            await connection.execute(waiting.popleft().encode())

    workers = [asyncio.create_task(work(connection)) for connection in connections]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)


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
    rows: bytearray
    versions: bytearray


def stage_rows(rows: Rows, *, ends: bool = True) -> list[Staged]:
    """What a ``copied`` working set has changed; where no transaction ``ends``, only what hardly changes any more."""
    staged = []
    for of in rows.tables.values():
        table, gone, lines = of.table, list[Hashable](), bytearray()
        if ends or table.append_only or (table.soon_final and len(of.changed) >= SOON_FINAL_ROWS):
            gone = [*of.gone.values(), *(getattr(held.row, table.key) for held in of.changed.values() if held.stored)]
            lines = of.copied()
        staged.append(Staged(table, gone, lines, of.versions.taken()))
    return staged


async def copy_rows(connection: AsyncConnection[Any], staged: Iterable[Staged], schema: str) -> None:
    """Write what was staged, inside the caller's transaction."""
    for table, gone, rows, versions in staged:
        name = f"{schema}.{table.name}"
        if gone:
            await _delete(connection, table, name, gone)
        if rows:
            await _copy(connection, name, table.columns, rows)
        if versions:
            await _copy(connection, f"{name}_history", table.history_columns, versions)


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


async def _copy(connection: AsyncConnection[Any], name: str, columns: Sequence[str], rows: bytearray) -> None:
    query = f"COPY {name} ({', '.join(columns)}) FROM STDIN (FORMAT binary)"
    # In parts of the library's own size, so that it need not take the whole apart.
    whole = memoryview(rows)
    async with connection.cursor() as cursor, cursor.copy(query.encode()) as copy:
        for begin in range(0, len(whole), _COPY_BYTES):
            await copy.write(whole[begin : begin + _COPY_BYTES])
