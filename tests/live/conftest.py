"""A running server with a live session for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.http.harness import running
from tests.live import people
from tests.live.described import check_said
from tests.live.stage import Stage


@pytest.fixture(autouse=True)
def as_described() -> Iterator[None]:
    """Hold every message that any test's host or viewer is sent against the description of the socket."""
    people.LISTENERS.append(check_said)
    yield
    people.LISTENERS.remove(check_said)


@pytest.fixture
async def stage(postgres_url: str) -> AsyncIterator[Stage]:
    """A server, a project, a host, and a session that runs."""
    async with running(postgres_url) as server:
        stage = await Stage(server).set_up()
        yield stage
        await stage.close()
