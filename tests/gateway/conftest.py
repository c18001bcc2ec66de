"""A running gateway for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.gateway.server import Server


@pytest.fixture
async def server(postgres_url: str) -> AsyncIterator[Server]:
    """A gateway with an admin behind it."""
    async with Server(postgres_url) as server:
        await server.first_admin()
        yield server


@pytest.fixture
async def other_server(postgres_url: str, server: Server) -> AsyncIterator[Server]:
    """A second process on the same database."""
    async with Server(postgres_url, projects=False) as other:
        yield other
