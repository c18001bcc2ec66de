"""Rebuilding beside what serves: resumed after kills, checked row by row, audited event by event."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.connections import Database
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.kernel.event import Recorded
from projections.board import Board
from projections.engine import lease
from projections.engine.audit import Audited, Flaw, audit
from projections.engine.build import Build
from projections.engine.checking import Checked, check
from projections.engine.comparison import Difference
from projections.engine.entries import Entry, LogReader
from projections.engine.lease import LIVE_BUILD, LeaseLost
from projections.engine.rebuild import Rebuild, RebuildBusy, RebuildProgress
from projections.engine.rows import fold
from projections.help_queue import HelpQueue
from projections.registry import READ_MODELS
from tests.core.strategies import recordings
from tests.projections.stories import log_of, many_tasks, said, task_id
from tests.projections.support import (
    Node,
    build_up,
    contents,
    database,
    eventually,
    in_memory,
    run,
    store,
    with_database,
    with_rebuild,
)


async def _check(pool: Database) -> Checked:
    return await check(pool, LogReader(pool, the_catalogue()), Board(), "tests")


async def test_a_rebuild_killed_in_the_middle_is_resumed_where_it_stood(postgres_url: str) -> None:
    log = many_tasks(500, comments=30_000)
    store(postgres_url, log)
    async with database(postgres_url) as pool:
        await build_up(pool, [Board()], up_to=0)
        command = [sys.executable, "-m", "tests.projections.rebuilding", postgres_url]
        process = subprocess.Popen(command)  # noqa: ASYNC220 - starting it does not take long

        async def under_way() -> bool:
            row = await pool.fetch_one("SELECT position FROM ops.projections WHERE build = 'rebuild'")
            return row is not None and row[0] > 0

        try:
            await eventually(under_way)  # It goes no further than half of the log, and waits there.
            process.send_signal(signal.SIGKILL)
        finally:
            process.kill()
            process.wait()

        async def resume(rebuild: Rebuild) -> None:
            told: list[RebuildProgress] = []
            await rebuild.begin()
            assert 0 < rebuild.resumed_at < len(log)
            await rebuild.run(len(log), told.append)
            assert told[0].position > rebuild.resumed_at
            assert told[-1].position == told[-1].target == len(log)
            await rebuild.finish_indexes()
            await rebuild.swap()

        await with_rebuild(pool, resume)
        assert await contents(pool, Board()) == in_memory(Board(), fold(Board(), log))
        assert (await audit(pool, ["board"]))[0].flaws == []


async def test_what_was_rebuilt_is_vacuumed_and_indexed_like_what_was_there_before(postgres_url: str) -> None:
    of_tables = (
        "SELECT relname, reloptions, (SELECT array_agg(pg_get_indexdef(indexrelid) ORDER BY 1) FROM pg_index "
        "WHERE indrelid = c.oid) FROM pg_class c WHERE relnamespace = 'readmodel'::regnamespace AND relkind = 'r' "
        "AND relname LIKE 'board%' ORDER BY 1"
    )
    store(postgres_url, many_tasks(3, comments=5))
    async with database(postgres_url) as pool:
        await build_up(pool, [Board()])
        before = await pool.fetch_all(of_tables)

        async def replace(rebuild: Rebuild) -> None:
            await rebuild.begin()
            await rebuild.run(4)
            vacuumed = await pool.fetch_all(of_tables.replace("'readmodel'", "'rebuild'"))
            assert all("autovacuum_vacuum_threshold=100000" in options for _, options, _ in vacuumed)
            await rebuild.finish_indexes()
            await rebuild.swap()

        await with_rebuild(pool, replace)
        assert len(before) == 5
        assert await pool.fetch_all(of_tables) == before


async def test_only_one_process_rebuilds_a_read_model(postgres_url: str) -> None:
    store(postgres_url, many_tasks(3, comments=5))

    async def second(rebuild: Rebuild) -> None:
        with pytest.raises(RebuildBusy):
            await rebuild.begin()

    async with database(postgres_url) as pool:
        await build_up(pool, [Board()])

        async def first(rebuild: Rebuild) -> None:
            await rebuild.begin()
            await with_rebuild(pool, second, "second")
            await rebuild.run(4)
            await rebuild.discard()

        await with_rebuild(pool, first, "first")


async def test_a_rebuild_that_was_taken_over_neither_writes_nor_swaps_nor_discards(postgres_url: str) -> None:
    store(postgres_url, many_tasks(3, comments=5))
    async with database(postgres_url) as pool:
        await build_up(pool, [Board()])

        async def takes_over(rebuild: Rebuild) -> None:
            await pool.execute("UPDATE ops.projections SET lease_expires_at = clock_timestamp() - interval '1 s'")
            await rebuild.begin()
            await rebuild.run(6)

        async def sleeps(rebuild: Rebuild) -> None:
            await rebuild.begin()
            await rebuild.run(4)
            await with_rebuild(pool, takes_over, "second")
            for work in (rebuild.run(8), rebuild.swap(), rebuild.discard()):
                with pytest.raises(LeaseLost):
                    await work

        await with_rebuild(pool, sleeps, "first")
        assert await pool.fetch_one("SELECT position FROM ops.projections WHERE build = 'rebuild'") == (6,)


async def test_a_new_version_starts_anew_what_an_old_one_left(postgres_url: str) -> None:
    class Newer(Board):
        version = Board.version + 1

    store(postgres_url, many_tasks(3, comments=5))
    async with database(postgres_url) as pool:
        await build_up(pool, [Board()])

        async def leave(rebuild: Rebuild) -> None:
            await rebuild.begin()
            await rebuild.run(5)
            await rebuild.pause()

        await with_rebuild(pool, leave)
        async with pool.direct("hivesync-tests") as connection:
            rebuild = Rebuild(connection, LogReader(pool, the_catalogue()), Newer(), "tests")
            await rebuild.begin()
            assert rebuild.resumed_at == 0


async def test_a_read_model_of_another_version_is_rebuilt_before_it_serves(postgres_url: str) -> None:
    class Newer(Board):
        version = Board.version + 1

    log = many_tasks(10, comments=50)
    store(postgres_url, log)
    async with database(postgres_url) as pool:
        await build_up(pool, [Board()])
        await pool.execute("UPDATE readmodel.board_task SET title = 'as an older version wrote it'")
    steps: list[str] = []
    async with database(postgres_url) as pool:
        first, second = Node(postgres_url, [Newer()], owner="1"), Node(postgres_url, [Newer()], owner="2")
        for node in (first, second):
            await node.pool.open()
            await node.follower.start()
        await asyncio.gather(first.projector.prepare(steps.append), second.projector.prepare(steps.append))
        assert any("rebuilding the read model board" in step for step in steps)
        assert await pool.fetch_one("SELECT version FROM ops.projections WHERE build = 'live'") == (Newer.version,)
        assert await contents(pool, Board()) == in_memory(Board(), fold(Board(), log))
        for node in (first, second):
            await node.stop()


async def test_a_read_model_far_behind_is_rebuilt_rather_than_caught_up(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.engine.preparation.REBUILD_BEYOND_EVENTS", 20)
    log = many_tasks(10, comments=50)
    store(postgres_url, log)
    steps: list[str] = []
    node = Node(postgres_url, [Board()])
    await node.pool.open()
    await node.follower.start()
    await node.projector.prepare(steps.append)
    assert any("rebuilding" in step for step in steps)
    assert await contents(node.pool, Board()) == in_memory(Board(), fold(Board(), log))
    await node.stop()


@with_database
@given(log=recordings(turns_max=15).filter(lambda log: len(log) > 5), up_to=st.integers(0, 999))
def test_a_check_finds_no_difference_where_there_is_none(postgres_url: str, log: list[Recorded], up_to: int) -> None:
    position = len(log) * up_to // 1000

    async def checked() -> Checked:
        async with database(postgres_url) as pool:
            await build_up(pool, [Board()], up_to=position)
            return await _check(pool)

    store(postgres_url, log)
    found = run(checked)
    assert (found.position, found.parked, found.comparison.differing) == (position, 0, 0)


async def test_a_check_names_every_row_that_differs_and_changes_nothing(postgres_url: str) -> None:
    log = many_tasks(6, comments=30)
    store(postgres_url, log)
    async with database(postgres_url) as pool:
        await build_up(pool, [Board(), HelpQueue()])
        before = {row[0]: row for row in (await contents(pool, Board()))["board_task"]}
        damages = (
            ("UPDATE readmodel.board_task SET title = 'Forged' WHERE task_id = %s", (task_id(0),)),
            ("UPDATE readmodel.board_task SET valid_from = valid_from - 1 WHERE task_id = %s", (task_id(1),)),
            ("DELETE FROM readmodel.board_text WHERE task_id = %s", (task_id(2),)),
            (
                "INSERT INTO readmodel.board_comment SELECT 999, task_id, 999, doc FROM readmodel.board_comment "
                "WHERE position = %s",
                (len(log),),
            ),
            (
                "INSERT INTO readmodel.board_task_history SELECT * FROM readmodel.board_task_history WHERE task_id = %s "
                "ORDER BY valid_from LIMIT 1",
                (task_id(3),),
            ),
            (
                "UPDATE readmodel.board_task_history SET valid_to = 7 WHERE task_id = %s AND valid_to = %s",
                (task_id(4), 12),
            ),
        )
        for statement, params in damages:
            assert await pool.execute(statement, params) >= 1, statement
        damaged = await contents(pool, Board())
        found = await _check(pool)
        named = {(each.table, each.key.split()[0]) for each in found.comparison.differences}
        assert named == {
            ("board_task", str(task_id(0))),
            ("board_task", str(task_id(1))),
            ("board_text", str(task_id(2))),
            ("board_comment", "999"),
            ("board_task_history", str(task_id(3))),
            ("board_task_history", str(task_id(4))),
        }
        assert found.comparison.differing == len(found.comparison.differences) == 6
        forged = _of(found, "board_task", task_id(0))
        assert forged.live is not None
        assert forged.rebuilt is not None
        assert forged.live["title"] == "Forged"
        assert forged.rebuilt["title"] == before[task_id(0)][2]
        assert _of(found, "board_text", task_id(2)).live is None
        assert await contents(pool, Board()) == damaged, "a check mends nothing"
        assert await pool.fetch_all("SELECT 1 FROM ops.projections WHERE build = 'rebuild'") == []
        assert await pool.fetch_all("SELECT 1 FROM pg_tables WHERE schemaname = 'rebuild'") == []


def _of(found: Checked, table: str, key: UUID) -> Difference:
    (one,) = [each for each in found.comparison.differences if each.table == table and each.key.startswith(str(key))]
    return one


async def test_a_check_is_right_while_the_live_one_moves_on(postgres_url: str) -> None:
    log = many_tasks(20, comments=600)
    store(postgres_url, log[:100])
    async with Node(postgres_url, [Board()]) as node:
        await node.caught_up(100)
        checks, written = 0, 100
        while written < len(log):
            checking = asyncio.create_task(_check(node.pool))
            while not checking.done() and written < len(log):
                await asyncio.to_thread(store, postgres_url, log[written : written + 3], anew=False)
                written += 3
            found = await checking
            assert found.comparison.differing == 0
            checks += 1
        assert checks > 2
        await node.caught_up(len(log))


class SkipsAndDoubles(LogReader):
    """A reader of the log that leaves events out and gives others twice, as no reader should."""

    def __init__(self, pool: Database, skipped: set[int], doubled: set[int]) -> None:
        super().__init__(pool, the_catalogue())
        self._skipped, self._doubled = skipped, doubled

    async def page(self, after: int, limit: int, *, last: int = (1 << 63) - 1) -> list[Entry]:
        """A page that is wrong."""
        entries = await super().page(after, limit, last=last)
        return [
            entry for entry in entries for _ in range(_times(entry.recorded.position, self._skipped, self._doubled))
        ]


def _times(position: int, skipped: set[int], doubled: set[int]) -> int:
    return 0 if position in skipped else 2 if position in doubled else 1


async def _audited(url: str, log: list[Recorded], skipped: set[int], doubled: set[int], batch: int = 100) -> Audited:
    """The audit of a projection that was given the log by a faulty reader."""
    store(url, log)
    async with database(url) as pool:
        await build_up(pool, [HelpQueue()], up_to=0)
        entries = await SkipsAndDoubles(pool, skipped, doubled).page(0, 100_000)
        async with pool.direct("hivesync-tests") as connection:
            build = Build(connection, HelpQueue(), LIVE_BUILD, the_catalogue())
            assert await build.take("tests")
            for first in range(0, len(entries), batch):
                await build.process(entries[first : first + batch])
        return (await audit(pool, ["help_queue"]))[0]


def _marked_every(events: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "MARK_EVERY_EVENTS", events)


@pytest.mark.parametrize(
    ("skipped", "doubled", "flaws"),
    [
        (set(), set(), []),
        ({137}, set(), [("skipped", 137)]),
        (set(), {412}, [("doubled", 412)]),
        ({200}, {210}, [("skipped", 200), ("doubled", 210)]),
        ({201, 202}, set(), [("skipped", 201), ("skipped", 202)]),
        (set(), {1, 2}, [("doubled", 1), ("doubled", 2)]),
        ({5, 450}, {333}, [("skipped", 5), ("doubled", 333), ("skipped", 450)]),
        ({611}, set(), [("skipped", 611)]),
    ],
)
async def test_an_audit_names_the_events_that_were_skipped_or_doubled(
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    skipped: set[int],
    doubled: set[int],
    flaws: list[tuple[str, int]],
) -> None:
    _marked_every(100, monkeypatch)
    log = many_tasks(10, comments=620)
    found = await _audited(postgres_url, log, skipped, doubled, batch=10)
    assert [(flaw.kind, flaw.position) for flaw in found.flaws] == flaws
    assert found.events_in_log == len(log)
    assert found.events == len(log) - len(skipped) + len(doubled)
    assert all(flaw.position is None or flaw.after < flaw.position <= flaw.up_to + 100 for flaw in found.flaws)


async def test_an_audit_says_between_which_positions_it_was_where_there_are_too_many_to_tell(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _marked_every(100, monkeypatch)
    found = await _audited(postgres_url, many_tasks(10, comments=620), {310, 320, 330, 340}, set(), batch=10)
    assert found.flaws == [Flaw("unclear", None, 300, 404)]


async def test_every_read_model_of_a_living_node_passes_the_audit(postgres_url: str) -> None:
    log = many_tasks(20, comments=300)
    store(postgres_url, log)
    async with Node(postgres_url) as node:
        await node.caught_up(len(log))
        found = await audit(node.pool, [model.name for model in READ_MODELS])
        assert {each.projection: each.flaws for each in found} == {model.name: [] for model in READ_MODELS}
        assert {(each.position, each.events, each.events_in_log) for each in found} == {(len(log),) * 3}


async def test_replay_writes_tables_and_nothing_else(postgres_url: str) -> None:
    """Nothing that reacts to events can be reached from a rebuild: it is given a connection, a reader and a model."""
    log = log_of([(task_id(1), said(1))])
    store(postgres_url, log)
    async with database(postgres_url) as pool:
        await build_up(pool, [HelpQueue()])
        before = await pool.fetch_one("SELECT max(notification_id) FROM eventlog.events")
        heard: list[str] = []
        with psycopg.connect(postgres_url, autocommit=True) as listening:
            for channel in ("eventlog", "projection", "identity"):
                listening.execute(f"LISTEN {channel}".encode())
            async with pool.direct("hivesync-tests") as connection:
                rebuild = Rebuild(connection, LogReader(pool, the_catalogue()), HelpQueue(), "tests")
                await rebuild.begin(anew=True)
                await rebuild.run(1)
                await rebuild.swap()
            heard += [notification.channel for notification in listening.notifies(timeout=0.3)]
        assert heard == []
        assert await pool.fetch_one("SELECT max(notification_id) FROM eventlog.events") == before
