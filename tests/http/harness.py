"""A real server on a real socket and real PostgreSQL, with people who have tokens for it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import AsyncIterator, Iterable
from typing import Any, Self
from uuid import UUID

import httpx
import msgspec
import uvicorn

from adapters.identity.directory import OPERATOR, NewPerson
from adapters.identity.settings import PasswordCost
from adapters.ids import now, uuid7
from adapters.main import Server, build, identity_settings
from hivesync_core.accounts.scopes import SCOPES
from hivesync_core.eventstore.log import Context
from shared.settings import Settings

PASSWORD = "seven quiet lanterns"
CHEAP = PasswordCost(memory_kib=64, passes=1, lanes=1)
"""A hash that costs nothing: what it protects in tests is nothing."""

START_WAIT_S = 120.0
PATIENCE_S = 60.0
"""How long a test waits for what takes milliseconds where nothing else has the machine."""


_DATA_FOLDERS = tempfile.TemporaryDirectory(prefix="hivesync-data-")


class Person:
    """Somebody with a token, and the requests they make."""

    def __init__(self, account_id: UUID, client: httpx.AsyncClient) -> None:
        self.account_id = account_id
        self.client = client

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """GET below ``/api/v1``."""
        return await self.client.get(f"/api/v1{path}", **options)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """POST below ``/api/v1``; underscores in a header's name stand for hyphens."""
        return await self.send("POST", path, body, **headers)

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Any command below ``/api/v1``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=named)

    async def project(self, name: str = "Apollo", **fields: Any) -> UUID:
        """Make a project."""
        return made(await self.post("/projects", {"name": name, **fields}))

    async def task(self, project_id: UUID, title: str = "Build the engine", **fields: Any) -> UUID:
        """Make a task."""
        return made(await self.post(f"/projects/{project_id}/tasks", {"title": title, **fields}))

    async def let_in(self, project_id: UUID, other: Person, role: str = "member") -> None:
        """Make somebody else a member."""
        answer = await self.send("PUT", f"/projects/{project_id}/members/{other.account_id}", {"role": role})
        assert answer.status_code == 200, answer.text


class RunningServer:
    """A server that listens; ``parts`` is what the composition root made."""

    def __init__(self, parts: Server) -> None:
        self.parts = parts
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._http = uvicorn.Server(uvicorn_config(parts))
        self._task: asyncio.Task[None] | None = None
        self._clients: list[httpx.AsyncClient] = []
        self.anyone = self.client()

    async def __aenter__(self) -> Self:
        await self.listen()
        await self.serving()
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()
        self._http.should_exit = True
        if self._task is not None:
            await self._task

    async def listen(self) -> None:
        """Listen; what the start has to do goes on behind it."""
        self._task = asyncio.create_task(self._http._serve([self._socket]))
        while not self._http.started:
            assert not self._task.done(), self._task.exception()
            await asyncio.sleep(0.005)

    async def serving(self) -> None:
        """Return when the start is done and revocations are heard."""
        async with asyncio.timeout(START_WAIT_S):
            while not self.parts.readiness.serves:
                assert self.parts.failure is None, self.parts.failure
                await asyncio.sleep(0.005)
            await self.parts.identity.listening()

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """A client with a token, or without one."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        client = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60)
        self._clients.append(client)
        return client

    async def person(self, name: str, *, is_admin: bool = False, scopes: Iterable[str] = SCOPES) -> Person:
        """Somebody with an account and a token of some scopes."""
        email = f"{name}-{uuid7().hex}@example.org"
        made = await self.parts.identity.directory.make(
            NewPerson(email, name, PASSWORD), OPERATOR, context(), is_admin=is_admin
        )
        return Person(made.account_id, self.client(await self.token(made.account_id, scopes)))

    async def token(self, account_id: UUID, scopes: Iterable[str] = SCOPES) -> str:
        """An access token of an account."""
        pair = await self.parts.identity.sessions.open(account_id, "tests", frozenset(scopes))
        return pair.access_token

    async def events(self) -> int:
        """How many events are stored."""
        row = await self.parts.database.fetch_one("SELECT count(*) FROM eventlog.events")
        assert row is not None
        return int(row[0])


def uvicorn_config(parts: Server) -> uvicorn.Config:
    """The server as the command runs it, but for its address."""
    from adapters.cli.serve import http_config

    return http_config(parts)


@contextlib.asynccontextmanager
async def running(url: str, **settings: Any) -> AsyncIterator[RunningServer]:
    """A server on a database, until the block ends."""
    async with RunningServer(build_for_tests(url, **settings)) as server:
        yield server


def build_for_tests(url: str, **settings: Any) -> Server:
    """The server of the composition root with cheap passwords and without limits on requests."""
    chosen = {
        "requests_per_minute": 0,
        "anonymous_requests_per_minute": 0,
        "data_dir": data_folder(),
        **settings,
    }
    made = Settings(database_url=url, **chosen)
    return build(made, msgspec.structs.replace(identity_settings(made), password_cost=CHEAP))


def data_folder() -> str:
    """A data folder for one server; what it keeps of its log must not meet another server's."""
    return tempfile.mkdtemp(dir=_DATA_FOLDERS.name)


def context() -> Context:
    """The circumstances of a command that no request gave."""
    command_id = uuid7()
    return Context("system", now(), command_id, command_id)


def made(answer: httpx.Response) -> UUID:
    """The id of what an answer says was made."""
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer is, which must be this one."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["type"] == f"/problems/{code}", told
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert told["correlation_id"]
    return told
