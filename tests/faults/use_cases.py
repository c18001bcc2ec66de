"""What people do with the API, each as one request on ground that was prepared without faults."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import msgspec

import adapters.main
from adapters.identity.settings import IdentitySettings
from adapters.ids import uuid7
from shared.settings import Settings
from tests.faults.stage import CHEAP_PASSWORDS, Person

PASSWORD = "fifteen letters at least, please"


class Asked(NamedTuple):
    """A request, as often as it is sent; ``token`` empty where it needs none."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    token: str = ""
    headers: Mapping[str, str] = MappingProxyType({})


class Heard(NamedTuple):
    """The answer to a request."""

    status: int
    body: Any

    @property
    def succeeded(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300


@dataclass
class Api:
    """The whole server in this process, by its door for requests."""

    server: adapters.main.Server
    owner: Person
    client: httpx.AsyncClient
    member: str = ""
    member_id: UUID | None = None
    numbers: list[int] = field(default_factory=lambda: [0])
    still: tuple[str, int] | None = None

    async def send(self, asked: Asked) -> Heard:
        """Send a request with a key of its own, unless it brings one."""
        headers = {"authorization": f"Bearer {asked.token}"} if asked.token else {}
        response = await self.client.request(
            asked.method, asked.path, json=asked.body, headers={**headers, **asked.headers}
        )
        return Heard(response.status_code, response.json() if response.content else None)

    async def must(self, asked: Asked) -> Any:
        """Send a request that succeeds; its answer."""
        heard = await self.send(asked)
        assert heard.succeeded, f"{asked.method} {asked.path}: {heard}"
        return heard.body

    def order(self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> Asked:
        """A request of the owner, with an idempotency key."""
        return Asked(method, f"/api/v1{path}", body, self.owner.token, {"idempotency-key": str(uuid7()), **headers})

    def of_member(self, asked: Asked) -> Asked:
        """The same by the other member."""
        return asked._replace(token=self.member)

    def email(self) -> str:
        """An address that nobody has yet."""
        self.numbers[0] += 1
        return f"person-{self.numbers[0]}@example.org"

    async def task(self, *steps: str) -> str:
        """A new task after some transitions by the owner; a step that ends with ``*`` is the other member's."""
        path = f"/projects/{self.owner.project_id}/tasks"
        task_id = (await self.must(self.order("POST", path, {"title": "Mend the roof"})))["id"]
        for step in steps:
            body = {"reason": "It is high up"} if step == "request-help" else None
            asked = self.order("POST", f"/tasks/{task_id}/{step.removesuffix('*')}", body)
            await self.must(self.of_member(asked) if step.endswith("*") else asked)
        return str(task_id)

    async def account(self) -> tuple[str, str]:
        """A new account's id and address."""
        email = self.email()
        body = {"email": email, "name": "Pat Doe", "password": PASSWORD}
        return (await self.must(self.order("POST", "/accounts", body)))["account_id"], email

    async def session(self) -> dict[str, Any]:
        """A new person's session."""
        _, email = await self.account()
        answer: dict[str, Any] = await self.must(sign_in(email))
        return answer


@asynccontextmanager
async def in_process(url: str, owner: Person) -> AsyncIterator[Api]:
    """The server of ``hivesync serve`` without its socket, and a second member of the owner's project."""
    folder = tempfile.TemporaryDirectory(prefix="hivesync-faults-")
    settings = Settings(
        database_url=url,
        data_dir=folder.name,
        roles=frozenset({"api", "projector"}),
        requests_per_minute=0,
        anonymous_requests_per_minute=0,
    )
    server = _build(settings)
    await server.start()
    try:
        transport = httpx.ASGITransport(server.asgi)  # type: ignore[arg-type]  # Litestar's types of ASGI are its own
        async with httpx.AsyncClient(transport=transport, base_url="http://faults", timeout=30) as client:
            api = Api(server, owner, client)
            account_id, email = await api.account()
            api.member, api.member_id = (await api.must(sign_in(email)))["access_token"], UUID(account_id)
            path = f"/projects/{owner.project_id}/members/{account_id}"
            await api.must(api.order("PUT", path, {"role": "member"}))
            yield api
    finally:
        await server.stop()
        folder.cleanup()


def _build(settings: Settings) -> adapters.main.Server:
    """The server, with passwords that cost little: it is not their hashes that are tried here."""
    production = adapters.main.identity_settings

    def cheap(settings: Settings) -> IdentitySettings:
        return msgspec.structs.replace(production(settings), password_cost=CHEAP_PASSWORDS)

    adapters.main.identity_settings = cheap
    try:
        return adapters.main.build(settings)
    finally:
        adapters.main.identity_settings = production


def sign_in(email: str) -> Asked:
    """A sign-in."""
    return Asked("POST", "/api/v1/auth/sign-in", {"email": email, "password": PASSWORD})


class UseCase(NamedTuple):
    """``prepare`` makes the ground and gives the request.

    ``repeats`` are the statuses besides success that the same request may have when it is sent again after an answer
    that was lost: where what it asked for is done and cannot be asked for twice. ``adds`` is what such a repetition may
    store besides: an answer with a secret cannot be repeated, so whoever lost one asks for another secret. ``reads``
    says that every answer is the same, word for word.
    """

    name: str
    prepare: Callable[[Api], Awaitable[Asked]]
    repeats: frozenset[int] = frozenset()
    adds: tuple[str, ...] = ()
    reads: bool = False


async def _make_project(api: Api) -> Asked:
    return api.order("POST", "/projects", {"name": "Roof"})


async def _set_member(api: Api) -> Asked:
    account_id, _ = await api.account()
    return api.order("PUT", f"/projects/{api.owner.project_id}/members/{account_id}", {"role": "auditor"})


async def _create_task(api: Api) -> Asked:
    return api.order("POST", f"/projects/{api.owner.project_id}/tasks", {"title": "Mend the roof"})


async def _edit_task(api: Api) -> Asked:
    return api.order("PATCH", f"/tasks/{await api.task()}", {"title": "Mend the other roof"}, **{"if-match": '"1"'})


async def _comment(api: Api) -> Asked:
    return api.order("POST", f"/tasks/{await api.task()}/comments", {"text": "It leaks"})


async def _claim_help(api: Api) -> Asked:
    return api.of_member(api.order("POST", f"/tasks/{await api.task('request-help')}/claim-help"))


async def _complete(api: Api) -> Asked:
    return api.order("POST", f"/tasks/{await api.task()}/complete")


async def _approve(api: Api) -> Asked:
    return api.order("POST", f"/tasks/{await api.task('complete*')}/approve")


async def _refused(api: Api) -> Asked:
    """Approving what is not completed is refused, with every fault too."""
    return api.order("POST", f"/tasks/{await api.task()}/approve")


async def _make_account(api: Api) -> Asked:
    return api.order("POST", "/accounts", {"email": api.email(), "name": "Pat Doe", "password": PASSWORD})


async def _promote(api: Api) -> Asked:
    account_id, _ = await api.account()
    return api.order("PATCH", f"/accounts/{account_id}", {"is_admin": True})


async def _disable(api: Api) -> Asked:
    account_id, _ = await api.account()
    return api.order("POST", f"/accounts/{account_id}/disable")


async def _erase(api: Api) -> Asked:
    account_id, _ = await api.account()
    return api.order("DELETE", f"/accounts/{account_id}")


async def _sign_in(api: Api) -> Asked:
    return sign_in((await api.account())[1])


async def _refresh(api: Api) -> Asked:
    return Asked("POST", "/api/v1/auth/refresh", {"refresh_token": (await api.session())["refresh_token"]})


async def _sign_out(api: Api) -> Asked:
    return Asked("POST", "/api/v1/auth/sign-out", token=(await api.session())["access_token"])


async def _make_token(api: Api) -> Asked:
    token = (await api.session())["access_token"]
    return api.order("POST", "/tokens", {"name": "ci", "scopes": ["read"]})._replace(token=token)


async def _invite(api: Api) -> Asked:
    return api.order("POST", "/invitations", {"email": api.email()})


async def _who_am_i(api: Api) -> Asked:
    return Asked("GET", "/api/v1/me", token=(await api.session())["access_token"])


async def _read(api: Api, path: str) -> Asked:
    """Something that stands still: a task that is made once, and what stood when it was."""
    if not api.still:
        task_id = await api.task("request-help")
        await api.must(api.order("POST", f"/tasks/{task_id}/comments", {"text": "It leaks"}))
        api.still = task_id, (await api.must(api.order("GET", f"/tasks/{task_id}")))["position"]
    task_id, position = api.still
    return api.order("GET", path.format(project=api.owner.project_id, task=task_id, position=position))


async def _read_board(api: Api) -> Asked:
    return await _read(api, "/projects/{project}/tasks?as_of={position}")


async def _read_task(api: Api) -> Asked:
    return await _read(api, "/tasks/{task}?as_of={position}")


async def _read_why(api: Api) -> Asked:
    return await _read(api, "/tasks/{task}/history")


async def _read_changes(api: Api) -> Asked:
    return await _read(api, "/history?through={position}&limit=50")


USE_CASES = (
    UseCase("make a project", _make_project),
    UseCase("let a member in", _set_member),
    UseCase("make a task", _create_task),
    UseCase("edit a task", _edit_task),
    UseCase("comment on a task", _comment),
    UseCase("claim help", _claim_help),
    UseCase("complete a task", _complete),
    UseCase("approve a task", _approve),
    UseCase("approve what is not completed", _refused),
    UseCase("make an account", _make_account),
    UseCase("make an admin", _promote),
    UseCase("lock an account out", _disable),
    UseCase("erase an account", _erase, frozenset({404})),
    UseCase("sign in", _sign_in),
    # A refresh token is good once: a client that lost the answer signs in again.
    UseCase("renew a session", _refresh, frozenset({401}), ("account.refresh_token_reused.v1",)),
    UseCase("sign out", _sign_out, frozenset({401})),
    UseCase("make a token", _make_token, adds=("account.token_created.v1",)),
    UseCase("invite somebody", _invite, adds=("invitation.made.v1",)),
    UseCase("ask who one is", _who_am_i),
    UseCase("read the board as of a moment", _read_board, reads=True),
    UseCase("read a task as of a moment", _read_task, reads=True),
    UseCase("read why a task is as it is", _read_why, reads=True),
    UseCase("read the history", _read_changes, reads=True),
)
