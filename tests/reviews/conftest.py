"""A server whose AI provider is a real HTTP server of the test's own, and somebody with a project on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.http.harness import RunningServer, running
from tests.reviews.desk import Desk
from tests.servers.model import ModelServer


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """The provider."""
    with ModelServer() as server:
        yield server


@pytest.fixture
async def server(postgres_url: str) -> AsyncIterator[RunningServer]:
    """A server with a key for its provider."""
    async with running(postgres_url, ai_api_key="sk-test-0123456789abcdef") as server:
        yield server


@pytest.fixture
async def desk(server: RunningServer, model: ModelServer) -> Desk:
    """An admin with a project, on a server that asks the provider."""
    return await Desk.open(server, model)
