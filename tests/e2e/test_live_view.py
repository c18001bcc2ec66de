"""A live session from a host on the command line to browsers: exact, followed, resumed, usable by everybody, and read-only."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.cli.commands import Command
from tests.e2e.site import DESKTOP, PATIENCE_MS, PHONE, Desk, Site, Somebody, desk, violations
from tests.http.harness import PASSWORD
from tests.servers.webtools import has_npm

SMALL = {"width": 320, "height": 640}
PIECES = ("x", " ", "\r\n", "\n", "🐝", "e\u0301", "# ", "return 1", "\t", "<b>", "\u200f")
CODE = (
    '# The gate — 🚪\r\nimport hinge\n\n\ndef swing(angle: float) -> str:\n    """Open."""\n    return f"{angle:.1f}"\n'
)
LONG = "".join(f"line_{number} = {number}  # {'wide ' * (number % 40)}\n" for number in range(10_000))


class Host:
    """Ada, who hosts on the command line as an editor would, and the text that she has."""

    def __init__(self, command: Command, invite: str, session_id: str) -> None:
        self.command, self.invite, self.session_id = command, invite, session_id
        self.texts: dict[str, str] = {}

    @classmethod
    async def begin(cls, site: Site, ada: Somebody, *more: object) -> Host:
        """Start to host; without more, a session of the project Garden."""
        made = await ada.post("/tokens", {"name": "laptop", "scopes": ["read", "live"]})
        environment = {"HIVESYNC_SERVER": site.url, "HIVESYNC_TOKEN": made.json()["token"]}
        arguments = more or ("--project", "Garden", "--title", "Mending the gate")
        command = await Command.start("live", "host", "--stdin-patches", "--json", *arguments, **environment)
        session_id = (await command.event("started"))["session_id"]
        invite = (await command.event("invite"))["web_link"]
        await command.event("hosting")
        return cls(command, invite, session_id)

    async def open(self, name: str, text: str) -> None:
        """Open a file, or put another text into it."""
        self.texts[name] = text
        await self.command.says({"file": name, "text": text})

    async def change(self, name: str, start: int, end: int, text: str) -> None:
        """Put a text in the place of another; offsets are of code points and must not part a CR from its LF."""
        old = self.texts[name]
        self.texts[name] = old[:start] + text + old[end:]
        range_ = {"start": _position(old, start), "end": _position(old, end)}
        await self.command.says({"file": name, "changes": [{"range": range_, "text": text}]})

    async def scribble(self, name: str, times: int, some: random.Random) -> None:
        """Type and delete here and there."""
        for _ in range(times):
            text = self.texts[name]
            start = _between(text, some.randrange(len(text) + 1))
            await self.change(
                name, start, _between(text, min(len(text), start + some.choice((0, 0, 1, 5)))), some.choice(PIECES)
            )

    async def look(self, name: str, line: int, visible: int) -> None:
        """Be somewhere."""
        place = {"line": line, "character": 0}
        window = {"start": {"line": visible, "character": 0}, "end": {"line": visible + 30, "character": 0}}
        await self.command.says({"file": name, "selections": [{"start": place, "end": place}], "visible": window})


def _between(text: str, at: int) -> int:
    return at + 1 if text[at - 1 : at + 1] == "\r\n" and at else at


def _position(text: str, at: int) -> dict[str, int]:
    before = text[:at].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return {"line": len(before) - 1, "character": len(before[-1].encode("utf-16-le")) // 2}


async def _watch(one: Desk, host: Host, name: str = "Grace") -> Page:
    """Open the link as a guest."""
    page = one.page
    await page.goto(host.invite)
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Watch", exact=True).click()
    await expect(page.locator(".pulse")).to_have_text("Live")
    return page


async def _copied(page: Page) -> str:
    """The text of the file that is shown, as the page gives it away."""
    await page.get_by_role("button", name="Copy").click()
    return str(await page.evaluate("navigator.clipboard.readText()"))


async def _shows(page: Page, text: str) -> None:
    """Wait until the page has exactly this text."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while await _copied(page) != text:
            await asyncio.sleep(0.1)


