"""A database that hangs: everybody is told within five seconds, and work goes on within five seconds of its return."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from adapters.ids import uuid7
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.embedded import EmbeddedPostgres
from adapters.postgres.reader import PostgresStreamReader
from adapters.postgres.schema import create_schema
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.log import Log
from tests.eventstore import stored
from tests.eventstore.proxy import Proxy
from tests.eventstore.tally import CATALOGUE, MAPPER, Add, context, one, tally
from tests.servers.patience import loop_time

PROMISED_S = 5.0


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server to stop and to kill."""
    with EmbeddedPostgres(Path(tmp_path_factory.mktemp("pg"))) as server:
        create_schema(server.url())
        yield server


@pytest.fixture
async def store(own_server: EmbeddedPostgres) -> AsyncIterator[tuple[Database, GroupCommit]]:
    """Connections to it that have been used."""
    own_server.ensure_running()
    database = Database(own_server.url())
    await database.open()
    commit = GroupCommit(database)
    await commit.start()
    await asyncio.gather(*(database.fetch_one("SELECT 1") for _ in range(20)), commit.append(one()))
    yield database, commit
    await commit.stop()
    await database.close()


@contextmanager
def stopped(server: EmbeddedPostgres) -> Iterator[None]:
    """Every process of the server is frozen: sockets stay open and nobody answers."""
    assert server.pid is not None
    main = psutil.Process(server.pid)
    processes = [main, *main.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            if process.is_running():
                process.resume()


async def told_after(call: Awaitable[Any]) -> float:
    """Seconds of this loop until the caller was told that the store is unavailable."""
    async with loop_time() as waited:
        with pytest.raises(StoreUnavailable):
            await call
        return waited.seconds


async def back_after(call: Any) -> float:
    """Seconds of this loop until a call succeeds again."""
    async with loop_time() as waited:
        while True:
            try:
                await call()
            except StoreUnavailable:
                await asyncio.sleep(0.02)
            else:
                return waited.seconds


async def test_a_frozen_database_is_unavailable_within_five_seconds_and_comes_back_by_itself(
    own_server: EmbeddedPostgres, store: tuple[Database, GroupCommit]
) -> None:
    database, commit = store
    log = Log(commit, PostgresStreamReader(database, CATALOGUE), MAPPER, uuid7)
    one_stream = uuid7()
    await log.execute(tally, one_stream, Add(), context())
    with stopped(own_server):
        waits = await asyncio.gather(
            *(told_after(commit.append(one())) for _ in range(10)),
            # More than the pool has connections, and more than one behind the other on one stream.
            *(told_after(database.fetch_one("SELECT 1")) for _ in range(20)),
            *(told_after(log.execute(tally, uuid7(), Add(), context())) for _ in range(10)),
            *(told_after(log.execute(tally, one_stream, Add(), context())) for _ in range(3)),
        )
        assert max(waits) < PROMISED_S
        # And those who come while it is known to be away.
        assert max(await asyncio.gather(*(told_after(commit.append(one())) for _ in range(5)))) < PROMISED_S
    assert await back_after(lambda: commit.append(one())) < PROMISED_S
    assert await back_after(lambda: database.fetch_one("SELECT 1")) < PROMISED_S
    assert await back_after(lambda: log.execute(tally, uuid7(), Add(), context())) < PROMISED_S
    stored.whole_log(own_server.url())


async def test_a_transaction_that_hangs_at_its_end_is_given_up_in_time(store: tuple[Database, GroupCommit]) -> None:
    database, _ = store

    async def slow() -> None:
        async with database.transaction() as connection:
            await connection.execute("SELECT 1")
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute("SELECT pg_sleep(60)")

    assert await told_after(slow()) < PROMISED_S
    assert await database.fetch_one("SELECT 1") == (1,)


async def test_a_caller_that_gives_up_on_a_frozen_database_is_let_go_at_once(
    own_server: EmbeddedPostgres, store: tuple[Database, GroupCommit]
) -> None:
    database, _ = store
    with stopped(own_server):
        async with loop_time() as waited:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await database.fetch_one("SELECT 1")
        assert waited.seconds < 1.0
    assert await back_after(lambda: database.fetch_one("SELECT 1")) < PROMISED_S


async def test_a_killed_database_keeps_what_was_acknowledged_and_is_found_again(
    own_server: EmbeddedPostgres, store: tuple[Database, GroupCommit]
) -> None:
    database, commit = store
    acknowledged = []
    killing = True

    async def sender() -> None:
        while killing:
            try:
                command = one()
                await commit.append(command)
            except StoreUnavailable:
                continue
            acknowledged.append(command.events[0].meta.event_id)

    senders = [asyncio.create_task(sender()) for _ in range(16)]
    for _ in range(3):
        await asyncio.sleep(0.4)
        assert own_server.pid is not None
        psutil.Process(own_server.pid).kill()
        await asyncio.sleep(0.2)
        await asyncio.to_thread(own_server.ensure_running)
        assert await back_after(lambda: commit.append(one())) < PROMISED_S
    killing = False
    await asyncio.gather(*senders)
    # No connection of the pool that died with the server is handed out.
    await asyncio.gather(*(database.fetch_one("SELECT 1") for _ in range(20)))
    log = [record.meta.event_id for record in stored.whole_log(own_server.url())]
    assert len(acknowledged) > 100
    assert set(acknowledged) <= set(log)


async def test_a_silent_network_is_a_hung_database(
    commit_by_proxy: GroupCommit, proxy: Proxy, postgres_url: str
) -> None:
    await commit_by_proxy.append(one())
    proxy.go_silent()
    assert await told_after(commit_by_proxy.append(one())) < PROMISED_S
    proxy.speak_again()
    assert await back_after(lambda: commit_by_proxy.append(one())) < PROMISED_S
    assert len(stored.whole_log(postgres_url)) in (2, 3)


async def test_a_stop_does_not_wait_for_a_frozen_database(
    own_server: EmbeddedPostgres, store: tuple[Database, GroupCommit]
) -> None:
    _, commit = store
    with stopped(own_server):
        senders = [asyncio.create_task(told_after(commit.append(one()))) for _ in range(5)]
        await asyncio.sleep(0)
        async with loop_time() as waited:
            await commit.stop()
        assert waited.seconds < PROMISED_S + 1
        assert max(await asyncio.gather(*senders)) < PROMISED_S + 1
