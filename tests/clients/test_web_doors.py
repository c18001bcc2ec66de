"""The doors of the browser client: its session, which no script and no other site can use, and its files."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from adapters.http.web_client import client
from adapters.identity.authorization import s256_challenge
from tests.http.harness import PASSWORD, Person, RunningServer, running
from tests.http.visiting import Browser, email_of

VERIFIER = "a-verifier-of-forty-three-characters-at-least"
SESSION = "/api/v1/web/session"
SAME_SITE = {"sec-fetch-site": "same-origin"}


@pytest.fixture
async def server(postgres_url: str) -> AsyncIterator[RunningServer]:
    """A server on a fresh database."""
    async with running(postgres_url) as server:
        yield server


async def _code(server: RunningServer, person: Person, **changes: str) -> tuple[Browser, str]:
    """A browser that has signed in, and the code with which it was sent back; there is no question in between."""
    asked = {
        "response_type": "code",
        "client_id": "hivesync-web",
        "redirect_uri": server.parts.settings.public_url + "/callback",
        "scope": "read write live",
        "state": "xyz",
        "code_challenge": s256_challenge(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    browser = Browser(server)
    await browser.open(f"/oauth/authorize?{urlencode(asked)}")
    answer = await browser.send("/oauth/sign-in", email=await email_of(person), password=PASSWORD)
    assert answer.status_code == 303, answer.text
    return browser, parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def _begin(browser: Browser, code: str, **changes: str) -> httpx.Response:
    body = {"code": code, "code_verifier": VERIFIER, **changes}
    return await browser.http.post(SESSION, json=body, headers=SAME_SITE)


async def _session(server: RunningServer) -> tuple[Browser, dict[str, Any]]:
    browser, code = await _code(server, await server.person("ada"))
    answer = await _begin(browser, code)
    assert answer.status_code == 200, answer.text
    return browser, answer.json()


async def test_a_code_gives_an_access_token_and_a_cookie_that_no_script_reads(server: RunningServer) -> None:
    browser, code = await _code(server, await server.person("ada"))
    answer = await _begin(browser, code)
    token, cookie = answer.json(), answer.headers["set-cookie"]
    assert "refresh_token" not in token
    assert cookie.startswith("hivesync-web=hsr_")
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=2592000"):
        assert attribute.lower() in cookie.lower()
    me = await server.anyone.get("/api/v1/me", headers={"authorization": f"Bearer {token['access_token']}"})
    assert me.json()["account_id"] == token["account_id"]
    assert token["scopes"] == ["read", "write", "live"]


@pytest.mark.parametrize(
    "change", [{"code_verifier": VERIFIER[::-1]}, {"code": "hsc_nonsense"}], ids=["verifier", "code"]
)
async def test_a_code_is_worth_nothing_without_its_verifier(server: RunningServer, change: dict[str, str]) -> None:
    browser, code = await _code(server, await server.person("ada"))
    answer = await _begin(browser, **{"code": code, **change})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_a_code_is_good_once(server: RunningServer) -> None:
    browser, code = await _code(server, await server.person("ada"))
    first = (await _begin(browser, code)).json()
    assert (await _begin(browser, code)).status_code == 401
    headers = {"authorization": f"Bearer {first['access_token']}"}
    assert (await server.anyone.get("/api/v1/me", headers=headers)).status_code == 401, "what it gave ends too"


async def test_the_cookie_is_exchanged_for_a_new_token_and_is_good_once(server: RunningServer) -> None:
    browser, first = await _session(server)
    old = browser.http.cookies["hivesync-web"]
    renewed = await browser.http.post(f"{SESSION}/renew", headers=SAME_SITE)
    assert renewed.status_code == 200
    assert renewed.json()["access_token"] != first["access_token"]
    assert browser.http.cookies["hivesync-web"] != old
    thief = server.client()
    thief.cookies.set("hivesync-web", old)
    assert (await thief.post(f"{SESSION}/renew", headers=SAME_SITE)).status_code == 204
    assert (await browser.http.post(f"{SESSION}/renew", headers=SAME_SITE)).status_code == 204, "the session is over"


async def test_a_browser_without_a_session_is_told_so_and_its_cookie_is_taken_away(server: RunningServer) -> None:
    nobody = server.client()
    for cookie in ("", "hsr_nonsense", "x" * 5_000):
        nobody.cookies.set("hivesync-web", cookie)
        answer = await nobody.post(f"{SESSION}/renew", headers=SAME_SITE)
        assert (answer.status_code, answer.content) == (204, b"")
        assert "max-age=0" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_other_sites_get_nothing_out_of_a_browser(server: RunningServer, site: str) -> None:
    browser, _ = await _session(server)
    for path in ("/renew", "/end"):
        answer = await browser.http.post(SESSION + path, headers={"sec-fetch-site": site})
        assert answer.status_code == 401
    assert (await browser.http.post(f"{SESSION}/renew", headers=SAME_SITE)).status_code == 200


async def test_the_cookie_is_no_way_into_the_api(server: RunningServer) -> None:
    browser, _ = await _session(server)
    assert (await browser.http.get("/api/v1/me")).status_code == 401
    assert (await browser.http.post("/api/v1/projects", json={"name": "x"})).status_code == 401


async def test_a_refresh_token_of_another_program_is_none_here(server: RunningServer) -> None:
    person = await server.person("ada")
    pair = await server.parts.identity.sessions.open(person.account_id, "hivesync-cli", frozenset({"read"}))
    other = server.client()
    other.cookies.set("hivesync-web", pair.refresh_token)
    assert (await other.post(f"{SESSION}/renew", headers=SAME_SITE)).status_code == 204


async def test_signing_out_ends_the_session_and_the_browsers_sign_in(server: RunningServer) -> None:
    browser, token = await _session(server)
    assert (await browser.http.post(f"{SESSION}/end", headers=SAME_SITE)).status_code == 200
    assert "hivesync-web" not in browser.http.cookies
    assert "hivesync" not in browser.http.cookies
    headers = {"authorization": f"Bearer {token['access_token']}"}
    assert (await server.anyone.get("/api/v1/me", headers=headers)).status_code == 401


async def test_own_pages_are_not_asked_about_and_other_programs_are(server: RunningServer) -> None:
    person = await server.person("ada")
    await _code(server, person)
    browser = Browser(server)
    asked = {
        "response_type": "code",
        "client_id": "hivesync-cli",
        "redirect_uri": "http://127.0.0.1:4711/callback",
        "code_challenge": s256_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    await browser.open(f"/oauth/authorize?{urlencode(asked)}")
    await browser.send("/oauth/sign-in", email=await email_of(person), password=PASSWORD)
    assert browser.title == "Allow this program?"


async def test_own_pages_answers_go_to_the_server_itself_alone(server: RunningServer) -> None:
    asked = {
        "response_type": "code",
        "client_id": "hivesync-web",
        "redirect_uri": "https://evil.example/callback",
        "code_challenge": s256_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    answer = await server.anyone.get(f"/oauth/authorize?{urlencode(asked)}")
    assert answer.status_code == 400
    assert "location" not in answer.headers


# --- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/callback", "/projects", "/projects/a/list", "/account"])
async def test_every_address_of_the_client_is_the_page(server: RunningServer, path: str) -> None:
    answer = await server.anyone.get(path)
    assert answer.status_code == 200
    assert answer.content == client().page
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_live_page_is_a_page_of_its_own_under_the_same_policy(server: RunningServer) -> None:
    answer = await server.anyone.get("/live")
    assert (answer.status_code, answer.content) == (200, client().live_page)
    members = await server.anyone.get("/")
    for header in ("content-security-policy", "cache-control", "content-type", "referrer-policy"):
        assert answer.headers[header] == members.headers[header]
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_files_are_kept_for_ever_and_packed_for_who_takes_that(server: RunningServer) -> None:
    path = f"/assets/{client().version}/app/main.js"
    packed = await server.anyone.get(path)
    plain = await server.anyone.get(path, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == client().assets["app/main.js"].body
    assert gzip.decompress(client().assets["app/main.js"].packed or b"") == plain.content
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in plain.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "0/app/main.js",
        "{version}/app/none.js",
        "{version}/index.html",
        "{version}/app/../README.md",
        "{version}/%2e%2e/package.json",
    ],
)
async def test_nothing_else_of_the_disk_is_served(server: RunningServer, path: str) -> None:
    answer = await server.anyone.get("/assets/" + path.replace("{version}", client().version))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