async def _is_usable(page: Page) -> None:
    width = await page.evaluate("innerWidth")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, "the page sticks out"
    if has_npm():
        assert await violations(page) == []


async def _picture(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at it."""
    folder = os.environ.get("HIVESYNC_PICTURES")
    if folder is not None:
        await page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture
async def ada(site: Site) -> Somebody:
    """Ada, who has the project Garden."""
    ada = await site.somebody("Ada Lovelace")
    await ada.project("Garden")
    return ada


@pytest.fixture
async def host(site: Site, ada: Somebody) -> AsyncIterator[Host]:
    """Ada's session, with two files."""
    host = await Host.begin(site, ada)
    await host.open("src/gate.py", CODE)
    await host.open("README.md", "# Garden\n\nThe *gate*.\n")
    yield host
    await host.command.kill()


def _clipboard(site: Site) -> dict[str, Any]:
    return {"permissions": ["clipboard-read", "clipboard-write"]}


async def test_a_guest_sees_exactly_what_the_host_has_and_is_told_when_it_ends(
    site: Site, browser: Browser, host: Host
) -> None:
    async with desk(site, browser, **_clipboard(site)) as one:
        page = await _watch(one, host)
        assert "hsl_" not in page.url
        await host.command.event("viewer", name="Grace", status="watching")
        await expect(page.get_by_role("heading")).to_have_text("Mending the gate")
        await page.get_by_role("tab", name="gate.py").click()
        await _shows(page, CODE)
        await host.scribble("src/gate.py", 200, random.Random(1))
        await _shows(page, host.texts["src/gate.py"])

        # A connection that is lost for a while: what was missed is sent, and nothing else.
        said: list[dict[str, Any]] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: said.append(json.loads(frame))))
        await one.context.set_offline(True)
        await expect(page.get_by_text("The connection is lost.")).to_be_visible()
        await host.scribble("src/gate.py", 20, random.Random(6))
        await one.context.set_offline(False)
        await _shows(page, host.texts["src/gate.py"])
        assert [message["payload"]["resumed"] for message in said if message["event_type"] == "live.viewing"] == [True]
        assert "live.snapshot" not in {message["event_type"] for message in said}

        # Whoever followed is taken along; whoever looks around is left alone.
        await page.get_by_role("button", name="Follow").click()
        await host.look("README.md", 2, 0)
        await expect(page.get_by_role("tab", name="README.md")).to_have_attribute("aria-selected", "true")
        await expect(page.locator(".place")).to_contain_text("Ada Lovelace is at line 3")
        await page.get_by_role("tab", name="gate.py").click()
        await expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
        await host.look("README.md", 1, 0)
        await expect(page.get_by_role("tab", name="README.md")).to_have_accessible_name(
            "README.md (Ada Lovelace is here)"
        )
        await expect(page.get_by_role("tab", name="gate.py")).to_have_attribute("aria-selected", "true")

        # Nothing that a person does in the page changes the text.
        await page.get_by_role("textbox", name="Text of src/gate.py").press("Control+a")
        await page.keyboard.type("nonsense")
        await page.keyboard.press("Delete")
        assert await _copied(page) == host.texts["src/gate.py"]

        await host.command.says({"file": "README.md", "close": True}, {"file": "src/gate.py", "rename": "src/door.py"})
        await expect(page.get_by_role("tab")).to_have_text(["door.py"])
        host.command.end_input()
        await expect(page.get_by_text("The host ended the session.")).to_be_visible()
        await expect(page.locator(".pulse")).to_have_text("Ended")
        assert await host.command.ends() == (0, "")
        await page.reload()
        await expect(page.get_by_role("heading", name="Watch a live session")).to_be_visible()
        one.complaints[:] = [said for said in one.complaints if "ERR_INTERNET_DISCONNECTED" not in said]


