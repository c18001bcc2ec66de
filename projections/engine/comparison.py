"""Compares a rebuilt read model with the one that serves, row by row, in the database."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from psycopg import AsyncConnection

from projections.engine.readmodel import ReadModel, Table
from projections.engine.tables import LIVE, REBUILD

DIFFERENCES_MAX = 1_000
"""Differences that are told one by one; all are counted."""

_PER_TABLE = """
    SELECT count(*) OVER (), concat_ws(' ', {shown}), l.line, r.line
    FROM (SELECT {key}, {values} AS found, {line} AS line FROM {live}) l
    FULL JOIN (SELECT {key}, {values} AS found, {line} AS line FROM {rebuilt}) r ON {same}
    WHERE l.found IS DISTINCT FROM r.found
    ORDER BY 2 LIMIT %s
"""
_DOUBLED = """
    SELECT concat_ws(' ', {shown}), l.rows, r.rows
    FROM (SELECT {key}, count(*) AS rows FROM {live} GROUP BY {key} HAVING count(*) > 1) l
    FULL JOIN (SELECT {key}, count(*) AS rows FROM {rebuilt} GROUP BY {key} HAVING count(*) > 1) r ON {same}
    WHERE l.rows IS DISTINCT FROM r.rows
    ORDER BY 1 LIMIT %s
"""


class Difference(msgspec.Struct, frozen=True):
    """A row that is not the same in both; none where it is missing. ``key`` are the values that name it."""

    table: str
    key: str
    live: dict[str, Any] | None
    rebuilt: dict[str, Any] | None


class Comparison(NamedTuple):
    """What a comparison found: how many rows differ, and up to ``DIFFERENCES_MAX`` of them."""

    differing: int
    differences: list[Difference]


async def compare(connection: AsyncConnection[Any], model: ReadModel) -> Comparison:
    """Compare every table, inside the caller's transaction: both sides are to be of one snapshot and one position."""
    differing, differences = 0, list[Difference]()
    for table in model.tables:
        found = [await _compare(connection, table.name, (table.key,), table.columns, table)]
        if table.history is not None:
            keys = (table.key, "valid_from")
            found.append(await _compare(connection, f"{table.name}_history", keys, table.history_columns, table))
        for rows, named in found:
            differing += rows
            differences += named
    return Comparison(differing, differences[:DIFFERENCES_MAX])


async def _compare(
    connection: AsyncConnection[Any], name: str, key: tuple[str, ...], columns: tuple[str, ...], table: Table[Any]
) -> tuple[int, list[Difference]]:
    parts = {
        "key": ", ".join(key),
        "values": f"ROW({', '.join(columns)})",
        "line": "jsonb_build_object(" + ", ".join(f"'{column}', {column}" for column in columns) + ")::text",
        "shown": ", ".join(f"coalesce(l.{column}, r.{column})" for column in key),
        "same": " AND ".join(f"l.{column} = r.{column}" for column in key),
        "live": f"{LIVE}.{name}",
        "rebuilt": f"{REBUILD}.{name}",
    }
    rows = await (await connection.execute(_PER_TABLE.format(**parts).encode(), (DIFFERENCES_MAX,))).fetchall()
    differences = [Difference(name, shown, _row(live), _row(rebuilt)) for _, shown, live, rebuilt in rows]
    if len(key) == 1:
        return (rows[0][0] if rows else 0), differences
    # A version that is there twice matches its only counterpart twice.
    doubled = await (await connection.execute(_DOUBLED.format(**parts).encode(), (DIFFERENCES_MAX,))).fetchall()
    differences += [
        Difference(name, shown, {"rows": live or 1}, {"rows": rebuilt or 1}) for shown, live, rebuilt in doubled
    ]
    return (rows[0][0] if rows else 0) + len(doubled), differences


def _row(line: str | None) -> dict[str, Any] | None:
    """A row by column, its document as what it says."""
    if line is None:
        return None
    row: dict[str, Any] = msgspec.json.decode(line)
    row["doc"] = msgspec.json.decode(row["doc"])
    return row
