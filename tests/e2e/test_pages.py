"""Every page, at a desk and on a phone, by day and by night: usable by everybody, and nothing sticks out."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.site import DESKTOP, PHONE, Desk, Site, Somebody, desk, violations
from tests.servers.webtools import has_npm

TABS = {
    "board": "",
    "list": "/list",
    "help queue": "/help",
    "live": "/live",
    "people": "/people",
    "import": "/import",
    "export": "/exports",
}


async def _garden(site: Site) -> tuple[Somebody, Somebody, UUID, UUID]:
    """Two people, a project with tasks in every state, and the task that is being helped."""
    ada, grace = await site.somebody("Ada Lovelace"), await site.somebody("Grace Hopper")
    garden = await ada.project("Garden gate", description="The gate, the fence and the hedge.")
    await ada.let_in(garden, grace)
    helped = await ada.task(garden, "Mend the gate", labels=["garden", "iron"], priority="urgent", due="2024-05-01")
    await ada.post(f"/tasks/{helped}/request-help", {"reason": "The **upper** hinge"})
    await grace.post(f"/tasks/{helped}/claim-help")
    await grace.post(
        f"/tasks/{helped}/comments", {"text": "See https://example.org and `code`\n\n- one\n- two\n\n> three"}
    )
    waiting = await grace.task(garden, "Cut the hedge " + "verylongword" * 8, priority="low")
    await grace.post(f"/tasks/{waiting}/request-help", {"reason": "Too high"})
    for title, transitions in (
        ("Oil the hinges", ["complete"]),
        ("Paint it", ["complete", "approve"]),
        ("Old", ["archive"]),
    ):
        task = await ada.task(garden, title, assignee_id=str(grace.account_id))
        for transition in transitions:
            await ada.post(f"/tasks/{task}/{transition}")
    await ada.post("/exports", {"format": "csv", "project_id": str(garden)})
    return ada, grace, garden, helped


async def _check(one: Desk) -> None:
    """The page has loaded, sticks to its width, and is usable by everybody."""
    page = one.page
    await expect(page.get_by_text("Loading…")).to_have_count(0)
    await expect(page.locator("[aria-busy]")).to_have_count(0)
    await page.wait_for_timeout(250)
    width = await page.evaluate("innerWidth")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} sticks out"
    if has_npm():
        assert await violations(page) == [], page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
async def test_every_page_is_usable_by_everybody(
    site: Site, browser: Browser, size: dict[str, int], scheme: str
) -> None:
    ada, _, garden, helped = await _garden(site)
    async with desk(site, browser, size, color_scheme=scheme) as one:
        await one.sign_in(ada.email)
        await one.page.get_by_text("Garden gate").wait_for()
        await _check(one)
        for path in TABS.values():
            await one.page.goto(f"{site.url}/projects/{garden}{path}")
            await one.page.get_by_text("Live", exact=True).wait_for()
            await _check(one)
        await one.page.goto(f"{site.url}/projects/{garden}?task={helped}")
        await one.page.get_by_role("heading", name="Mend the gate").wait_for()
        await one.page.get_by_text("Why is it in this state?").click()
        await one.page.locator(".chain li").first.wait_for()
        await _check(one)
        await one.page.goto(f"{site.url}/projects/{garden}?as_of=8")
        await one.page.get_by_text("This is how everything stood").wait_for()
        await _check(one)
        await one.page.goto(f"{site.url}/projects/{garden}/changes?as_of=8")
        await one.page.locator(".change").first.wait_for()
        await _check(one)
        await one.page.goto(f"{site.url}/account")
        await one.page.get_by_role("heading", name="Your account").wait_for()
        await _check(one)


async def test_every_dialog_is_usable_by_everybody(site: Site, browser: Browser) -> None:
    ada, _, garden, helped = await _garden(site)
    async with desk(site, browser, PHONE) as one:
        await one.sign_in(ada.email)
        for path, button in (
            ("/", "New project"),
            (f"/projects/{garden}", "New task"),
            (f"/projects/{garden}", "Look back"),
            (f"/projects/{garden}/people", "Invite"),
            (f"/projects/{garden}/people", "Add somebody"),
            (f"/projects/{garden}/people", "Change who approves"),
            (f"/projects/{garden}/exports", "New export"),
            (f"/projects/{garden}?task={helped}", "Edit"),
            (f"/projects/{garden}?task={helped}", "Assign"),
            (f"/projects/{garden}?task={helped}", "Archive"),
        ):
            await one.page.goto(site.url + path)
            await one.page.get_by_role("button", name=button, exact=True).click()
            dialog = one.page.get_by_role("dialog")
            await dialog.wait_for()
            await _check(one)
            assert await dialog.evaluate("dialog => dialog.contains(document.activeElement)"), "the focus is inside"
            await one.page.keyboard.press("Escape")
            await expect(dialog).to_have_count(0)


async def test_a_task_is_made_found_and_completed_by_keyboard_alone(site: Site, browser: Browser) -> None:
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("Garden gate")
    await ada.task(garden, "Paint the fence")
    async with desk(site, browser) as one:
        page = one.page
        await one.sign_in(ada.email, f"/projects/{garden}")
        await page.get_by_text("Paint the fence").wait_for()
        await page.keyboard.press("n")
        await page.keyboard.type("Mend the gate")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Mend the gate").wait_for()
        assert await page.evaluate("document.activeElement.textContent") == "Mend the gate"
        await page.keyboard.press("Escape")
        await expect(page.locator(".panel")).to_be_hidden()
        await page.keyboard.press("/")
        await page.keyboard.type("gate")
        await expect(page.get_by_role("link", name="Paint the fence")).to_have_count(0)
        card = page.get_by_role("link", name="Mend the gate")
        await card.focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Complete").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".panel").get_by_text("To review")).to_be_visible()
        assert await page.evaluate("document.activeElement.closest('.panel') !== null"), "the focus stays with the task"
        assert "q=gate" in page.url
        await page.keyboard.press("Escape")
        await expect(page.locator(".panel")).to_be_hidden()


async def test_what_people_write_is_shown_and_never_run(site: Site, browser: Browser) -> None:
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("<img src=x onerror=alert(1)>")
    hostile = "<script>alert(1)</script> [link](javascript:alert(1)) **bold** <b>tag</b>\n\n```\n<img src=x>\n```"
    task = await ada.task(garden, "<b>title</b>", description=hostile, labels=["<i>x</i>"])
    await ada.post(f"/tasks/{task}/comments", {"text": hostile})
    async with desk(site, browser) as one:
        await one.sign_in(ada.email, f"/projects/{garden}?task={task}")
        await one.page.get_by_role("heading", name="<b>title</b>").wait_for()
        assert await one.page.locator("main img, main script, main b, main i").count() == 0
        assert await one.page.locator("a[href^='javascript']").count() == 0
        assert await one.page.locator(".prose strong").count() == 2


async def test_the_hash_that_browsers_offer_on_safe_origins_only_is_made_here_too(site: Site, browser: Browser) -> None:
    async with desk(site, browser) as one:
        await one.page.goto(site.url + "/setup")
        one.complaints.clear()
        sources = (Path(__file__).parents[2] / "adapters/clients/web/app/sha256.js").read_text(encoding="utf-8")
        same = await one.page.evaluate(
            """async (source) => {
                const make = new Function(source.replaceAll('export ', '') + '; return sha256Here');
                const here = make();
                for (let length = 0; length < 200; length++) {
                    const data = crypto.getRandomValues(new Uint8Array(length));
                    const theirs = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
                    if (here(data).join() !== theirs.join()) return length;
                }
                return true;
            }""",
            sources,
        )
        assert same is True


async def test_other_sign_ins_are_seen_and_thrown_out(site: Site, browser: Browser) -> None:
    ada = await site.somebody("Ada Lovelace")
    phone = site.client(await site.token(ada.account_id))
    async with desk(site, browser) as one:
        await one.sign_in(ada.email)
        await one.page.goto(f"{site.url}/account")
        rows = one.page.locator(".sign-ins li")
        await expect(rows).to_have_count(3)
        await expect(rows.filter(has_text="HiveSync in the browser")).to_contain_text("This one")
        await rows.get_by_role("button", name="End: ").first.click()
        await expect(rows).to_have_count(2)
        await one.page.get_by_role("button", name="Sign out everywhere else").click()
        await expect(rows).to_have_count(1)
        await expect(one.page.get_by_role("button", name="Sign out everywhere else")).to_be_hidden()
    assert (await phone.get("/api/v1/me")).status_code == 401
