"""A browser without scripts, and what a program asks for, for the tests of OAuth."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from adapters.identity.authorization import s256_challenge
from tests.http.harness import PASSWORD, Person, RunningServer

VERIFIER = "a-verifier-of-forty-three-characters-at-least"
LOOPBACK = "http://127.0.0.1:49152/callback"
REQUEST = {
    "response_type": "code",
    "client_id": "hivesync-cli",
    "redirect_uri": LOOPBACK,
    "scope": "read write",
    "state": "xyz",
    "code_challenge": s256_challenge(VERIFIER),
    "code_challenge_method": "S256",
}


class Browser:
    """A browser without scripts: it keeps cookies, reads forms and sends them, and follows what stays on the server."""

    def __init__(self, server: RunningServer) -> None:
        self.http = server.client()
        self.page: httpx.Response | None = None

    async def open(self, path: str) -> httpx.Response:
        """Open an address."""
        return await self._follow(await self.http.get(path))

    async def send(self, action: str, **fields: str) -> httpx.Response:
        """Send the form of the page that leads to ``action``, with these fields filled in."""
        assert self.page is not None
        form = re.search(rf'<form method="post" action="{re.escape(action)}">(.*?)</form>', self.page.text, re.DOTALL)
        assert form is not None, f"no form leads to {action}:\n{self.page.text}"
        filled: dict[str, str] = {}
        for entry in re.findall("<input ([^>]*)>", form[1]):
            attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', entry))
            filled[attributes["name"]] = unescape(attributes.get("value", ""))
        filled |= fields
        headers = {"sec-fetch-site": "same-origin"}
        return await self._follow(await self.http.post(action, data=filled, headers=headers))

    async def _follow(self, answer: httpx.Response) -> httpx.Response:
        while answer.status_code == 303 and answer.headers["location"].startswith("/"):
            answer = await self.http.get(answer.headers["location"])
        self.page = answer
        return answer

    @property
    def title(self) -> str:
        """The heading of the page."""
        assert self.page is not None
        found = re.search(r'<h1 id="title">(.*?)</h1>', self.page.text)
        return unescape(found[1]) if found else ""


async def email_of(person: Person) -> str:
    return str((await person.get("/me")).json()["email"])


async def code_from(server: RunningServer, person: Person, **changes: str) -> tuple[str, dict[str, str]]:
    """Go through the pages as a person does; the address that the browser is sent to, and its query."""
    browser = Browser(server)
    await browser.open(f"/oauth/authorize?{urlencode({**REQUEST, **changes})}")
    await browser.send("/oauth/sign-in", email=await email_of(person), password=PASSWORD)
    answer = await browser.send("/oauth/authorize", decision="allow")
    assert answer.status_code == 303, answer.text
    location = answer.headers["location"]
    return location, {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def exchange(server: RunningServer, code: str, **changes: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": "hivesync-cli",
        "code": code,
        "redirect_uri": LOOPBACK,
        "code_verifier": VERIFIER,
    }
    return await server.anyone.post("/oauth/token", data={**form, **changes})


def error_of(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"error", "error_description"}
    return str(answer.json()["error"])
