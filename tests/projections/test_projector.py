"""The projector under faults: leases, fences, lost connections, lost notifications, kills; nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import psycopg
import pytest

from adapters.postgres.connections import Database
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.kernel.event import Recorded
from projections.board import Board
from projections.engine import follower as following
from projections.engine import projector
from projections.engine.build import Build
from projections.engine.entries import Entry, LogReader
from projections.engine.follower import LogFollower
from projections.engine.lease import LIVE_BUILD, LeaseLost
from projections.engine.positions import Positions
from projections.engine.readmodel import ReadModel
from projections.engine.rows import fold
from projections.help_queue import HelpQueue
from projections.registry import READ_MODELS
from tests.projections.holding import held_before_swap, waits_for_a_lock
from tests.projections.stories import many_tasks
from tests.projections.support import (
    Node,
    build_up,
    contents,
    database,
    eventually,
    in_memory,
    store,
)

BOARD: tuple[ReadModel, ...] = (Board(),)


async def _agrees(pool: Database, log: list[Recorded], models: tuple[ReadModel, ...] = READ_MODELS) -> None:
    """The live tables are what a fold of the log gives, and the projections say that they have seen all of it once."""
    for model in models:
        assert await contents(pool, model) == in_memory(model, fold(model, log))
    seen = await pool.fetch_all("SELECT position, events FROM ops.projections WHERE build = 'live'")
    assert seen == [(len(log), len(log))] * len(models)


async def test_what_is_appended_is_projected_by_every_read_model(any_postgres_url: str) -> None:
    log = many_tasks(30, comments=200)
    async with Node(any_postgres_url) as node:
        for cut in range(0, len(log), 50):
            await asyncio.to_thread(store, any_postgres_url, log[cut : cut + 50], anew=cut == 0)
            await asyncio.sleep(0.05)
        await node.caught_up(len(log))
        await _agrees(node.pool, log)


async def test_one_of_two_processes_works_and_the_other_takes_over_when_it_stops(postgres_url: str) -> None:
    log = many_tasks(20, comments=100)
    store(postgres_url, log[:60])
    first, second = Node(postgres_url, owner="first"), Node(postgres_url, owner="second")
    await first.start()
    await first.caught_up(60)
    await second.start()
    try:
        await asyncio.sleep(2.5)
        assert {figures.works for figures in first.projector.figures.values()} == {True}
        assert {figures.works for figures in second.projector.figures.values()} == {False}
        assert {figures.restarts for figures in first.projector.figures.values()} == {0}
        await first.stop()
        store(postgres_url, log[60:], anew=False)
        await second.caught_up(len(log))
        assert {figures.works for figures in second.projector.figures.values()} == {True}
        await _agrees(second.pool, log)
    finally:
        await second.stop()


async def test_a_process_that_slept_through_its_lease_writes_nothing_when_it_wakes(postgres_url: str) -> None:
    log = many_tasks(5, comments=30)
    store(postgres_url, log)
    async with database(postgres_url) as pool:
        await build_up(pool, BOARD, up_to=10)
        reader = LogReader(pool, the_catalogue())
        entries = await reader.page(10, 100)
        async with pool.direct("hivesync-sleeper") as asleep, pool.direct("hivesync-waker") as awake:
            sleeper = Build(asleep, Board(), LIVE_BUILD, reader.catalogue)
            waker = Build(awake, Board(), LIVE_BUILD, reader.catalogue)
            assert await sleeper.take("sleeper")
            assert not await waker.take("waker"), "the lease is held by somebody who is connected"
            await pool.execute("UPDATE ops.projections SET lease_expires_at = clock_timestamp() - interval '1 second'")
            assert await waker.take("waker"), "it has run out"
            with pytest.raises(LeaseLost):
                await sleeper.process(entries[:5])
            await waker.process(entries[:10])
            with pytest.raises(LeaseLost):
                await sleeper.process(entries[:5])
            with pytest.raises(LeaseLost):
                await sleeper.lease.renew(pool)
            await waker.process(entries[10:])
        await _agrees(pool, log, BOARD)


async def test_a_lease_whose_holder_lost_its_connection_is_free_at_once(postgres_url: str) -> None:
    async with database(postgres_url) as pool:
        await build_up(pool, BOARD)
        async with pool.direct("hivesync-holder") as holding:
            assert await Build(holding, Board(), LIVE_BUILD, the_catalogue()).take("holder")
            async with pool.direct("hivesync-next") as connection:
                following = Build(connection, Board(), LIVE_BUILD, the_catalogue())
                assert not await following.take("next")
                with psycopg.connect(postgres_url, autocommit=True) as admin:
                    admin.execute("UPDATE ops.projections SET lease_expires_at = clock_timestamp() + interval '1 hour'")
                    admin.execute("SELECT pg_terminate_backend(%s)", (holding.info.backend_pid,))
                await eventually(lambda: following.take("next"))


async def test_tables_of_another_version_are_not_written_to(postgres_url: str) -> None:
    class Newer(Board):
        version = Board.version + 1

    async with database(postgres_url) as pool:
        await build_up(pool, BOARD)
        async with pool.direct("hivesync-newer") as connection:
            assert not await Build(connection, Newer(), LIVE_BUILD, the_catalogue()).take("newer")


async def test_projections_go_on_after_every_one_of_their_connections_was_terminated(postgres_url: str) -> None:
    log, ended = many_tasks(20, comments=180), 0
    async with Node(postgres_url) as node:
        for cut in range(0, len(log), 20):
            await asyncio.to_thread(store, postgres_url, log[cut : cut + 20], anew=cut == 0)
            with psycopg.connect(postgres_url, autocommit=True) as admin:
                ended += admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name LIKE 'hivesync%' AND datname = current_database()"
                ).rowcount
            await asyncio.sleep(0.3)
        assert ended > 5 * len(READ_MODELS)
        await node.caught_up(len(log))
        await _agrees(node.pool, log)


async def test_a_lost_notification_is_healed_by_the_poll(postgres_url: str) -> None:
    log = many_tasks(3, comments=4)
    async with Node(postgres_url, BOARD) as node:
        await asyncio.to_thread(store, postgres_url, log[:4])
        await node.caught_up(4)
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            # What the follower hears is turned off behind its back.
            admin.execute("ALTER FUNCTION eventlog.append RENAME TO append_silently")
            admin.execute(
                "DO $do$ BEGIN EXECUTE replace(pg_get_functiondef('eventlog.append_silently'::regproc), "
                "'pg_notify(''eventlog''', 'pg_notify(''nobody'''); END $do$"
            )
            admin.execute("ALTER FUNCTION eventlog.append_silently RENAME TO append")
            admin.execute("LISTEN eventlog")
            store(postgres_url, log[4:], anew=False)
            await node.caught_up(len(log))
            assert list(admin.notifies(timeout=0)) == [], "nobody was told"


async def test_a_reader_waits_by_notification_for_what_another_process_projects(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "POLL_S", 600.0)
    log = many_tasks(5, comments=60)
    async with Node(postgres_url, owner="works") as works, Node(postgres_url, owner="reads") as reads:
        await asyncio.to_thread(store, postgres_url, log[:6])
        await reads.caught_up(6)
        for position in range(7, len(log) + 1):
            store(postgres_url, [log[position - 1]], anew=False)
            assert await reads.positions.wait("board", position, 60), "nobody looks by himself"
            shown = await reads.pool.fetch_one("SELECT max(position) FROM readmodel.board_comment")
            assert shown == (position,), "what was waited for is to be seen"
        works_figures = works.projector.figures["board"]
        assert works_figures.works


async def test_a_position_that_another_process_could_not_tell_of_is_found_by_the_poll(postgres_url: str) -> None:
    log = many_tasks(3, comments=4)
    store(postgres_url, log)
    async with Node(postgres_url, BOARD) as node:
        await node.caught_up(len(log))
        await node.projector.stop()
        node.positions.forget()
        # A poll may come at any moment from here on.
        assert node.positions.reached("board") == 0
        assert await node.positions.wait("board", len(log), 60)


async def test_a_server_that_forgot_the_last_batch_is_not_believed_to_have_it(postgres_url: str) -> None:
    log = many_tasks(3, comments=4)
    store(postgres_url, log)
    async with Node(postgres_url, BOARD) as node:
        await node.caught_up(len(log))
        await node.projector.stop()
        # A crash takes back what was committed without waiting for the disk, and every connection with it.
        await node.pool.execute("UPDATE ops.projections SET position = 3")
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hivesync-listen'"
            )

        async def forgotten() -> bool:
            return node.positions.reached("board") == 3

        await eventually(forgotten)
        assert not await node.positions.wait("board", len(log), 0.2)


@asynccontextmanager
async def _projecting_process(url: str, owner: str) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A process of its own that runs the projector."""
    command = [sys.executable, "-m", "tests.projections.process", url, owner]
    process = subprocess.Popen(command)  # noqa: ASYNC220 - starting it does not take long
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_a_projector_killed_in_the_middle_of_batches_resumes_without_loss(postgres_url: str) -> None:
    log = many_tasks(200, comments=4_000)
    slices = [len(log) * each // len(READ_MODELS) for each in range(len(READ_MODELS) + 1)]
    store(postgres_url, [])
    async with database(postgres_url) as pool:
        await build_up(pool, READ_MODELS, up_to=0)
        for model, first, last in zip(READ_MODELS, slices, slices[1:], strict=False):
            store(postgres_url, log[first:last], anew=False)
            application = f"hivesync-project-{model.name}"
            async with (
                held_before_swap(postgres_url, model.name),
                _projecting_process(postgres_url, f"killed at {model.name}") as process,
            ):
                # The transaction of its batch has begun and waits; those of the others are anywhere.
                await eventually(lambda held=application: waits_for_a_lock(postgres_url, held))  # type: ignore[misc]
                process.send_signal(signal.SIGKILL)
                process.wait()
            row = await pool.fetch_one("SELECT position FROM ops.projections WHERE name = %s", (model.name,))
            assert row is not None and row[0] < last, "it was killed before it was done"
        async with Node(postgres_url, owner="survivor") as node:
            await node.caught_up(len(log))
            await _agrees(node.pool, log)


async def test_a_process_that_is_stopped_is_replaced_and_does_no_harm_when_it_goes_on(postgres_url: str) -> None:
    log = many_tasks(20, comments=400)
    store(postgres_url, log[:100])
    async with (
        Node(postgres_url, owner="stays", models=(*READ_MODELS,)) as stays,
        _projecting_process(postgres_url, "stopped") as process,
    ):
        await stays.caught_up(100)
        await stays.projector.stop()

        async def other_works() -> bool:
            row = await stays.pool.fetch_one("SELECT count(*) FROM ops.projections WHERE owner = 'stopped'")
            return row == (len(READ_MODELS),)

        await eventually(other_works)
        process.send_signal(signal.SIGSTOP)
        store(postgres_url, log[100:250], anew=False)
        await stays.projector.start()
        await stays.caught_up(250)
        process.send_signal(signal.SIGCONT)
        store(postgres_url, log[250:], anew=False)
        await stays.caught_up(len(log))
        await asyncio.sleep(1)
        await _agrees(stays.pool, log)


async def test_many_waiting_events_are_one_batch_and_single_ones_are_not_kept_waiting(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "POLL_S", 600.0)
    log = many_tasks(50, comments=3_000)
    store(postgres_url, log[:-1])
    async with Node(postgres_url, (HelpQueue(),)) as node:
        await node.caught_up(len(log) - 1)
        figures = node.projector.figures["help_queue"]

        async def counted() -> bool:
            return figures.events == len(log) - 1

        await eventually(counted)
        assert figures.events / figures.batches > 500
        batches = figures.batches
        store(postgres_url, log[-1:], anew=False)
        await node.caught_up(len(log))

        async def one_more() -> bool:
            return figures.batches == batches + 1

        await eventually(one_more)


async def test_events_that_come_faster_than_batches_are_written_gather_until_somebody_waits(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Build.process

    async def slowly(self: Build, entries: Sequence[Entry]) -> None:
        await process(self, entries)
        await asyncio.sleep(0.2)

    monkeypatch.setattr(Build, "process", slowly)
    monkeypatch.setattr(projector, "GATHER_S", 60.0)
    monkeypatch.setattr(projector, "GATHER_TIMES", 1_000)
    monkeypatch.setattr(projector, "GATHER_FROM", 1)
    log = many_tasks(50, comments=100)
    await asyncio.to_thread(store, postgres_url, log[:1])
    async with Node(postgres_url, BOARD) as node:
        await node.caught_up(1)
        figures = node.projector.figures["board"]
        for count in range(1, 5):
            await asyncio.to_thread(store, postgres_url, log[count : count + 1], anew=False)
        await asyncio.sleep(0.5)
        batches = figures.batches
        assert batches <= 2, "what comes while a batch is written waits for more"
        assert figures.events < 5
        await asyncio.to_thread(store, postgres_url, log[5:], anew=False)
        await asyncio.sleep(0.5)
        assert figures.batches == batches
        await node.caught_up(len(log), timeout_s=5)

        async def one_more() -> bool:
            return (figures.batches, figures.events) == (batches + 1, len(log))

        await eventually(one_more)


async def test_a_follower_reads_on_where_the_log_has_a_gap(postgres_url: str) -> None:
    log = many_tasks(2, comments=4)
    store(postgres_url, log)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("ALTER TABLE eventlog.events DISABLE TRIGGER append_only_rows")
        admin.execute("DELETE FROM eventlog.events WHERE notification_id = 3")
    async with database(postgres_url) as pool:
        follower = LogFollower(pool, the_catalogue(), Positions())
        follower.head = 1
        await follower._catch_up()
        for after in range(1, len(log)):
            read = [entry.recorded.position for entry in await follower.read(after, 10)]
            assert read == [position for position in range(after + 1, len(log) + 1) if position != 3]
