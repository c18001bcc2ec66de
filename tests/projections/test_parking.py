"""What a read model cannot process parks its stream: the others go on, and a fix, a retry or a skip puts it right."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import psycopg

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.events import EVENTS, the_catalogue
from hivesync_core.eventstore.records import NewEvent, from_epoch_microseconds
from hivesync_core.kernel.event import Event, Meta, Recorded
from hivesync_core.operations.decider import upkeep_stream
from hivesync_core.operations.events import ProjectionEventSkipped
from projections.board import Board
from projections.board.model import COMMENTS, TASKS
from projections.engine.entries import LogReader
from projections.engine.rebuild import Rebuild
from projections.engine.retry import Retried, parked_streams, retry_stream
from projections.engine.rows import Rows, fold
from projections.history import History
from tests.projections.stories import PROJECT, created, log_of, project_created, said, task_id
from tests.projections.support import Node, build_up, contents, database, empty, in_memory, store, store_raw

FIRST, SECOND = task_id(1), task_id(2)


class Fragile(Board):
    """A board that fails on what is said, until it is mended."""

    fails_on: ClassVar[set[str]] = set()

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Fail, or do as the board does."""
        text = getattr(recorded.event, "text", None)
        # It has changed something when it fails, so that leaving the event out has to take that back.
        super().apply(recorded, rows)
        if text in self.fails_on:
            raise RuntimeError(f"cannot bear {text!r}")


