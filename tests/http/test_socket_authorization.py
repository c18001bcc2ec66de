"""Every socket against everybody who may knock: the table below says who gets in, and no socket is without a row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from litestar.routes import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from adapters.gateway.live.gateway import FIRST, LIVE_PATH
from adapters.gateway.mount import Application
from adapters.ids import uuid7
from hivesync_core.accounts.scopes import SCOPES, Scope
from shared.socket.close_codes import CloseCode
from tests.http.harness import PATIENCE_S, Person, RunningServer, build_for_tests, running

ROLES = ("owner", "member", "auditor")
PEOPLE = (*ROLES, "stranger")
Message = dict[str, Any]


class Row(NamedTuple):
    """Who gets through a door of a socket, which is its path and its first message.

    ``access`` is the scope that the token needs, or ``anyone``; ``accepted`` is the answer to who gets in. ``refused``
    is the code with which those are turned away who have the scope and are not among ``let_in``.
    """

    access: Scope | str
    accepted: str
    let_in: frozenset[str]
    refused: CloseCode | None = None


MATRIX: dict[str, Row] = {
    # Whoever is signed in may listen; what they hear is of their own projects alone.
    "/ws auth": Row("read", "auth.accepted", frozenset(PEOPLE)),
    # The member's session: an owner may end it, and nobody else may show anything in it.
    "/ws/live live.host": Row("live", "live.hosting", frozenset({"member"}), CloseCode.NO_SESSION),
    # The place that a member has joined for is theirs alone, whoever has the viewer's token.
    "/ws/live live.view": Row("read", "live.viewing", frozenset({"member"}), CloseCode.NOT_AUTHENTICATED),
    # A guest's token is all that a guest has.
    "/ws/live live.view as a guest": Row("anyone", "live.viewing", frozenset(PEOPLE)),
}
BY_TOKEN = sorted(door for door, row in MATRIX.items() if row.access != "anyone")


class House:
    """A project with one of each role and a live session of the member, and a stranger with a project of their own."""

    def __init__(self, server: RunningServer, people: dict[str, Person]) -> None:
        self.server, self.people = server, people
        self.project_id: UUID
        self.session_id = ""
        self.places: dict[str, str] = {}

    async def set_up(self) -> House:
        """Make what the doors lead to."""
        owner, member = self.people["owner"], self.people["member"]
        self.project_id = await owner.project()
        for role in ("member", "auditor"):
            await owner.let_in(self.project_id, self.people[role], role)
        self.session_id = (await member.post(f"/projects/{self.project_id}/live-sessions", {})).json()["id"]
        joined = await member.post(f"/live-sessions/{self.session_id}/viewers")
        invite = (await member.post(f"/live-sessions/{self.session_id}/invites")).json()["token"]
        guest = await self.server.anyone.post("/api/v1/live/join-as-guest", json={"invite": invite, "name": "Grace"})
        self.places = {"member": joined.json()["viewer_token"], "guest": guest.json()["viewer_token"]}
        return self

    def first(self, door: str, token: str | None) -> Message:
        """The first message at a door; with no token it is well formed but for that."""
        shown = {} if token is None else {"token": token}
        match door:
            case "/ws auth":
                return {"event_type": "auth", "payload": shown}
            case "/ws/live live.host":
                return {"event_type": "live.host", "payload": {"session_id": self.session_id, **shown}}
            case "/ws/live live.view":
                return {"event_type": "live.view", "payload": {"viewer_token": self.places["member"], **shown}}
            case "/ws/live live.view as a guest":
                return {"event_type": "live.view", "payload": {"viewer_token": self.places["guest"]}}
        raise AssertionError(f"no first message is known for {door}")

    @asynccontextmanager
    async def knocking(self, door: str, token: str | None) -> AsyncIterator[tuple[ClientConnection, str | int]]:
        """An open socket, and what it was answered: a message, or the code that it was closed with."""
        async with connect(self.server.url.replace("http", "ws") + door.split()[0]) as socket:
            await socket.send(json.dumps(self.first(door, token)))
            yield socket, await _answer(socket)

    async def answer(self, door: str, token: str | None) -> str | int:
        """What a door answers to a token."""
        async with self.knocking(door, token) as (_, answer):
            return answer

    async def token(self, name: str, scopes: Iterable[str] = frozenset(SCOPES)) -> str:
        """A token of somebody."""
        return await self.server.token(self.people[name].account_id, scopes)

    def who_belongs(self, door: str) -> str:
        """Somebody whom the rules let in."""
        return "owner" if "owner" in MATRIX[door].let_in else "member"


async def _answer(socket: ClientConnection) -> str | int:
    try:
        return str(json.loads(await socket.recv())["event_type"])
    except ConnectionClosed:
        return _code(socket)


def _code(socket: ClientConnection) -> int:
    """The code that the server closed a socket with."""
    assert socket.close_code is not None
    return socket.close_code


@pytest.fixture
async def house(postgres_url: str) -> AsyncIterator[House]:
    """The server and the people."""
    async with running(postgres_url) as server:
        yield await House(server, {name: await server.person(name) for name in PEOPLE}).set_up()


def socket_paths(more: dict[str, Application] | None = None) -> set[str]:
    """Every path that a socket is served at, from the application itself."""
    server = build_for_tests("postgresql://nowhere")
    server.sockets |= more or {}
    return set(server.sockets) | {route.path for route in server.app.routes if isinstance(route, WebSocketRoute)}


def test_every_socket_has_a_row_and_every_row_a_socket() -> None:
    paths = {door.split()[0] for door in MATRIX}
    assert socket_paths() == paths
    live = {door.split()[1] for door in MATRIX if door.split()[0] == LIVE_PATH}
    assert live == set(FIRST), "each way to begin a live socket has its row"


def test_a_socket_without_a_row_is_found() -> None:
    async def another(scope: Any, receive: Any, send: Any) -> None:
        """A socket that nobody has thought about."""

    assert socket_paths({"/ws/another": another}) != {door.split()[0] for door in MATRIX}


async def test_whoever_has_no_token_or_none_that_is_good_is_turned_away(house: House) -> None:
    revoked = await house.token("member")
    await house.server.client(revoked).post("/api/v1/auth/sign-out")
    for door in BY_TOKEN:
        assert await house.answer(door, None) in (CloseCode.MALFORMED, CloseCode.NOT_AUTHENTICATED), door
        for token in ("", "nonsense", "hsa_" + "A" * 43, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.", revoked):
            assert await house.answer(door, token) == CloseCode.NOT_AUTHENTICATED, (door, token)


async def test_a_token_without_the_scope_does_not_get_in_and_one_with_it_alone_does(house: House) -> None:
    for door in BY_TOKEN:
        row, name = MATRIX[door], house.who_belongs(door)
        for scope in SCOPES:
            alone = await house.answer(door, await house.token(name, {scope}))
            assert alone == (row.accepted if scope == row.access else CloseCode.SCOPE_MISSING), (door, scope)
        without = await house.token(name, set(SCOPES) - {row.access})
        assert await house.answer(door, without) == CloseCode.SCOPE_MISSING, door


async def test_each_role_gets_in_as_the_table_says_and_strangers_do_not(house: House) -> None:
    for door, row in MATRIX.items():
        for name in PEOPLE:
            stored = await house.server.events()
            answer = await house.answer(door, await house.token(name))
            assert answer == (row.accepted if name in row.let_in else row.refused), (door, name)
            assert await house.server.events() == stored, (door, name)
    nowhere = await house.people["stranger"].post(f"/live-sessions/{house.session_id}/viewers")
    assert nowhere.status_code == 404, "a stranger gets no place either"


async def test_a_token_that_is_revoked_ends_the_socket_that_it_opened(house: House) -> None:
    for door in BY_TOKEN:
        token = await house.token(house.who_belongs(door))
        async with house.knocking(door, token) as (socket, answer):
            assert answer == MATRIX[door].accepted, door
            await house.server.client(token).post("/api/v1/auth/sign-out")
            assert await _end(socket) == CloseCode.REVOKED, door


async def test_who_is_let_in_no_more_is_turned_away_though_the_token_is_good(house: House) -> None:
    token = await house.token("member")
    await house.people["owner"].send(
        "DELETE", f"/projects/{house.project_id}/members/{house.people['member'].account_id}"
    )
    for door in ("/ws/live live.host", "/ws/live live.view"):
        async with house.knocking(door, token) as (socket, answer):
            assert answer not in ("live.hosting", "live.viewing"), door
            # The session of a host who belongs to the project no more ends, which may not have happened yet.
            assert await _end(socket) in (CloseCode.SESSION_ENDED, CloseCode.REMOVED, CloseCode.NO_SESSION), door


async def test_a_token_of_another_kind_opens_no_place(house: House) -> None:
    account, unknown = await house.token("member"), "hsv_" + "A" * 43
    for place in (account, unknown, str(uuid7()), ""):
        house.places["guest"] = place
        assert await house.answer("/ws/live live.view as a guest", None) == CloseCode.NO_SESSION, place


@pytest.mark.parametrize("name", PEOPLE)
async def test_only_members_hear_of_a_project(house: House, name: str) -> None:
    own_id = await house.people[name].project()
    async with house.knocking("/ws auth", await house.token(name, {"read"})) as (socket, answer):
        assert answer == "auth.accepted"
        task_id = await house.people["owner"].task(house.project_id)
        # Events come in order: once one's own has come, the first has come before it or never will.
        own_task_id = await house.people[name].task(own_id)
        heard: list[str | None] = []
        while str(own_task_id) not in heard:
            heard.append(json.loads(await socket.recv()).get("stream_id"))
        assert (str(task_id) in heard) is (name in ROLES)


async def _end(socket: ClientConnection) -> int:
    """The code that a socket is closed with."""
    await asyncio.wait_for(socket.wait_closed(), PATIENCE_S)
    return _code(socket)