async def test_every_width_and_colour_is_usable_by_everybody_on_a_long_file(
    site: Site, browser: Browser, host: Host
) -> None:
    await host.open("src/long.py", LONG)
    await host.look("src/long.py", 5010, 5000)
    for name, size, scheme in (("desk", DESKTOP, "light"), ("phone", PHONE, "dark"), ("small", SMALL, "light")):
        async with desk(site, browser, size, color_scheme=scheme, **_clipboard(site)) as one:
            await one.page.goto(host.invite)
            await one.page.get_by_label("Your name").wait_for()
            await _picture(one.page, f"entry-{name}")
            await _is_usable(one.page)
            page = await _watch(one, host)
            await expect(page.locator(".cm-line.host-line")).to_be_in_viewport()
            await _is_usable(page)
            await _picture(page, name)
            assert await page.locator(".cm-line").count() < 200, "only what can be seen is drawn"
            await page.get_by_role("button", name="Find in the file").click()
            await page.keyboard.type("line_9999 =")
            await page.keyboard.press("Enter")
            await expect(page.locator(".cm-line", has_text="line_9999 =")).to_be_in_viewport()
            await _is_usable(page)
            await expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")


async def test_a_host_and_viewers_go_on_when_the_server_was_away(
    postgres_url: str, browser: Browser, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(Site(postgres_url, data_dir=str(tmp_path / "data")))
        ada = await first.somebody("Ada Lovelace")
        await ada.project("Garden")
        host = await Host.begin(first, ada)
        stack.push_async_callback(host.command.kill)
        await host.open("src/gate.py", CODE)
        one = await stack.enter_async_context(desk(first, browser, **_clipboard(first)))
        page = await _watch(one, host)
        copy = tmp_path / "copy"
        viewer = await Command.start("live", "view", host.invite, "--name", "Alan", "--write-to", copy, "--json")
        stack.push_async_callback(viewer.kill)
        await viewer.event("snapshot")
        await host.scribble("src/gate.py", 100, random.Random(2))
        await _shows(page, host.texts["src/gate.py"])

        await first.__aexit__()
        await expect(page.get_by_text("The connection is lost.")).to_be_visible()
        await host.scribble("src/gate.py", 50, random.Random(3))
        second = await stack.enter_async_context(
            Site(postgres_url, data_dir=str(tmp_path / "data"), port=int(first.url.rpartition(":")[2]))
        )
        assert second.url == first.url
        await host.command.event("hosting")
        await host.scribble("src/gate.py", 100, random.Random(4))
        await _shows(page, host.texts["src/gate.py"])
        await expect(page.locator(".pulse")).to_have_text("Live")
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while (copy / "src" / "gate.py").read_bytes().decode() != host.texts["src/gate.py"]:
                await asyncio.sleep(0.1)
        host.command.end_input()
        assert await host.command.ends() == (0, "")
        assert (await viewer.ends())[0] == 0
        await expect(page.get_by_text("The host ended the session.")).to_be_visible()
        one.complaints[:] = [said for said in one.complaints if "WebSocket" not in said]


async def test_members_find_the_session_watch_with_their_account_and_are_removed(
    site: Site, browser: Browser, ada: Somebody, host: Host
) -> None:
    grace = await site.somebody("Grace Hopper")
    garden = (await ada.get("/projects")).json()["items"][0]["project_id"]
    await ada.let_in(garden, grace)
    async with desk(site, browser, **_clipboard(site)) as one:
        page = one.page
        await one.sign_in(grace.email, f"/projects/{garden}/live")
        await expect(page.get_by_role("button", name="End")).to_have_count(0)
        await page.get_by_role("link", name="Watch Mending the gate").click()
        await expect(page.locator(".pulse")).to_have_text("Live")
        await page.get_by_role("tab", name="gate.py").click()
        await _shows(page, CODE)
        await expect(page.locator(".cm-line span").first).to_be_visible()
        await page.locator(".watchers summary").click()
        await expect(page.locator(".watchers-names")).to_have_text("Grace Hopper")
        await _is_usable(page)
        await _picture(page, "member")

        # A reload keeps the place; a host that is cut off is waited for.
        await page.reload()
        await expect(page.get_by_role("tab", name="gate.py")).to_be_visible()
        await host.command.kill()
        await expect(page.get_by_text("Ada Lovelace is away. The session waits for them")).to_be_visible()
        await expect(page.locator(".pulse")).to_have_text("Host away")
        await _picture(page, "away")
        again = await Host.begin(site, ada, "--session", host.session_id)
        try:
            await again.open("src/gate.py", "import hinge\n")
            await _shows(page, "import hinge\n")
            await expect(page.locator(".pulse")).to_have_text("Live")
            viewers = (await ada.get(f"/live-sessions/{host.session_id}")).json()["viewers"]
            for viewer in viewers:
                await ada.post(f"/live-sessions/{host.session_id}/viewers/{viewer['viewer_id']}/remove", {})
            await expect(page.get_by_text("The host removed you from the session.")).to_be_visible()
        finally:
            await again.command.kill()


async def test_an_invite_survives_the_way_to_the_sign_in(
    site: Site, browser: Browser, ada: Somebody, host: Host
) -> None:
    grace = await site.somebody("Grace Hopper")
    async with desk(site, browser) as one:
        page = one.page
        await page.goto(host.invite)
        await page.get_by_role("button", name="Sign in to watch with your account").click()
        await page.get_by_label("E-mail address").fill(grace.email)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("button", name="Watch as Grace Hopper").click()
        await expect(page.locator(".pulse")).to_have_text("Live")
        joined = await host.command.event("viewer", status="watching")
        assert joined["name"] == "Grace Hopper"
        await page.get_by_role("button", name="Leave").click()
        await expect(page.get_by_text("You left the session.")).to_be_visible()
        await host.command.event("viewer", status="left")


async def test_who_comes_back_or_comes_late_is_told_why_there_is_nothing_to_watch(
    site: Site, browser: Browser, ada: Somebody, host: Host
) -> None:
    async with desk(site, browser, PHONE) as one, desk(site, browser) as late:
        page = await _watch(one, host)
        await one.context.set_offline(True)
        await expect(page.locator(".pulse")).to_have_text("Offline")
        await ada.post(f"/live-sessions/{host.session_id}/end")
        await one.context.set_offline(False)
        await expect(page.get_by_text("The host ended the session.")).to_be_visible()
        await expect(page.locator(".pulse")).to_have_text("Ended")
        await expect(page.get_by_role("button", name="Follow")).to_be_hidden()
        await _is_usable(page)
        await page.get_by_role("button", name="Watch another session").click()
        await expect(page.get_by_label("Link or invite")).to_be_visible()

        page = late.page
        await page.goto(host.invite)
        await page.get_by_label("Your name").fill("Eve")
        await page.get_by_role("button", name="Watch", exact=True).click()
        await expect(page.get_by_text("The live session has ended")).to_be_visible()
        await expect(page.get_by_text("The host ended it.")).to_be_visible()
        await _is_usable(page)
        await page.get_by_role("button", name="Use another link").click()
        await expect(page.get_by_label("Link or invite")).to_be_visible()
        for each in (one, late):
            each.complaints[:] = [
                said for said in each.complaints if "ERR_INTERNET_DISCONNECTED" not in said and "409" not in said
            ]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE, SMALL], ids=["desktop", "phone", "small"])
