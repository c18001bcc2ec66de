"""A running gateway with everything behind it, and people who do things."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any, Self
from uuid import UUID

import uvicorn
from websockets.asyncio.client import connect

from adapters.gateway.gateway import PATH, Gateway
from adapters.gateway.protocol import GatewayProtocol
from adapters.identity.sessions import TokenPair
from adapters.ids import now, uuid7
from hivesync_core.accounts.scopes import SCOPES
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.log import Context, Outcome
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from hivesync_core.projects import commands as pc
from hivesync_core.projects.decider import project
from hivesync_core.tasks import commands as tc
from hivesync_core.tasks.decider import task
from projections.engine.follower import LogFollower
from projections.engine.positions import Positions
from projections.engine.projector import Projector
from projections.registry import READ_MODELS
from tests.identity.node import ADMIN_EMAIL, IP, Node

PUBLIC_URL = "https://hivesync.test"


class Server(Node):
    """A node that serves ``/ws``; ``projects`` says whether it keeps the read models up to date too."""

    def __init__(
        self, url: str, *, projects: bool = True, allowed_origins: Iterable[str] = (), **settings: Any
    ) -> None:
        super().__init__(url, **settings)
        self.positions = Positions()
        self.follower = LogFollower(self.database, the_catalogue(), self.positions)
        models = READ_MODELS if projects else ()
        self.projector = Projector(self.database, self.follower, self.positions, models, "tests")
        self.gateway = Gateway(
            self.database,
            the_catalogue(),
            self.follower,
            self.identity,
            public_url=PUBLIC_URL,
            allowed_origins=allowed_origins,
        )
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where sockets are opened."""
        return f"ws://127.0.0.1:{self._socket.getsockname()[1]}{PATH}"

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.projector.prepare()
        await self.follower.start()
        await self.projector.start()
        await self.gateway.start()
        config = uvicorn.Config(self.gateway, ws=GatewayProtocol, lifespan="off", log_config=None, loop="none")
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_serving()
        await self.gateway.stop()
        await self.projector.stop()
        await self.follower.stop()
        await super().__aexit__()

    async def stop_serving(self) -> None:
        """Stop the server, as a restart does."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
        self._server = self._serving = None

    def connect(self, address: str | None = None, **options: Any) -> connect:
        """A connection that is still to be authenticated."""
        common = {"compression": None, "max_size": None, "max_queue": None, "ping_interval": None, "close_timeout": 1}
        return connect(address or self.url, **{**common, **options})

    async def caught_up(self) -> None:
        """Return when everything that has happened was handed out."""
        row = await self.database.fetch_one("SELECT coalesce(max(notification_id), 0) FROM eventlog.events")
        assert row is not None
        while self.gateway.hub.position < row[0]:
            await asyncio.sleep(0.001)

    async def sign_in(self, email: str = ADMIN_EMAIL, ip: str = IP) -> TokenPair:
        """A session as a sign-in opens it, past the limit on passwords that are tried."""
        person = await self.identity.rows.find_by_email(email)
        assert person is not None
        return await self.identity.sessions.open(person.account_id, "direct", frozenset(SCOPES))

    async def member(self, email: str, project_id: UUID | None = None, role: Role = Role.MEMBER) -> TokenPair:
        """A new person with a session, in a project where one is named."""
        await self.person(email)
        pair = await self.sign_in(email)
        if project_id is not None:
            await self.add_member(project_id, pair.account_id, role)
        return pair

    # --- what people do --------------------------------------------------------------------------------------------

    async def new_project(self, owner: UUID, name: str = "Garden") -> UUID:
        """A project."""
        project_id = uuid7()
        command = pc.CreateProject(project_id=ProjectId(project_id), by=AccountId(owner), name=name)
        await self.do_to_project(project_id, command)
        return project_id

    async def add_member(self, project_id: UUID, account_id: UUID, role: Role = Role.MEMBER) -> Outcome:
        """Let an account in."""
        command = pc.AddMember(by=AccountId(UUID(int=0)), is_admin=True, account_id=AccountId(account_id), role=role)
        return await self.do_to_project(project_id, command)

    async def remove_member(self, project_id: UUID, account_id: UUID) -> Outcome:
        """Take a member out."""
        command = pc.RemoveMember(by=AccountId(UUID(int=0)), is_admin=True, account_id=AccountId(account_id))
        return await self.do_to_project(project_id, command)

    async def do_to_project(self, project_id: UUID, command: Any) -> Outcome:
        """Give a command to a project."""
        return await self.log.execute(project, project_id, command, _context())

    async def new_task(self, project_id: UUID, by: UUID, title: str = "Mend the gate") -> Outcome:
        """A task."""
        command = tc.CreateTask(
            by=AccountId(by), role=Role.OWNER, at=now(), project_id=ProjectId(project_id), title=title
        )
        return await self.do_to_task(uuid7(), command)

    async def comment(self, task_id: UUID, by: UUID, text: str = "Well done") -> Outcome:
        """A comment, which every state but archived allows."""
        command = tc.CommentTask(by=AccountId(by), role=Role.OWNER, at=now(), comment_id=uuid7(), text=text)
        return await self.do_to_task(task_id, command)

    async def do_to_task(self, task_id: UUID, command: Any) -> Outcome:
        """Give a command to a task."""
        return await self.log.execute(task, task_id, command, _context())


def _context() -> Context:
    command_id = uuid7()
    return Context(actor="system", at=now(), command_id=command_id, correlation_id=command_id)
