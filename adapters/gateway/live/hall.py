"""A session in one process: its room, its host where it is attached here, and the viewers that are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.gateway.live.pace import Pace
from adapters.gateway.live.room import Room, viewer_frame
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.live.decider import Session
from shared.socket.live import Heartbeat, Viewer, ViewerStatus

if TYPE_CHECKING:
    from adapters.gateway.live.host import HostSocket
    from adapters.gateway.live.viewer import ViewerSocket


class Hall:
    """A session in this process: its room, its host where it is attached here, and the viewers that are.

    ``is_home`` says that the room is the one that the host fed last, and not a copy of another process's.
    """

    def __init__(self, session_id: UUID, session: Session, host_name: str, pace: Pace) -> None:
        assert session.host_id is not None
        assert session.project_id is not None
        self.session_id = session_id
        self.host_id: AccountId = session.host_id
        self.project_id: ProjectId = session.project_id
        self.title = session.title
        self.host_name = host_name
        self.room = Room(session_id, pace)
        self.is_home = False
        self.host: HostSocket | None = None
        self.hosts_arriving = 0
        self.viewers: dict[UUID, ViewerSocket] = {}
        self.told: dict[UUID, Viewer] = {}
        self.gone: dict[UUID, ViewerStatus] = {}
        self.wire_key = b""
        self.roster_is_old = False
        self.roster_task: asyncio.Task[None] | None = None
        self.ready_timer: asyncio.TimerHandle | None = None
        self._heartbeat = (-1, b"")

    def heartbeat(self, seq: int) -> bytes:
        """The frame of a sign of life to viewers, the same for all that were written everything up to a number."""
        if self._heartbeat[0] != seq:
            self._heartbeat = (seq, viewer_frame(Heartbeat(), seq))
        return self._heartbeat[1]