async def test_more_files_than_fit_as_tabs_are_all_in_reach(
    site: Site, browser: Browser, host: Host, viewport: dict[str, int]
) -> None:
    names = [f"src/components/a_rather_long_name_of_a_file_{number}.tsx" for number in range(12)]
    async with desk(site, browser, viewport) as one:
        page = await _watch(one, host)
        await expect(page.get_by_text("All files")).to_be_hidden()
        for name in names:
            await host.open(name, f"export const name = {name!r};\n")
        menu = page.locator(".all-files")
        await expect(menu.locator("summary")).to_contain_text("14")
        await menu.locator("summary").press("Enter")
        await expect(menu.get_by_role("button")).to_have_count(14)
        await _is_usable(page)
        await _picture(page, f"files-{viewport['width']}")
        await menu.get_by_role("button", name=names[10], exact=True).click()
        await expect(menu.get_by_role("button", name=names[10], exact=True)).to_be_hidden()
        await expect(page.get_by_role("tab", name="file_10.tsx")).to_have_attribute("aria-selected", "true")
        await expect(page.get_by_role("tab", name="file_10.tsx")).to_be_in_viewport()
        await menu.locator("summary").press("Enter")
        await page.keyboard.press("Escape")
        await expect(menu.get_by_role("button").first).to_be_hidden()
