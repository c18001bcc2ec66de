"""The pages in a real browser: they work under their own policy, by keyboard, and can be read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import Page, async_playwright

from adapters.http import oauth_pages
from tests.http.harness import PASSWORD, PATIENCE_S, RunningServer
from tests.http.visiting import REQUEST, email_of, exchange
from tests.servers.browser import ARGUMENTS


@asynccontextmanager
async def browsing(chromium: Path, server: RunningServer) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page of a phone's size, and what the browser complains about."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": 360, "height": 740}, base_url=server.url)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page, complaints
        await browser.close()


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, asyncio.Future[str]]]:
    """A program that waits on its own machine for the answer: its redirect address, and the path that is asked."""
    asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        path = line.decode().split(" ")[1]
        if path.startswith("/callback") and not asked.done():
            asked.set_result(path)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nback")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/callback", asked


async def test_a_person_lets_a_program_in_by_keyboard(chromium: Path, server: RunningServer) -> None:
    grace = await email_of(await server.person("Grace"))
    async with browsing(chromium, server) as (page, complaints), listening() as (redirect_uri, asked):
        await page.goto(f"/oauth/authorize?{urlencode({**REQUEST, 'redirect_uri': redirect_uri})}")
        await page.locator("#email:focus").wait_for()
        await page.keyboard.type(grace)
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        assert await page.get_attribute("#password", "type") == "password"
        await page.get_by_role("button", name="Show password").click()
        assert await page.input_value("#password") == PASSWORD
        assert await page.get_attribute("#password", "type") == "text"
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Allow this program?").wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, "nothing sticks out on a phone"
        await page.get_by_role("button", name="Allow").press("Enter")
        async with asyncio.timeout(PATIENCE_S):
            path = await asked
        await page.get_by_text("back").wait_for()
        assert [text for text in complaints if "favicon" not in text] == []
    code = parse_qs(urlsplit(path).query)["code"][0]
    assert (await exchange(server, code, redirect_uri=redirect_uri)).status_code == 200


async def test_the_policy_lets_no_foreign_script_style_or_form_through(chromium: Path, server: RunningServer) -> None:
    async with browsing(chromium, server) as (page, complaints):
        await page.goto("/device")
        before = page.url
        await page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "window.broken = true";
                document.body.append(script);
                const form = document.createElement("form");
                form.action = "https://evil.example/";
                form.method = "post";
                document.body.append(form);
                form.submit();
            }"""
        )
        await page.wait_for_timeout(200)
        assert await page.evaluate("window.broken") is None
        assert page.url == before
        assert sum("Content Security Policy" in text for text in complaints) == 2


async def test_every_entry_has_a_label_and_every_page_a_heading(chromium: Path, server: RunningServer) -> None:
    link = await server.parts.identity.set_up.link()
    assert link is not None
    async with browsing(chromium, server) as (page, _):
        for path in ("/device", f"/setup?{urlsplit(link).query}"):
            await page.goto(path)
            unlabelled = await page.evaluate(
                "[...document.querySelectorAll('input:not([type=hidden])')].filter(e => !e.labels.length).length"
            )
            assert unlabelled == 0
            assert await page.get_by_role("heading", level=1).count() == 1
            assert await page.locator("html").get_attribute("lang") == "en"


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_it_stands_on(scheme: str) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1; 1.4.11: at least 3 to 1 for borders of entries and the focus ring."""
    style = (resources.files(oauth_pages) / "style.css").read_text(encoding="utf-8")
    roots = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", roots[0 if scheme == "light" else 1]))

    def contrast(one: str, other: str) -> float:
        lighter, darker = sorted((_luminance(colours[one]), _luminance(colours[other])), reverse=True)
        return (lighter + 0.05) / (darker + 0.05)

    for text, ground in (
        *((text, ground) for text in ("ink", "soft", "accent") for ground in ("card", "page", "tint")),
        ("on-accent", "accent"),
        ("on-accent", "accent-strong"),
        ("bad", "bad-tint"),
        ("soft", "glow"),
    ):
        assert contrast(text, ground) >= 4.5, (text, ground, contrast(text, ground))
    for shape in ("focus", "soft", "good", "bad"):
        assert contrast(shape, "card") >= 3, shape
