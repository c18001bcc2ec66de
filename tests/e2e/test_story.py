"""The whole story in two browsers: from the link that the first start prints to an export that proves what happened."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.e2e.site import Site, desk
from tests.http.harness import PASSWORD


async def _make_account(page: Page, link: str, email: str | None, name: str, button: str) -> None:
    await page.goto(link)
    if email is not None:
        await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name=button).click()
    await page.get_by_role("heading", name="Welcome to HiveSync").wait_for()
    await page.get_by_role("link", name="Go on").click()


async def _sign_in(page: Page, email: str) -> None:
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", name="Projects", exact=True).wait_for()


async def test_a_team_sets_up_works_and_hands_an_auditor_the_proof(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    link = await site.parts.identity.set_up.link()
    assert link is not None
    async with desk(site, browser) as ada, desk(site, browser) as grace:
        # The first admin makes the account, signs in, and begins a project.
        await _make_account(ada.page, link, "ada@example.org", "Ada Lovelace", "Make the admin's account")
        await _sign_in(ada.page, "ada@example.org")
        await ada.page.get_by_role("button", name="New project").click()
        await ada.page.get_by_label("Name", exact=True).fill("Garden gate")
        await ada.page.get_by_role("button", name="Make the project").click()
        await ada.page.get_by_role("heading", name="Garden gate").wait_for()

        # Grace comes by an invitation, straight into the project.
        await ada.page.get_by_role("link", name="People").click()
        await ada.page.get_by_role("button", name="Invite").click()
        await ada.page.get_by_label("E-mail").fill("grace@example.org")
        await ada.page.get_by_role("button", name="Make an invitation").click()
        invitation = await ada.page.get_by_label("Link").input_value()
        await ada.page.keyboard.press("Escape")
        await _make_account(grace.page, invitation, None, "Grace Hopper", "Make my account")
        await _sign_in(grace.page, "grace@example.org")
        await expect(ada.page.get_by_text("Grace Hopper")).to_be_visible()

        # A task, and a call for help that the other browser hears of by itself.
        await ada.page.get_by_role("link", name="Board").click()
        await ada.page.get_by_role("button", name="New task").click()
        dialog = ada.page.get_by_role("dialog")
        await dialog.get_by_label("Title").fill("Mend the gate")
        await dialog.get_by_label("Description").fill("The **upper** hinge is loose.")
        await dialog.get_by_label("Labels").fill("garden, iron")
        await ada.page.get_by_role("button", name="Make the task").click()
        await ada.page.get_by_role("heading", name="Mend the gate").wait_for()
        await grace.page.get_by_role("link", name="Garden gate").click()
        await grace.page.get_by_role("link", name="Help").click()
        await grace.page.get_by_text("Nobody waits for help").wait_for()
        await ada.page.get_by_role("button", name="Ask for help").click()
        await ada.page.get_by_label("What do you need help with?").fill("Who has a grinder?")
        await dialog.get_by_role("button", name="Ask for help").click()
        await grace.page.get_by_text("Who has a grinder?").wait_for()
        await expect(grace.page.locator(".place")).to_have_text("place 1")

        # Grace helps, checks in, says something, and completes it.
        await grace.page.get_by_role("button", name="I’ll help").click()
        await expect(grace.page.get_by_text("left", exact=False).first).to_be_visible()
        await expect(ada.page.locator(".panel").get_by_text("Being helped")).to_be_visible()
        await grace.page.get_by_role("link", name="Mend the gate").click()
        await grace.page.get_by_label("Your comment").fill("I bring it on *Friday*.")
        await grace.page.get_by_role("button", name="Comment").click()
        await expect(ada.page.get_by_text("I bring it on Friday.")).to_be_visible()
        await grace.page.locator(".panel").get_by_role("button", name="Check in").click()
        await grace.page.locator(".panel").get_by_role("button", name="Complete").click()
        await expect(grace.page.locator(".panel").get_by_text("To review")).to_be_visible()
        await expect(grace.page.get_by_role("button", name="Approve")).to_have_count(0)

        # Ada, who may, approves; the history says why it is so.
        await ada.page.get_by_role("button", name="Approve").click()
        await expect(grace.page.locator(".panel .state-chip")).to_have_text("Approved")
        await ada.page.get_by_text("Why is it in this state?").click()
        chain = ada.page.locator(".chain li")
        await expect(chain).to_have_count(7)
        await expect(chain.first).to_contain_text("Ada Lovelace approved the work")
        await expect(chain.last).to_contain_text("Ada Lovelace made the task")

        # The export is written from the log, and is what its manifest says.
        await ada.page.get_by_role("link", name="Close the task").click()
        await ada.page.get_by_role("link", name="Export").click()
        await ada.page.get_by_role("button", name="New export").click()
        await dialog.get_by_role("button", name="Export").click()
        await ada.page.get_by_text("Ready").wait_for(timeout=60_000)
        files = {}
        for name in ("Download", "Manifest"):
            async with ada.page.expect_download() as waiting:
                await ada.page.get_by_role("button", name=name).click()
            download = await waiting.value
            await download.save_as(tmp_path / name)
            files[name] = (tmp_path / name).read_bytes()
        manifest = json.loads(files["Manifest"])
        digest = hashlib.sha256(files["Download"]).hexdigest()
        assert digest in json.dumps(manifest)
        assert digest in await ada.page.inner_text(".hash")
        rows = list(csv.reader(io.StringIO(files["Download"].decode())))
        assert any("task.approved" in " ".join(row) for row in rows)
