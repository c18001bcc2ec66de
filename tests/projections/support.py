"""What the tests of read models share: a log to write to, read models to bring up, and tables to compare."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, settings

from adapters.postgres.connections import Database
from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.records import Append, NewEvent
from hivesync_core.kernel.event import Recorded
from projections.board import Board
from projections.engine.build import Build
from projections.engine.entries import LogReader
from projections.engine.follower import LogFollower
from projections.engine.lease import LIVE_BUILD
from projections.engine.positions import Positions
from projections.engine.preparation import prepare
from projections.engine.projector import Projector
from projections.engine.readmodel import ReadModel
from projections.engine.rebuild import Rebuild
from projections.engine.rows import Rows
from projections.registry import READ_MODELS
from tests.eventstore import stored

Value = TypeVar("Value")
Contents = dict[str, list[tuple[Any, ...]]]
"""The rows of a read model's tables, by table, sorted."""

with_database = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""For properties that need a database for every example."""


def store(url: str, log: Sequence[Recorded], *, topics: dict[int, str] | None = None, anew: bool = True) -> None:
    """Append what a strategy has drawn, to an empty log where it is ``anew``.

    ``topics`` renames those of some positions, as a newer version would.
    """
    if anew:
        empty(url)
    catalogue = the_catalogue()
    events = []
    for one in log:
        state = catalogue.encode(one.event)
        topic = (topics or {}).get(one.position)
        if topic is not None:
            state = state.replace(one.event.topic().encode(), topic.encode(), 1)
        events.append(NewEvent(one.stream_id, one.version, topic or one.event.topic(), state, one.meta))
    if events:
        store_raw(url, events)


def empty(url: str) -> None:
    """Take every event and every row away, as no user of the database could: faster than another database."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('readmodel', 'rebuild')"
        ).fetchall()
        statements = [
            "ALTER TABLE eventlog.events DISABLE TRIGGER append_only_rows",
            "DELETE FROM eventlog.events",
            "ALTER TABLE eventlog.events ENABLE ALWAYS TRIGGER append_only_rows",
            "DELETE FROM ops.parked_streams",
            "DELETE FROM ops.projection_marks",
            "DELETE FROM ops.projections WHERE build = 'rebuild'",
            "UPDATE ops.projections SET position = 0, events = 0, digest = decode(repeat('00', 32), 'hex')",
            *(f"DELETE FROM {name}" for (name,) in tables),
        ]
        for statement in statements:
            connection.execute(statement.encode())


def store_raw(url: str, events: Sequence[NewEvent]) -> None:
    """Append events as one command, whatever the catalogue knows of them."""
    with psycopg.connect(url, autocommit=True) as connection:
        ((outcome, _),) = stored.append(connection, [Append(tuple(events))])
    assert outcome == "stored", "the history does not fit the log"


def run(work: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
    """Run a coroutine to its end."""
    return asyncio.run(work())


@asynccontextmanager
async def database(url: str) -> AsyncIterator[Database]:
    """A pool of connections, open."""
    opened = Database(url)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


async def build_up(
    pool: Database,
    models: Sequence[ReadModel] = READ_MODELS,
    *,
    up_to: int | None = None,
    cuts: Iterable[int] = (),
    held_max: int = 5,
    catalogue: Catalogue | None = None,
    may_park: bool = False,
) -> None:
    """Project the log into the live tables, in batches that end at the positions of ``cuts``."""
    reader = LogReader(pool, catalogue or the_catalogue())
    await prepare(pool, reader, models, "tests", lambda step: None)
    last = await reader.head() if up_to is None else up_to
    entries = await reader.page(0, 1_000_000, last=last)
    for model in models:
        async with pool.direct("hivesync-tests") as connection:
            build = Build(connection, model, LIVE_BUILD, reader.catalogue, held_max=held_max)
            assert await build.take("tests"), "nobody else projects here"
            begun = build.progress.position
            for low, high in _ranges(begun, last, cuts):
                await build.process([entry for entry in entries if low < entry.recorded.position <= high])
            assert may_park or build.taken_back == 0, "no event of a history that could have happened is at fault"
            await build.release()


def _ranges(begun: int, last: int, cuts: Iterable[int]) -> list[tuple[int, int]]:
    ends = sorted({cut for cut in cuts if begun < cut < last} | {last})
    return list(zip([begun, *ends[:-1]], ends, strict=True)) if last > begun else []


async def contents(pool: Database, model: ReadModel, schema: str = "readmodel") -> Contents:
    """What the database holds of a read model."""
    found: Contents = {}
    for table in model.tables:
        columns = ", ".join(table.columns)
        found[table.name] = _sorted(await pool.fetch_all(f"SELECT {columns} FROM {schema}.{table.name}"))
        if table.history is not None:
            columns = ", ".join(table.history_columns)
            name = f"{table.name}_history"
            found[name] = _sorted(await pool.fetch_all(f"SELECT {columns} FROM {schema}.{name}"))
    return found


def in_memory(model: ReadModel, rows: Rows) -> Contents:
    """What a fold in memory says that the database should hold."""
    wanted: Contents = {}
    for table in model.tables:
        of = rows.of(table)
        wanted[table.name] = _sorted(table.values(held) for held in of.changed.values())
        if table.history is not None:
            wanted[f"{table.name}_history"] = _sorted(table.history_values(old) for old in of.replaced)
    return wanted


def _sorted(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in an order of their own, with lists as tuples and texts as plain ones."""
    return sorted((tuple(_plain(value) for value in row) for row in rows), key=repr)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain(element) for element in value)
    return str(value) if isinstance(value, str) else value


class Node:
    """One process's share of a server: follower, positions and projector, over its own connections."""

    def __init__(
        self,
        url: str,
        models: Sequence[ReadModel] = READ_MODELS,
        owner: str = "node",
        catalogue: Catalogue | None = None,
    ) -> None:
        self.pool = Database(url, size=3)
        self.positions = Positions()
        self.follower = LogFollower(self.pool, catalogue or the_catalogue(), self.positions)
        self.projector = Projector(self.pool, self.follower, self.positions, models, owner)
        self.models = tuple(models)

    async def start(self) -> None:
        """Bring it up."""
        await self.pool.open()
        await self.follower.start()
        await self.projector.prepare()
        await self.projector.start()

    async def stop(self) -> None:
        """Take it down."""
        await self.projector.stop()
        await self.follower.stop()
        await self.pool.close()

    async def caught_up(self, position: int, timeout_s: float = 120) -> None:
        """Wait until every read model shows everything up to a position."""
        for model in self.models:
            assert await self.positions.wait(model.name, position, timeout_s), f"{model.name} did not get there"

    async def __aenter__(self) -> Node:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def eventually(holds: Callable[[], Awaitable[bool]], timeout_s: float = 60) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(timeout_s):
        while not await holds():
            await asyncio.sleep(0.02)


def streams(log: Iterable[Recorded], kind: str) -> list[UUID]:
    """The streams of a kind (``task``), in the order in which they begin."""
    return list(dict.fromkeys(one.stream_id for one in log if one.event.topic().startswith(f"{kind}.")))


async def with_rebuild(pool: Database, work: Callable[[Rebuild], Awaitable[Any]], owner: str = "tests") -> Any:
    """What ``work`` gives for a rebuild of the board on a connection of its own."""
    async with pool.direct("hivesync-tests") as connection:
        return await work(Rebuild(connection, LogReader(pool, the_catalogue()), Board(), owner))
