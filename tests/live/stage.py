"""A running server with a session on it, and the people around it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from tests.http.harness import Person, RunningServer
from tests.live.people import HostClient, Socket, ViewerClient


class Stage:
    """A project with a host; ``session_id`` is the session that was started last."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.host: Person
        self.project_id: UUID
        self.session_id: UUID
        self.token = ""
        self._sockets: list[Socket] = []

    async def set_up(self, **session: Any) -> Stage:
        """Make the people, the project and a session."""
        self.host = await self.server.person("host")
        self.project_id = await self.host.project()
        self.token = await self.server.token(self.host.account_id)
        await self.start(**session)
        return self

    async def start(self, **session: Any) -> UUID:
        """Start a session."""
        answer = await self.host.post(f"/projects/{self.project_id}/live-sessions", session)
        assert answer.status_code == 201, answer.text
        self.session_id = UUID(answer.json()["id"])
        return self.session_id

    async def invite(self) -> dict[str, Any]:
        """Make an invite."""
        answer = await self.host.post(f"/live-sessions/{self.session_id}/invites")
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def guest(self, name: str = "Grace", invite: str | None = None) -> dict[str, Any]:
        """Join as a guest."""
        token = invite or (await self.invite())["token"]
        answer = await self.server.anyone.post("/api/v1/live/join-as-guest", json={"invite": token, "name": name})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def hosting(self, url: str | None = None, **options: Any) -> HostClient:
        """An attached host."""
        host = HostClient(url or self.server.url, self.session_id, self.token, **options)
        self._sockets.append(host)
        await host.attach()
        return host

    async def viewer(self, joined: dict[str, Any] | None = None, url: str | None = None) -> ViewerClient:
        """A viewer that has joined and is not attached yet."""
        joined = joined or await self.guest()
        viewer = ViewerClient(url or self.server.url, joined["viewer_token"])
        self._sockets.append(viewer)
        return viewer

    async def viewing(self, joined: dict[str, Any] | None = None, url: str | None = None) -> ViewerClient:
        """A viewer that has had its snapshot."""
        viewer = await self.viewer(joined, url)
        await viewer.attach()
        await viewer.until_snapshot()
        return viewer

    async def socket(self) -> Socket:
        """A socket that says nothing by itself."""
        socket = await Socket(self.server.url).open()
        self._sockets.append(socket)
        return socket

    async def close(self) -> None:
        """Close every socket."""
        for socket in self._sockets:
            with suppress(AttributeError, OSError):
                await socket.close()
