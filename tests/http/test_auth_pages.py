"""The pages as a browser without scripts sees them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.http.harness import PASSWORD, RunningServer, running
from tests.http.visiting import REQUEST, Browser, email_of
from tests.identity.node import WINDOW_S


async def test_a_program_with_a_foreign_address_is_told_nothing(server: RunningServer) -> None:
    browser = Browser(server)
    for changes in ({"redirect_uri": "https://evil.example/"}, {"client_id": "nobody"}):
        answer = await browser.open(f"/oauth/authorize?{urlencode({**REQUEST, **changes})}")
        assert answer.status_code == 400
        assert browser.title == "This sign-in cannot go on"


async def test_a_wrong_request_goes_back_to_the_program(server: RunningServer) -> None:
    for changes, error in (
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
    ):
        answer = await server.anyone.get(f"/oauth/authorize?{urlencode({**REQUEST, **changes})}")
        assert answer.status_code == 303
        told = parse_qs(urlsplit(answer.headers["location"]).query)
        assert (told["error"], told["state"]) == ([error], ["xyz"])


async def test_saying_no_goes_back_to_the_program(server: RunningServer) -> None:
    browser = Browser(server)
    await browser.open(f"/oauth/authorize?{urlencode(REQUEST)}")
    await browser.send("/oauth/sign-in", email=await email_of(await server.person("Grace")), password=PASSWORD)
    answer = await browser.send("/oauth/authorize", decision="deny")
    assert "error=access_denied" in answer.headers["location"]


async def test_a_wrong_password_stays_on_the_page_with_the_address_filled_in(server: RunningServer) -> None:
    browser = Browser(server)
    await browser.open(f"/oauth/authorize?{urlencode(REQUEST)}")
    answer = await browser.send("/oauth/sign-in", email='"><script>@x', password="wrong wrong wrong")
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "&quot;&gt;&lt;script&gt;@x" in answer.text
    assert "wrong wrong wrong" not in answer.text


async def test_who_is_not_you_signs_out_and_another_in(server: RunningServer) -> None:
    browser = Browser(server)
    await browser.open(f"/oauth/authorize?{urlencode(REQUEST)}")
    await browser.send("/oauth/sign-in", email=await email_of(await server.person("Grace")), password=PASSWORD)
    await browser.send("/oauth/sign-out")
    assert browser.title == "Sign in"
    await browser.send("/oauth/sign-in", email=await email_of(await server.person("Mia")), password=PASSWORD)
    assert browser.page is not None
    assert "<strong>Mia</strong>" in browser.page.text


async def test_a_form_of_another_site_is_refused(server: RunningServer) -> None:
    browser = Browser(server)
    await browser.open(f"/oauth/authorize?{urlencode(REQUEST)}")
    await browser.send("/oauth/sign-in", email=await email_of(await server.person("Grace")), password=PASSWORD)
    assert browser.page is not None
    found = re.search(r'name="form_secret" value="([^"]+)"', browser.page.text)
    assert found is not None
    form = {"request": urlencode(REQUEST), "decision": "allow"}
    for fields, headers in (
        (form, {}),
        ({**form, "form_secret": "x"}, {}),
        ({**form, "form_secret": found[1]}, {"sec-fetch-site": "cross-site"}),
        ({**form, "form_secret": found[1]}, {"sec-fetch-site": "same-site"}),
    ):
        answer = await browser.http.post("/oauth/authorize", data=fields, headers=headers)
        assert answer.status_code == 403, fields
        assert answer.headers["content-type"].startswith("text/html")
    answer = await browser.http.post("/oauth/authorize", data={**form, "form_secret": found[1]})
    assert answer.status_code == 303


async def test_nobody_plants_a_cookie_that_becomes_a_session(server: RunningServer) -> None:
    browser = Browser(server)
    planted = "A" * 43
    browser.http.cookies.set("hivesync", planted, domain="127.0.0.1")
    await browser.open("/device")
    await browser.send("/oauth/sign-in", email=await email_of(await server.person("Grace")), password=PASSWORD)
    thief = server.client()
    thief.cookies.set("hivesync", planted, domain="127.0.0.1")
    assert "Sign in" in (await thief.get("/device")).text


async def test_signing_in_leads_to_our_own_pages_alone(server: RunningServer) -> None:
    grace = await email_of(await server.person("Grace"))
    for where in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/api/v1/me",
        "/oauth/authorize?\r\nset-cookie: x=y",
        "javascript:alert(1)",
        "",
    ):
        browser = Browser(server)
        await browser.open("/device")
        assert browser.page is not None
        found = re.search(r'name="form_secret" value="([^"]+)"', browser.page.text)
        assert found is not None
        form = {"form_secret": found[1], "next": where, "email": grace, "password": PASSWORD}
        answer = await browser.http.post("/oauth/sign-in", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/device"), where


@pytest.mark.parametrize("https", [False, True])
async def test_the_cookie_and_the_headers_of_the_pages_are_strict(postgres_url: str, https: bool) -> None:
    public_url = "https://hivesync.test" if https else "http://localhost:4000"
    async with running(postgres_url, public_url=public_url) as server:
        answer = await server.anyone.get(f"/oauth/authorize?{urlencode(REQUEST)}")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-hivesync=" if https else "hivesync=")
        assert ("Secure" in cookie) == https
        for attribute in ("HttpOnly", "Path=/", "SameSite=lax"):
            assert attribute in cookie
        assert "Domain" not in cookie
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["form-action"] == "'self' http://127.0.0.1:49152"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "http" not in re.sub(r"https?://(127\.0\.0\.1|localhost|hivesync)[^\"<]*", "", answer.text).replace(
            "%3A%2F%2F", ""
        ).replace("redirect_uri=http", ""), "nothing comes from elsewhere"


async def test_the_set_up_page_makes_the_first_admin_and_closes(server: RunningServer) -> None:
    link = await server.parts.identity.set_up.link()
    assert link is not None
    browser = Browser(server)
    assert (await browser.open("/setup?token=nonsense")).status_code == 403
    parts = urlsplit(link)
    await browser.open(f"{parts.path}?{parts.query}")
    assert browser.title == "Set up HiveSync"
    fields = {"name": "Ada", "email": "ada@example.org"}
    weak = await browser.send("/setup", **fields, password="passwordpassword")
    assert weak.status_code == 422
    assert "over and over" in weak.text
    assert 'value="ada@example.org"' in weak.text
    await browser.send("/setup", **fields, password=PASSWORD)
    assert browser.title == "Welcome to HiveSync"
    body = {"email": "ada@example.org", "password": PASSWORD}
    pair = (await server.anyone.post("/api/v1/auth/sign-in", json=body)).json()
    assert "admin" in pair["scopes"]
    again = await browser.open(f"{parts.path}?{parts.query}")
    assert again.status_code == 409
    assert await server.parts.identity.set_up.link() is None


async def test_an_invited_person_makes_the_account_in_the_browser(server: RunningServer) -> None:
    ada = await server.person("Ada", is_admin=True)
    created = (await ada.post("/invitations", {"email": "grace@example.org"})).json()
    parts = urlsplit(created["link"])
    browser = Browser(server)
    await browser.open(f"{parts.path}?{parts.query}")
    assert browser.title == "Join HiveSync"
    assert browser.page is not None
    assert 'value="grace@example.org"' in browser.page.text
    await browser.send("/invitation", name="Grace", password=PASSWORD)
    assert browser.title == "Welcome to HiveSync"
    assert (await browser.open(f"{parts.path}?{parts.query}")).status_code == 404


async def test_whatever_is_in_the_address_there_is_a_page(server: RunningServer) -> None:
    for path in ("/oauth/authorize", "/device", "/setup", "/invitation"):
        for query in ("", "?%ff", "?a=1&a=2", "?token=%00", "?" + "x" * 20_000, "?user_code=%F0%9F%90%9D"):
            answer = await server.anyone.get(path + query)
            assert answer.status_code in (200, 400, 403, 404, 429), (path, query[:20])
            assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_whatever_is_sent_to_a_page_there_is_an_answer(server: RunningServer) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    forms = ("authorize", "sign-in", "sign-out")
    for path in (*(f"/oauth/{form}" for form in forms), "/device", "/device/decision", "/setup", "/invitation"):
        for body in (b"", b"\xff", b"form_secret=%ff", b"a=1&a=2", b"x" * 100_000):
            answer = await server.anyone.post(path, content=body, headers=headers)
            assert answer.status_code in (400, 403), (path, body[:20])
            assert answer.headers["content-type"].startswith("text/html")
        assert (await server.anyone.post(path, json={})).status_code == 415


async def test_a_flood_of_page_requests_is_told_so_on_a_page(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.main.MINUTE_S", WINDOW_S)
    async with running(postgres_url, anonymous_requests_per_minute=3) as server:
        answers = [await server.anyone.get("/device") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert "Too many requests" in answers[-1].text
        assert answers[-1].headers["content-type"] == "text/html; charset=utf-8"
