"""Nodes on a fresh database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.identity.node import Node


@pytest.fixture
async def node(postgres_url: str) -> AsyncIterator[Node]:
    """A node with an admin."""
    async with Node(postgres_url) as node:
        await node.first_admin()
        yield node


@pytest.fixture
async def other_node(postgres_url: str, node: Node) -> AsyncIterator[Node]:
    """A second node on the same database."""
    async with Node(postgres_url) as other:
        yield other
