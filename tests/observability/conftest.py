"""A server that is not traced."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.http.harness import RunningServer, running


@pytest.fixture
async def server(postgres_url: str) -> AsyncIterator[RunningServer]:
    """A server on a fresh database."""
    async with running(postgres_url) as server:
        yield server
