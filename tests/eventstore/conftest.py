"""Event stores for the tests: the group commit and the Log on a fresh database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.ids import uuid7
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.reader import PostgresStreamReader
from hivesync_core.eventstore.log import Log
from tests.eventstore.proxy import Proxy
from tests.eventstore.tally import CATALOGUE, MAPPER


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """A pool of connections to a fresh database."""
    database = Database(postgres_url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def commit(database: Database) -> AsyncIterator[GroupCommit]:
    """A group commit at work."""
    commit = GroupCommit(database)
    await commit.start()
    yield commit
    await commit.stop()


@pytest.fixture
def log(commit: GroupCommit, database: Database) -> Log:
    """A Log of tallies."""
    return Log(commit, PostgresStreamReader(database, CATALOGUE), MAPPER, uuid7)


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[Proxy]:
    """A proxy before a fresh database."""
    async with Proxy(postgres_url) as proxy:
        yield proxy


@pytest.fixture
async def commit_by_proxy(proxy: Proxy) -> AsyncIterator[GroupCommit]:
    """A group commit whose line to the database is the proxy's."""
    commit = GroupCommit(Database(proxy.url))
    await commit.start()
    yield commit
    proxy.speak_again()
    await commit.stop()