class Mended(Fragile):
    """The same board after its fault was mended."""

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Do as the board does."""
        Board.apply(self, recorded, rows)


def _conversation() -> list[Recorded]:
    """Two tasks, and four comments that go to one and the other in turn."""
    happened: list[tuple[UUID, Event]] = [
        (PROJECT, project_created()),
        (FIRST, created("First")),
        (SECOND, created("Second")),
    ]
    happened += [((FIRST, SECOND)[number % 2], said(number)) for number in range(1, 9)]
    return log_of(happened)


LOG = _conversation()
FAILING = next(one.position for one in LOG if getattr(one.event, "text", "") == "comment 3")


async def test_a_failing_event_parks_its_stream_alone_with_cause_and_position(postgres_url: str) -> None:
    Fragile.fails_on = {"comment 3"}
    store(postgres_url, LOG)
    async with database(postgres_url) as pool:
        for cuts in ((), range(len(LOG))):
            empty(postgres_url)
            store(postgres_url, LOG)
            await build_up(pool, [Fragile()], cuts=cuts, may_park=True)
            (parked,) = await parked_streams(pool, ["board"])
            assert parked[:4] == ("board", SECOND, FAILING, "task.commented.v1")
            assert parked.cause == "RuntimeError: cannot bear 'comment 3'"
            others = [one for one in LOG if one.stream_id != SECOND or one.position < FAILING]
            assert await contents(pool, Board()) == in_memory(Board(), fold(Board(), others))


async def test_an_event_that_the_database_cannot_hold_parks_its_stream_alone(postgres_url: str) -> None:
    class Broken(Board):
        def apply(self, recorded: Recorded, rows: Rows) -> None:
            super().apply(recorded, rows)
            if getattr(recorded.event, "text", "") == "comment 3":
                rows.of(TASKS).change(recorded.stream_id).title = "NUL \0 cannot be stored"

    log = [*LOG, *log_of([(task_id(9), created(f"Task {n}")) for n in range(1)], first=len(LOG) + 1)]
    store(postgres_url, log)
    async with database(postgres_url) as pool:
        for cuts in ((), range(len(log))):
            store(postgres_url, log)
            await build_up(pool, [Broken()], cuts=cuts, may_park=True)
            (parked,) = await parked_streams(pool, ["board"])
            assert (parked.stream_id, parked.position) == (SECOND, FAILING)
            others = [one for one in log if one.stream_id != SECOND or one.position < FAILING]
            assert await contents(pool, Board()) == in_memory(Board(), fold(Board(), others))


async def test_a_retry_after_the_fix_processes_the_streams_events_in_order(postgres_url: str) -> None:
    Fragile.fails_on = {"comment 3"}
    store(postgres_url, LOG)
    async with database(postgres_url) as pool:
        await build_up(pool, [Fragile()], may_park=True)
        async with pool.direct("hivesync-tests") as connection:
            again = await retry_stream(connection, Fragile(), the_catalogue(), SECOND)
            assert again == Retried(0, FAILING, "RuntimeError: cannot bear 'comment 3'")
            assert len(await parked_streams(pool, ["board"])) == 1
            assert await retry_stream(connection, Mended(), the_catalogue(), SECOND) == Retried(3)
            assert await retry_stream(connection, Mended(), the_catalogue(), SECOND) == Retried(0)
        assert await parked_streams(pool, ["board"]) == []
        assert await contents(pool, Board()) == in_memory(Board(), fold(Board(), LOG))


async def test_a_retry_goes_as_far_as_it_can_and_parks_at_the_next_event_that_fails(postgres_url: str) -> None:
    Fragile.fails_on = {"comment 3", "comment 7"}
    store(postgres_url, LOG)
    async with database(postgres_url) as pool:
        await build_up(pool, [Fragile()], may_park=True)
        Fragile.fails_on = {"comment 7"}
        async with pool.direct("hivesync-tests") as connection:
            retried = await retry_stream(connection, Fragile(), the_catalogue(), SECOND)
        assert retried.processed == 2
        assert retried.position == next(one.position for one in LOG if getattr(one.event, "text", "") == "comment 7")
        (parked,) = await parked_streams(pool, ["board"])
        assert (parked.stream_id, parked.position) == (SECOND, retried.position)


async def test_a_living_projector_goes_on_with_a_stream_that_was_retried(postgres_url: str) -> None:
    Fragile.fails_on = {"comment 3"}
    async with Node(postgres_url, [Fragile()]) as node:
        store(postgres_url, LOG[:8])
        await node.caught_up(8)
        Fragile.fails_on = set()
        async with node.pool.direct("hivesync-tests") as connection:
            assert (await retry_stream(connection, Fragile(), the_catalogue(), SECOND)).position is None
        store(postgres_url, LOG[8:], anew=False)
        await node.caught_up(len(LOG))
        assert await contents(node.pool, Board()) == in_memory(Board(), fold(Board(), LOG))


async def test_a_start_tries_again_what_is_parked(postgres_url: str) -> None:
    Fragile.fails_on = {"comment 3"}
    store(postgres_url, LOG)
    async with database(postgres_url) as pool:
        await build_up(pool, [Fragile()], may_park=True)
    async with Node(postgres_url, [Mended()]) as node:
        assert await parked_streams(node.pool, ["board"]) == []
        assert await contents(node.pool, Board()) == in_memory(Board(), fold(Board(), LOG))


def _skip(position: int) -> list[Recorded]:
    """The log goes on with the decision to leave an event out."""
    event = ProjectionEventSkipped(
        projection="board", stream_id=SECOND, position=position, reason="Nobody needs it.", skipped_by=None
    )
    return log_of([(upkeep_stream("board"), event)], first=len(LOG) + 1)


async def test_a_skipped_event_is_left_out_and_the_rest_of_its_stream_is_not(postgres_url: str) -> None:
    Fragile.fails_on = {"comment 3"}
    store(postgres_url, LOG)
    kept = [one for one in LOG if one.position != FAILING]
    async with database(postgres_url) as pool:
        await build_up(pool, [Fragile()], may_park=True)
        store(postgres_url, _skip(FAILING), anew=False)
        async with pool.direct("hivesync-tests") as connection:
            assert (await retry_stream(connection, Fragile(), the_catalogue(), SECOND)).position is None
        assert await parked_streams(pool, ["board"]) == []
        live = await contents(pool, Board())
        assert live == in_memory(Board(), fold(Board(), kept))
        assert len([row for row in live["board_comment"] if row[1] == SECOND]) == 3
        async with pool.direct("hivesync-tests") as connection:
            rebuild = Rebuild(connection, LogReader(pool, the_catalogue()), Fragile(), "tests")
            await rebuild.begin()
            await rebuild.run(len(LOG) + 1)
            assert rebuild.parked == 0
            assert await contents(pool, Board(), "rebuild") == live, "a rebuild leaves it out too"


async def test_the_streams_that_a_rebuild_parked_are_parked_after_its_swap(postgres_url: str) -> None:
    Fragile.fails_on = set()
    store(postgres_url, LOG)
    async with database(postgres_url) as pool:
        await build_up(pool, [Fragile()])
        Fragile.fails_on = {"comment 3"}
        async with pool.direct("hivesync-tests") as connection:
            rebuild = Rebuild(connection, LogReader(pool, the_catalogue()), Fragile(), "tests")
            await rebuild.begin()
            await rebuild.run(FAILING + 1)
            assert await parked_streams(pool, ["board"]) == [], "the live one is none of its business"
            await rebuild.swap()
        (parked,) = await parked_streams(pool, ["board"])
        assert (parked.stream_id, parked.position) == (SECOND, FAILING)


def _newer(position: int) -> dict[int, str]:
    return {position: "task.commented.v2"}


async def test_an_event_of_a_newer_version_parks_and_is_never_skipped(postgres_url: str) -> None:
    store(postgres_url, LOG, topics=_newer(FAILING))
    async with database(postgres_url) as pool:
        await build_up(pool, [Board()], may_park=True)
        (parked,) = await parked_streams(pool, ["board"])
        assert (parked.stream_id, parked.position, parked.topic) == (SECOND, FAILING, "task.commented.v2")
        assert "newer version" in parked.cause
        # The version that knows the topic comes.
        newer = Catalogue(EVENTS, {"task.commented.v2": lambda raw: {**raw, "type": "task.commented.v1"}})
        async with pool.direct("hivesync-tests") as connection:
            assert (await retry_stream(connection, Board(), the_catalogue(), SECOND)).position == FAILING
            assert await retry_stream(connection, Board(), newer, SECOND) == Retried(3)
        assert await contents(pool, Board()) == in_memory(Board(), fold(Board(), LOG))


async def test_what_an_upcaster_fails_on_parks_whatever_it_raises(postgres_url: str) -> None:
    def lift(raw: dict[str, object]) -> dict[str, object]:
        raise RuntimeError("an upcaster with a fault")

    store(postgres_url, LOG, topics=_newer(FAILING))
    catalogue = Catalogue(EVENTS, {"task.commented.v2": lift})
    async with Node(postgres_url, [Board()], catalogue=catalogue) as node:
        await node.caught_up(len(LOG))
        (parked,) = await parked_streams(node.pool, ["board"])
        assert (parked.stream_id, parked.position) == (SECOND, FAILING)
        assert "an upcaster with a fault" in parked.cause


async def test_an_unknown_topic_of_another_feature_is_none_of_the_boards_business(postgres_url: str) -> None:
    store(postgres_url, LOG)
    meta = Meta(
        event_id=UUID(int=5),
        recorded_at=from_epoch_microseconds(1_700_000_000_000_000),
        actor="system",
        correlation_id=UUID(int=6),
        command_id=UUID(int=6),
    )
    stranger = NewEvent(task_id(77), 1, "weather.rained.v1", b'{"type":"weather.rained.v1"}', meta)
    store_raw(postgres_url, [stranger])
    async with database(postgres_url) as pool:
        await build_up(pool, [Board(), History()])
        assert await parked_streams(pool, ["board", "history"]) == []
        row = await pool.fetch_one("SELECT topic, kind, stream_id FROM readmodel.history_event WHERE position = 12")
        assert row == ("weather.rained.v1", "weather", task_id(77)), "it happened all the same"


async def test_every_stream_that_fails_is_parked_when_all_do(postgres_url: str) -> None:
    class Hopeless(Board):
        def apply(self, recorded: Recorded, rows: Rows) -> None:
            raise RuntimeError("nothing works")

    store(postgres_url, LOG)
    async with database(postgres_url) as pool:
        await build_up(pool, [Hopeless()], may_park=True)
        parked = {parked.stream_id: parked.position for parked in await parked_streams(pool, ["board"])}
        assert parked == {FIRST: 2, SECOND: 3}, "each at its first event"
        assert await pool.fetch_all("SELECT * FROM readmodel.board_task") == []


async def test_a_missing_table_stops_the_projection_and_parks_nothing(postgres_url: str) -> None:
    store(postgres_url, LOG)
    async with database(postgres_url) as pool:
        await build_up(pool, [Board()], up_to=0)
        await pool.execute(f"DROP TABLE readmodel.{COMMENTS.name}")
        try:
            await build_up(pool, [Board()])
        except psycopg.errors.UndefinedTable:
            pass
        assert await parked_streams(pool, ["board"]) == []
        assert await pool.fetch_one("SELECT position FROM ops.projections WHERE name = 'board'") == (0,)
