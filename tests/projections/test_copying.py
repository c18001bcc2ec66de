"""A row that is copied is the same as one that is written by a statement, whatever is in it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.engine.build import FAULT_OF_AN_EVENT
from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import Rows
from projections.engine.tables import LIVE, REBUILD, copy_rows, create_tables, stage_rows, write_rows
from tests.projections.support import contents, database, run, with_database


class KindsRow(msgspec.Struct):
    """A field of each kind that can be a column, once as it may be missing."""

    kinds_id: UUID
    other: UUID | None
    text: str | None
    number: int | None
    flag: bool | None
    at: datetime | None
    day: date | None
    texts: list[str] | None
    ids: list[UUID] | None


FIELDS = tuple(name for name in KindsRow.__struct_fields__ if name != "kinds_id")
KINDS = Table("kinds", KindsRow, key="kinds_id", exposed=FIELDS, history=("text", "day"))


class Kinds(ReadModel):
    """Rows that the test puts there itself."""

    name = "kinds"
    tables = (KINDS,)
    events = ()

    def apply(self, recorded: Any, rows: Rows) -> None:
        """Nothing comes."""


_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.sampled_from(
    ("", "\\N", "\\.", "\t\r\n\\", "{\"',", "ä€😀")
)
_zones = st.sampled_from((UTC, timezone(timedelta(hours=-3, minutes=30))))
_times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=_zones)
_numbers = st.integers(-(1 << 63), (1 << 63) - 1)
kinds = st.builds(
    KindsRow,
    kinds_id=st.uuids(),
    other=st.none() | st.uuids(),
    text=st.none() | _texts,
    number=st.none() | _numbers,
    flag=st.none() | st.booleans(),
    at=st.none() | _times,
    day=st.none() | st.dates(),
    texts=st.none() | st.lists(_texts, max_size=3),
    ids=st.none() | st.lists(st.uuids(), max_size=3),
)


def _changed(rows: Rows, given: list[KindsRow]) -> Rows:
    """Each row is put there at its place in the list, and changed after the last, so that there are versions too."""
    things = rows.of(KINDS)
    for position, row in enumerate(given, 1):
        rows.position = position
        things.absent(row.kinds_id)
        things.insert(msgspec.structs.replace(row))
    for position, row in enumerate(given, len(given) + 1):
        rows.position = position
        things.change(row.kinds_id).flag = True
    return rows


async def _write(connection: psycopg.AsyncConnection[Any], given: list[KindsRow], *, copied: bool, schema: str) -> None:
    rows = Rows(Kinds())
    rows.copied = copied
    _changed(rows, given)
    async with connection.transaction():
        await create_tables(connection, Kinds(), schema)
        if copied:
            await copy_rows(connection, stage_rows(rows), schema)
        else:
            await write_rows(connection, rows, schema)


@with_database
@given(rows=st.lists(kinds, min_size=1, max_size=6, unique_by=lambda row: row.kinds_id))
def test_rows_and_versions_that_are_copied_are_those_that_are_written_one_by_one(
    postgres_url: str, rows: list[KindsRow]
) -> None:
    async def both() -> tuple[Any, Any]:
        async with database(postgres_url) as pool, pool.direct("hivesync-tests") as connection:
            await _write(connection, rows, copied=True, schema=REBUILD)
            await _write(connection, rows, copied=False, schema=LIVE)
            return await contents(pool, Kinds(), REBUILD), await contents(pool, Kinds(), LIVE)

    copied, written = run(both)
    assert copied == written
    assert len(copied["kinds_history"]) == len(rows)


@pytest.mark.parametrize(
    "fault",
    [
        {"text": "a\0b"},
        {"texts": ["a\0b"]},
        {"text": "\ud800"},
        {"number": 1 << 63},
        {"number": -(1 << 63) - 1},
    ],
    ids=["a null character", "one in a list", "half a character", "too large", "too small"],
)
@pytest.mark.parametrize("copied", [True, False], ids=["copied", "written"])
def test_what_no_column_can_hold_is_the_fault_of_an_event(
    postgres_url: str, fault: dict[str, Any], copied: bool
) -> None:
    row = KindsRow(UUID(int=1), None, "", 0, None, None, None, [], [])

    async def write() -> None:
        async with database(postgres_url) as pool, pool.direct("hivesync-tests") as connection:
            await _write(connection, [msgspec.structs.replace(row, **fault)], copied=copied, schema=REBUILD)

    with pytest.raises(FAULT_OF_AN_EVENT):
        run(write)


def test_a_time_without_a_zone_is_utc_as_it_is_to_the_session(postgres_url: str) -> None:
    row = KindsRow(UUID(int=1), None, "", 0, None, datetime(2024, 1, 8, 9, 30), None, [], [])

    async def both() -> list[Any]:
        async with database(postgres_url) as pool, pool.direct("hivesync-tests") as connection:
            for copied, schema in ((True, REBUILD), (False, LIVE)):
                await _write(connection, [row], copied=copied, schema=schema)
            return [await pool.fetch_all(f"SELECT at FROM {schema}.kinds") for schema in (REBUILD, LIVE)]

    assert run(both) == [[(datetime(2024, 1, 8, 9, 30, tzinfo=UTC),)]] * 2
