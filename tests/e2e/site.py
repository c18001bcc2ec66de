"""A server at an address that it knows, and people in front of browsers."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from adapters.identity.directory import OPERATOR, NewPerson
from adapters.main import build, identity_settings
from shared.settings import Settings
from tests.http.harness import CHEAP, PASSWORD, Person, RunningServer, context
from tests.servers.browser import ARGUMENTS
from tests.servers.webtools import node_modules

DESKTOP = {"width": 1360, "height": 860}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


class Somebody(Person):
    """A person who can act through the API, and sign in with an address."""

    def __init__(self, account_id: UUID, client: httpx.AsyncClient, email: str) -> None:
        super().__init__(account_id, client)
        self.email = email


class Site(RunningServer):
    """A server that listens at the address that it tells people; signing in works there alone."""

    def __init__(self, database_url: str, *, access_token_ttl_s: int = 900, port: int = 0, **settings: Any) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        chosen = Settings(
            database_url=database_url,
            public_url=url,
            requests_per_minute=0,
            anonymous_requests_per_minute=0,
            **settings,
        )
        identity = msgspec.structs.replace(
            identity_settings(chosen), password_cost=CHEAP, access_token_ttl_s=access_token_ttl_s
        )
        super().__init__(build(chosen, identity))
        self._socket.close()
        self._socket, self.url = listener, url

    async def somebody(self, name: str) -> Somebody:
        """A person with an account; their first name is their address."""
        email = f"{name.split()[0].lower()}@example.org"
        made = await self.parts.identity.directory.make(NewPerson(email, name, PASSWORD), OPERATOR, context())
        return Somebody(made.account_id, self.client(await self.token(made.account_id)), email)


class Desk:
    """Somebody's browser, and everything that it complained about."""

    def __init__(self, site: Site, context: BrowserContext, page: Page) -> None:
        self.site, self.context, self.page = site, context, page
        self.complaints: list[str] = []
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    async def sign_in(self, email: str, path: str = "/") -> None:
        """Open the client and sign in with the password that everybody has here."""
        await self.page.goto(self.site.url + path)
        await self.page.get_by_label("E-mail address").fill(email)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.get_by_text("Live", exact=True).wait_for()


async def violations(page: Page) -> list[str]:
    """What axe-core finds, as rule and element."""
    source = (node_modules() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    await page.evaluate(source)
    found: dict[str, Any] = await page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found["violations"] for node in rule["nodes"]]


@asynccontextmanager
async def chromium_browser(program: Path) -> AsyncIterator[Browser]:
    """A real Chromium, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def desk(site: Site, browser: Browser, size: dict[str, int] = DESKTOP, **options: Any) -> AsyncIterator[Desk]:
    """A browser profile of one person's own; fails at the end if the browser complained."""
    context = await browser.new_context(viewport=size, accept_downloads=True, **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    one = Desk(site, context, await context.new_page())
    yield one
    await context.close()
    assert one.complaints == []
