"""The browser that the tests drive is real: it shows a page, and the page is on the picture."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import async_playwright

from tests.servers.browser import ARGUMENTS

_PAGE = "data:text/html,<body style='background:%230a6'><h1 id='greeting'>Hello from HiveSync</h1>"
_BLANK = "data:text/html,"


async def test_a_page_is_drawn(chromium: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": 320, "height": 200})
        await page.goto(_BLANK)
        blank = await page.screenshot()
        await page.goto(_PAGE)
        drawn = await page.screenshot()
        assert await page.inner_text("#greeting") == "Hello from HiveSync"
        await browser.close()
    assert drawn.startswith(b"\x89PNG")
    assert drawn != blank
    assert len(drawn) > len(blank)
