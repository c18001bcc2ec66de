"""What the page shows is what stands: through lost connections, stale pages, imports, looks into the past, and sessions."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from adapters.gateway import session
from shared.socket.close_codes import CloseCode
from tests.e2e.site import PATIENCE_MS, Desk, Site, desk

REFUSED = "Failed to load resource: the server responded with a status of 409 (Conflict)"


def _cut(site: Site) -> None:
    """Let every live connection be lost, and none be made."""
    site.parts.gateway.admission.open = False
    for socket in site.parts.gateway.registry:
        socket.end(CloseCode.TRY_AGAIN, "the test cuts the line")


def _mend(site: Site) -> None:
    site.parts.gateway.admission.open = True


async def _is_live(one: Desk) -> None:
    await expect(one.page.locator(".pulse")).to_have_text("Live")


# --- the live connection ---------------------------------------------------------------------------------------------


async def test_a_lost_connection_is_told_and_what_was_missed_is_shown_when_it_is_back(
    site: Site, browser: Browser
) -> None:
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("Garden gate")
    task = await ada.task(garden, "Mend the gate")
    async with desk(site, browser) as one:
        await one.sign_in(ada.email, f"/projects/{garden}")
        await one.page.get_by_text("Mend the gate").wait_for()
        _cut(site)
        await one.page.get_by_text("The connection is lost").wait_for()
        await ada.post(f"/tasks/{task}/complete")
        await ada.task(garden, "Paint the fence")
        await expect(one.page.get_by_text("Paint the fence")).to_have_count(0)
        _mend(site)
        await expect(one.page.locator(".column.open .card-title")).to_have_text(["Paint the fence"])
        await expect(one.page.locator(".column.completed .card-title")).to_have_text(["Mend the gate"])
        await expect(one.page.get_by_text("The connection is lost")).to_have_count(0)
        await _is_live(one)


async def test_who_was_away_for_too_long_reads_anew(
    site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "REPLAY_EVENTS_MAX", 3)
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("Garden gate")
    async with desk(site, browser) as one:
        await one.sign_in(ada.email, f"/projects/{garden}")
        await expect(one.page.locator(".column.open .count")).to_have_text("0")
        _cut(site)
        await one.page.get_by_text("The connection is lost").wait_for()
        for number in range(6):
            await ada.task(garden, f"Task {number}")
        _mend(site)
        await expect(one.page.locator(".column.open .count")).to_have_text("6")
        assert site.parts.gateway.stats.resyncs == 1


async def test_a_refused_transition_says_what_is_possible_now(site: Site, browser: Browser) -> None:
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("Garden gate")
    task = await ada.task(garden, "Mend the gate")
    async with desk(site, browser) as one:
        await one.sign_in(ada.email, f"/projects/{garden}?task={task}")
        await one.page.get_by_role("button", name="Complete").wait_for()
        _cut(site)
        await one.page.get_by_text("The connection is lost").wait_for()
        await ada.post(f"/tasks/{task}/complete")
        await one.page.get_by_role("button", name="Complete").click()
        alert = one.page.get_by_role("alert").filter(has_text="Possible now")
        await expect(alert).to_contain_text("Possible now: approve, deny, assign, edit, comment, archive.")
        _mend(site)
        await expect(one.page.get_by_role("button", name="Approve")).to_be_visible()
        assert one.complaints == [REFUSED]
        one.complaints.clear()


async def test_an_edit_made_on_an_old_version_overwrites_nothing(site: Site, browser: Browser) -> None:
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("Garden gate")
    task = await ada.task(garden, "Mend the gate")
    async with desk(site, browser) as one:
        await one.sign_in(ada.email, f"/projects/{garden}?task={task}")
        await one.page.get_by_role("button", name="Edit").click()
        dialog = one.page.get_by_role("dialog")
        await dialog.get_by_label("Title").fill("Mend the garden gate")
        await ada.send("PATCH", f"/tasks/{task}", {"title": "Mend both gates"}, if_match='"1"')
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("Somebody changed it meanwhile")
        await expect(one.page.get_by_role("heading", name="Mend both gates")).to_be_visible()
        assert "412" in one.complaints.pop()


async def test_who_is_taken_out_is_shown_out(site: Site, browser: Browser) -> None:
    ada, grace = await site.somebody("Ada Lovelace"), await site.somebody("Grace Hopper")
    garden = await ada.project("Garden gate")
    await ada.let_in(garden, grace)
    async with desk(site, browser) as one:
        await one.sign_in(grace.email, f"/projects/{garden}")
        await one.page.get_by_role("heading", name="Garden gate").wait_for()
        await ada.send("DELETE", f"/projects/{garden}/members/{grace.account_id}")
        await one.page.get_by_text("You do not belong to this project any more.").wait_for()
        await one.page.get_by_text("No projects yet").wait_for()


async def test_an_auditor_reads_everything_and_is_offered_nothing(site: Site, browser: Browser) -> None:
    ada, audrey = await site.somebody("Ada Lovelace"), await site.somebody("Audrey Auditor")
    garden = await ada.project("Garden gate")
    await ada.let_in(garden, audrey, "auditor")
    task = await ada.task(garden, "Mend the gate")
    async with desk(site, browser) as one:
        await one.sign_in(audrey.email, f"/projects/{garden}?task={task}")
        await one.page.get_by_role("heading", name="Mend the gate").wait_for()
        await expect(one.page.locator(".actions button")).to_have_count(0)
        await expect(one.page.get_by_role("button", name="New task")).to_have_count(0)
        await expect(one.page.get_by_label("Your comment")).to_be_hidden()
        await expect(one.page.get_by_role("link", name="Export")).to_be_visible()


# --- the past --------------------------------------------------------------------------------------------------------


async def test_the_board_of_a_moment_is_what_stood_then_and_can_not_be_changed(site: Site, browser: Browser) -> None:
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("Garden gate")
    task = await ada.task(garden, "Mend the gate")
    position = (await ada.get(f"/tasks/{task}")).json()["task"]["position"]
    await ada.post(f"/tasks/{task}/complete")
    await ada.task(garden, "Paint the fence")
    async with desk(site, browser) as one:
        page = one.page
        await one.sign_in(ada.email, f"/projects/{garden}")
        await page.get_by_text("Paint the fence").wait_for()
        await page.get_by_role("button", name="Look back").click()
        await page.get_by_role("dialog").get_by_label("At this position of the log").fill(str(position))
        await page.get_by_role("dialog").get_by_role("button", name="Show").click()
        await expect(page.get_by_text(f"at position {position}")).to_be_visible()
        await expect(page.locator(".column.open .card-title")).to_have_text(["Mend the gate"])
        await expect(page.get_by_role("button", name="New task")).to_have_count(0)
        await page.get_by_role("link", name="Mend the gate").click()
        await expect(page.locator(".panel .state-chip")).to_have_text("Open")
        await expect(page.locator(".actions button")).to_have_count(0)
        await ada.task(garden, "Oil the hinges")
        await page.get_by_role("link", name="What changed since").click()
        await expect(page.locator(".change")).to_have_count(3)
        await expect(page.get_by_text("Open → To review")).to_be_visible()
        await page.get_by_role("link", name="Back to now").click()
        await expect(page.locator(".column.open .card-title")).to_have_text(["Oil the hinges", "Paint the fence"])


async def test_a_step_of_the_history_leads_to_how_everything_stood_then(site: Site, browser: Browser) -> None:
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("Garden gate")
    task = await ada.task(garden, "Mend the gate")
    await ada.post(f"/tasks/{task}/complete")
    async with desk(site, browser) as one:
        await one.sign_in(ada.email, f"/projects/{garden}?task={task}")
        await one.page.get_by_text("Why is it in this state?").click()
        await one.page.locator(".chain li").last.get_by_role("link").click()
        await expect(one.page.locator(".panel .state-chip")).to_have_text("Open")
        await expect(one.page.locator(".chain li")).to_have_count(1)
        await one.page.go_back()
        await expect(one.page.locator(".panel .state-chip")).to_have_text("To review")


async def test_a_time_is_a_moment_too(site: Site, browser: Browser) -> None:
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("Garden gate")
    await ada.task(garden, "Mend the gate")
    await asyncio.sleep(2.1)
    await ada.task(garden, "Paint the fence")
    async with desk(site, browser, timezone_id="Asia/Kolkata") as one:
        page = one.page
        await one.sign_in(ada.email, f"/projects/{garden}")
        await page.get_by_text("Paint the fence").wait_for()
        made = (await ada.get(f"/projects/{garden}/tasks?sort=created")).json()["items"][0]["created_at"]
        local = await page.evaluate(
            "(time) => { const at = new Date(new Date(time).getTime() + 1000);"
            " return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19); }",
            made,
        )
        await page.get_by_role("button", name="Look back").click()
        await page.get_by_role("dialog").get_by_label("At this time").fill(local)
        await page.get_by_role("dialog").get_by_role("button", name="Show").click()
        await expect(page.locator(".column.open .card-title")).to_have_text(["Mend the gate"])


# --- imports ---------------------------------------------------------------------------------------------------------


async def test_github_issues_are_imported_with_progress_and_again_without_doubles(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    issues = [
        {
            "number": number,
            "title": f"Issue {number} of the dragon" if number % 7 == 0 else f"Issue {number}",
            "state": "closed" if number % 2 else "open",
            "html_url": f"https://github.com/garden/gate/issues/{number}",
            "user": {"login": "octocat"},
            "labels": [{"name": "bug"}],
            "body": "It is broken.",
            "created_at": "2024-01-01T00:00:00Z",
            "updated_at": "2024-01-02T00:00:00Z",
            "closed_at": "2024-01-02T00:00:00Z" if number % 2 else None,
        }
        for number in range(1, 301)
    ]
    file = tmp_path / "issues.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, issues)).encode()))
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("Garden gate")
    async with desk(site, browser) as one:
        page = one.page
        await one.sign_in(ada.email, f"/projects/{garden}/import")
        await page.get_by_label("Rehearse only").check()
        for heading, new, existing in (
            ("The rehearsal is over", "300", "0"),
            ("The import is done", "300", "0"),
            ("The import is done", "0", "300"),
        ):
            await page.get_by_label("File").set_input_files(file)
            await page.get_by_role("button", name="Import", exact=True).click()
            facts = page.locator(".card-box", has=page.get_by_role("heading", name=heading))
            await expect(facts.locator("dd").nth(1)).to_have_text(new)
            await expect(facts.locator("dd").nth(2)).to_have_text(existing)
            await page.get_by_label("Rehearse only").uncheck()
        await page.get_by_role("link", name="Board").click()
        await expect(page.locator(".column.open .count")).to_have_text("30+")
        await page.locator(".column.open").get_by_role("button", name="Show more").click()
        await expect(page.locator(".column.open .count")).to_have_text("60+")
        await page.get_by_role("link", name="List").click()
        await expect(page.locator("tbody tr")).to_have_count(50)
        await page.get_by_label("Search title and description").fill("dragon")
        await expect(page.locator("tbody tr")).to_have_count(42)
        await page.get_by_label("State").select_option("approved")
        await expect(page.locator("tbody tr")).to_have_count(21)
        await page.get_by_role("link", name="Title", exact=True).click()
        await expect(page.locator("tbody tr").first).to_contain_text("Issue 105 of the dragon")
        await page.reload()
        await expect(page.locator("tbody tr")).to_have_count(21)
        await expect(page.get_by_label("Search title and description")).to_have_value("dragon")


# --- sessions --------------------------------------------------------------------------------------------------------


async def test_a_reload_and_a_second_tab_ask_for_no_password_and_scripts_find_no_token(
    site: Site, browser: Browser
) -> None:
    ada = await site.somebody("Ada Lovelace")
    garden = await ada.project("Garden gate")
    async with desk(site, browser) as one:
        await one.sign_in(ada.email, f"/projects/{garden}?q=gate")
        await one.page.get_by_role("heading", name="Garden gate").wait_for()
        assert one.page.url.endswith("?q=gate"), "one comes out where one went in"
        await one.page.reload()
        await _is_live(one)
        second = Desk(site, one.context, await one.context.new_page())
        await second.page.goto(f"{site.url}/projects/{garden}")
        await _is_live(second)
        found = await one.page.evaluate(
            "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, location.href])"
        )
        assert "hs" + "r_" not in found
        assert "hs" + "a_" not in found
        assert json.loads(found)[:3] == ["", {}, {}]
        assert second.complaints == []
        sessions = await site.parts.database.fetch_all(
            "SELECT 1 FROM identity.sessions WHERE client_id = 'hivesync-web'"
        )
        assert len(sessions) == 1, "one session, however many tabs"


async def test_tokens_are_renewed_while_one_looks_and_the_socket_stays(
    postgres_url: str, tmp_path: Path, browser: Browser
) -> None:
    async with Site(postgres_url, data_dir=str(tmp_path), access_token_ttl_s=12) as site:
        ada = await site.somebody("Ada Lovelace")
        garden = await ada.project("Garden gate")
        token = await site.token(ada.account_id)
        async with desk(site, browser) as one:
            await one.sign_in(ada.email, f"/projects/{garden}")
            second = await one.context.new_page()
            await second.goto(f"{site.url}/projects/{garden}")
            stats = site.parts.gateway.stats
            async with asyncio.timeout(PATIENCE_MS / 1000):
                while stats.received["auth"] <= 4:
                    await asyncio.sleep(0.1)
            assert token != await site.token(ada.account_id)
            fresh = site.client(await site.token(ada.account_id))
            await fresh.post(f"/api/v1/projects/{garden}/tasks", json={"title": "Mend the gate"})
            await expect(one.page.get_by_text("Mend the gate")).to_be_visible()
            await expect(second.get_by_text("Mend the gate")).to_be_visible()
            assert stats.closed["expired"] == stats.closed["not_authenticated"] == 0


async def test_signing_out_ends_every_tab_and_the_browser_is_asked_again(site: Site, browser: Browser) -> None:
    ada = await site.somebody("Ada Lovelace")
    async with desk(site, browser) as one:
        await one.sign_in(ada.email)
        second = await one.context.new_page()
        await second.goto(site.url)
        await expect(second.locator(".pulse")).to_have_text("Live")
        await one.page.goto(f"{site.url}/account")
        await one.page.get_by_role("button", name="Sign out", exact=True).click()
        await one.page.get_by_role("heading", name="You are signed out").wait_for()
        await second.get_by_role("heading", name="Sign in").wait_for()
        await one.page.get_by_role("button", name="Sign in again").click()
        await one.page.get_by_label("E-mail address").wait_for()
        assert (
            await site.parts.database.fetch_all("SELECT 1 FROM identity.sessions WHERE client_id = 'hivesync-web'")
            == []
        )


async def test_an_answer_to_somebody_elses_sign_in_is_not_taken(site: Site, browser: Browser) -> None:
    async with desk(site, browser) as one:
        await one.page.goto(f"{site.url}/callback?code=hsc_x&state=y&iss={site.url}")
        await one.page.get_by_text("belongs to another attempt").wait_for()
        assert one.page.url == f"{site.url}/"


async def test_another_name_of_the_server_leads_to_its_own(site: Site, browser: Browser) -> None:
    async with desk(site, browser) as one:
        await one.page.goto(site.url.replace("127.0.0.1", "localhost") + "/projects?x=1")
        await one.page.get_by_label("E-mail address").wait_for()
        assert one.page.url.startswith(site.url)
