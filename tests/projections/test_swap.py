"""The rebuilt tables are put in the place of those that serve: nobody sees a gap, and nobody is held up for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from projections.board import Board
from projections.engine.audit import audit
from projections.engine.rebuild import Rebuild
from projections.engine.rows import fold
from tests.projections.stories import many_tasks
from tests.projections.support import Node, build_up, contents, database, eventually, in_memory, store, with_rebuild
from tests.servers.postgres import PostgresServer

SLOW_VACUUM = """
    ALTER TABLE readmodel.board_task_history SET (
        autovacuum_vacuum_insert_threshold = 0, autovacuum_vacuum_insert_scale_factor = 0,
        autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)
"""
"""A vacuum that comes at once and takes minutes, as that of a table with many millions of rows does."""

_VACUUMED = "SELECT 1 FROM pg_stat_progress_vacuum WHERE relid = 'readmodel.board_task_history'::regclass"


@pytest.fixture
async def vacuuming_url() -> AsyncIterator[str]:
    """A database whose server looks every second for tables to vacuum."""
    server = PostgresServer("18")
    server.server.settings = {**server.server.settings, "autovacuum_naptime": "1s"}
    server.start()
    try:
        with server.database() as url:
            yield url
    finally:
        server.stop()


async def test_a_swap_under_load_is_seen_by_no_reader_as_an_error_or_a_step_back(any_postgres_url: str) -> None:
    log = many_tasks(40, comments=900)
    begun = 300
    store(any_postgres_url, log[:begun])
    written, stop = begun, asyncio.Event()
    read = swaps = 0

    async def write() -> None:
        nonlocal written
        while written < len(log) and not stop.is_set():
            if written >= len(log) - 40 and (swaps < 3 or read <= 50):
                await asyncio.sleep(0.01)  # The last ones are kept for when enough was swapped and read.
                continue
            await asyncio.to_thread(store, any_postgres_url, log[written : written + 4], anew=False)
            written = min(written + 4, len(log))
            await asyncio.sleep(0.01)

    async def read_own_writes(node: Node) -> None:
        nonlocal read
        while not stop.is_set():
            wanted = written
            assert await node.positions.wait("board", wanted, 60), "one's own write is seen"
            row = await node.pool.fetch_one(
                "SELECT (SELECT max(position) FROM readmodel.board_comment), "
                "(SELECT max(valid_from) FROM readmodel.board_task), (SELECT count(*) FROM readmodel.board_task)"
            )
            assert row is not None
            assert row[0] >= wanted and row[1] >= wanted and row[2] == 40, "what is read is never older than asked for"
            read += 1

    async with (
        Node(any_postgres_url, [Board()], owner="1") as node,
        Node(any_postgres_url, [Board()], owner="2") as other,
    ):
        await node.caught_up(begun)
        await other.caught_up(begun)
        tasks = [asyncio.create_task(each) for each in (write(), read_own_writes(node), read_own_writes(other))]

        async def swap(rebuild: Rebuild) -> None:
            await rebuild.begin(anew=True)
            await rebuild.run(await rebuild.live_position())
            await rebuild.finish_indexes()
            await rebuild.swap()

        while written < len(log):
            await with_rebuild(node.pool, swap)
            swaps += 1
        await tasks[0]
        stop.set()
        await asyncio.gather(*tasks)
        await node.caught_up(len(log))
        assert swaps >= 3
        assert read > 50
        assert await contents(node.pool, Board()) == in_memory(Board(), fold(Board(), log))
        assert (await audit(node.pool, ["board"]))[0].flaws == []


async def test_a_swap_waits_for_readers_and_holds_nobody_up_for_long(postgres_url: str) -> None:
    log = many_tasks(5, comments=20)
    store(postgres_url, log)
    async with database(postgres_url) as pool:
        await build_up(pool, [Board()])

        async def swap(rebuild: Rebuild) -> None:
            await rebuild.begin()
            await rebuild.run(len(log))
            with psycopg.connect(postgres_url) as reader:
                # A reader that never ends takes the tables in the order in which a deadlock could come about.
                reader.execute("SELECT count(*) FROM readmodel.board_comment")
                swapping = asyncio.create_task(rebuild.swap())
                for _ in range(20):
                    await asyncio.sleep(0.05)
                    # Behind a swap that does not give way it would run into the three seconds of its session.
                    await pool.fetch_one("SELECT count(*) FROM readmodel.board_task, readmodel.board_comment")
                reader.execute("SELECT count(*) FROM readmodel.board_task")
                assert not swapping.done()
            await swapping

        await with_rebuild(pool, swap)
        assert await contents(pool, Board()) == in_memory(Board(), fold(Board(), log))


async def test_a_swap_does_not_wait_for_a_vacuum(vacuuming_url: str) -> None:
    log = many_tasks(100, comments=6_000)
    store(vacuuming_url, log)
    with psycopg.connect(vacuuming_url, autocommit=True) as owner:

        async def is_vacuumed() -> bool:
            return owner.execute(_VACUUMED).fetchone() is not None

        async def swap(rebuild: Rebuild) -> None:
            await rebuild.begin()
            await rebuild.run(len(log))
            owner.execute(SLOW_VACUUM)
            await eventually(is_vacuumed)
            assert await rebuild.swap() == len(log)

        async with database(vacuuming_url) as pool:
            await build_up(pool, [Board()])
            await with_rebuild(pool, swap)
            assert await contents(pool, Board()) == in_memory(Board(), fold(Board(), log))
