"""The pool of connections that everything in a server works with."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connections import Database
from hivesync_core.eventstore.errors import StoreUnavailable


async def test_a_pool_that_was_closed_can_be_opened_again(postgres_url: str) -> None:
    database = Database(postgres_url)
    for _ in range(2):
        await database.open()
        assert await database.fetch_one("SELECT 1") == (1,)
        await database.close()


async def test_a_pool_whose_server_is_away_tries_again_within_tenths_of_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schedule, pauses = AsyncConnectionPool.schedule_task, []

    async def noted(pool: AsyncConnectionPool[Any], task: Any, pause_s: float) -> None:
        if type(task).__name__ == "AddConnection":
            pauses.append(pause_s)
        await schedule(pool, task, pause_s)

    monkeypatch.setattr(AsyncConnectionPool, "schedule_task", noted)
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        database = Database(f"postgresql://x@127.0.0.1:{nobody_listens.getsockname()[1]}/x")
        await database.open()
        with pytest.raises(StoreUnavailable):
            await database.fetch_one("SELECT 1")
        await database.close()
    assert 0 < pauses[0] <= 0.11, "a server that was killed is back in less than the pool's own second"
    assert max(pauses) <= 1.0
