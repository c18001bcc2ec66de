"""A site on a fresh database, and a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.e2e.site import Site, chromium_browser


@pytest.fixture
async def site(postgres_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """A server that nobody has set up."""
    async with Site(postgres_url, data_dir=str(tmp_path)) as site:
        yield site


@pytest.fixture
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """A real Chromium."""
    async with chromium_browser(chromium) as browser:
        yield browser
