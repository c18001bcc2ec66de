"""The server as the live commands ask it over HTTP: sessions, invites, joining; and what a link to a session means."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeVar
from urllib.parse import SplitResult, parse_qs, urlsplit
from uuid import UUID

import httpx2
import msgspec

from adapters.cli.console import CommandFailed
from adapters.cli.ending import Exit
from shared.api.base import Changed
from shared.api.live import LiveInviteMade, LiveJoined
from shared.api.projects import ProjectPage

TIMEOUT_S: Final = 20.0
SERVER_VARIABLE: Final = "HIVESYNC_SERVER"
TOKEN_VARIABLE: Final = "HIVESYNC_TOKEN"

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,200}")
_Answer = TypeVar("_Answer")


class Link(NamedTuple):
    """What a link names: a server, where it does, and an invite or a session."""

    server: str | None
    invite: str | None
    session_id: UUID | None


def parse_link(text: str) -> Link:
    """What somebody was given: a deep link, a web link, an invite or a session's id. Raises ``CommandFailed``."""
    text = text.strip()
    session_id = _uuid(text)
    if session_id is not None:
        return Link(None, None, session_id)
    parts = _address(text)
    if parts is not None and parts.path.rstrip("/").endswith("/live"):
        server = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/live')}"
        asked = parse_qs(parts.query).get("session", [""])[0]
        if _TOKEN.fullmatch(parts.fragment) or _uuid(asked):
            return Link(server, parts.fragment or None, _uuid(asked))
    invite = text.removeprefix("hivesync://live/")
    if _TOKEN.fullmatch(invite):
        return Link(None, invite, None)
    raise CommandFailed(
        "that is no link to a live session", "Give the whole link: hivesync://live/… or https://…/live#…", Exit.USAGE
    )


def server_url(text: str) -> str:
    """The address of a server, without a slash at its end. Raises ``CommandFailed``."""
    if _address(text) is None:
        raise CommandFailed(
            f"{text!r} is no address of a server", "Give it as https://hivesync.example.org.", Exit.USAGE
        )
    return text.rstrip("/")


def _address(text: str) -> SplitResult | None:
    """The parts of an address over HTTP; none where it is none."""
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # A bracket or a port that no address has.
        return None
    return parts if is_one else None


class Server:
    """Requests to a server, in the name of whoever has the token, or of nobody."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self.token = token
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self._client = httpx2.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=TIMEOUT_S)

    @property
    def socket_url(self) -> str:
        """Where live sessions are spoken of."""
        return re.sub("^http", "ws", self.url) + "/ws/live"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def project(self, wanted: str) -> UUID:
        """The id of the project of this name or id."""
        project_id = _uuid(wanted)
        if project_id is not None:
            return project_id
        found: list[UUID] = []
        cursor: str | None = None
        while True:
            query = {"limit": 200} | ({} if cursor is None else {"cursor": cursor})
            page = await self._ask("GET", "/projects", ProjectPage, query=query)
            found += [project.project_id for project in page.items if project.name == wanted]
            cursor = page.next_cursor
            if cursor is None:
                break
        if len(found) != 1:
            cause = "you belong to no project" if not found else f"you belong to {len(found)} projects"
            raise CommandFailed(f"{cause} named {wanted!r}", "Give its id, as its address in the browser shows it.")
        return found[0]

    async def start(self, project_id: UUID, title: str, allow: list[str]) -> UUID:
        """Start a session; its id."""
        body = {"title": title, "allow": allow}
        return (await self._ask("POST", f"/projects/{project_id}/live-sessions", Changed, body)).id

    async def invite(self, session_id: UUID) -> LiveInviteMade:
        """Make an invite."""
        return await self._ask("POST", f"/live-sessions/{session_id}/invites", LiveInviteMade, {})

    async def end(self, session_id: UUID) -> None:
        """End a session."""
        await self._ask("POST", f"/live-sessions/{session_id}/end", Changed, {})

    async def join(self, link: Link, guest: str | None) -> LiveJoined:
        """A viewer's place: as a guest of this name, or with the account."""
        if link.session_id is not None:
            return await self._ask("POST", f"/live-sessions/{link.session_id}/viewers", LiveJoined, {})
        if guest is None:
            return await self._ask("POST", "/live/join", LiveJoined, {"invite": link.invite})
        return await self._ask("POST", "/live/join-as-guest", LiveJoined, {"invite": link.invite, "name": guest})

    async def _ask(
        self, method: str, path: str, answer: type[_Answer], body: Any = None, query: dict[str, Any] | None = None
    ) -> _Answer:
        try:
            said = await self._client.request(method, path, json=body, params=query)
        except httpx2.HTTPError as error:
            cause = f"{self.url} cannot be reached: {error or type(error).__name__}"
            raise CommandFailed(cause, "Is it the address of a HiveSync server?", Exit.UNREACHABLE) from error
        if said.is_success:
            try:
                return msgspec.json.decode(said.content, type=answer)
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                raise CommandFailed(f"{self.url} does not answer like a HiveSync server") from error
        raise _refused(said)


def _refused(said: httpx2.Response) -> CommandFailed:
    """What the server says to why it does not (RFC 9457)."""
    try:
        problem = said.json()
        told = dict.fromkeys(str(problem[key]).rstrip(".") for key in ("title", "detail") if problem.get(key))
        text = " ".join(f"{part}." for part in told)
    except (ValueError, TypeError, AttributeError):
        text = f"the server answered {said.status_code}"
    remedies = {
        401: f"Set {TOKEN_VARIABLE} to a personal access token that is good.",
        403: "The token needs the scope `live` to host, `read` to watch.",
    }
    return CommandFailed(text, remedies.get(said.status_code, ""))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
