"""Which sessions this process serves, and what happens when hosts and viewers come, go, and are sent away."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from adapters.gateway.live.ends import SessionIsOver, sent_off
from adapters.gateway.live.faults import log_fault
from adapters.gateway.live.hall import Hall
from adapters.gateway.live.pace import Pace
from adapters.gateway.live.roster import Roster
from adapters.gateway.live.rows import Place, ViewerRow
from adapters.gateway.proving import Refused
from adapters.ids import uuid7
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.log import Context
from hivesync_core.kernel.ids import SYSTEM_ACTOR
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.kernel.roles import Role
from hivesync_core.live.commands import AWAY_MAX, EndSession, LeaveSession
from hivesync_core.live.decider import Session, live
from hivesync_core.live.events import LeaveReason
from hivesync_core.live.names import NameRules
from hivesync_core.projects.decider import project
from shared.socket.close_codes import CloseCode, Gone
from shared.socket.live import Host, HostStatus
from shared.socket.live_limits import READY_WAIT_S

if TYPE_CHECKING:
    from adapters.gateway.live.host import HostSocket
    from adapters.gateway.live.relay import Relay
    from adapters.gateway.live.socket import Surroundings
    from adapters.gateway.live.viewer import ViewerSocket


class Rooms:
    """The halls of a process; ``around`` is set by whoever puts the parts together."""

    def __init__(self, roster: Roster) -> None:
        self.around: Surroundings
        self.relay: Relay | None = None
        self.roster = roster
        self._halls: dict[UUID, Hall] = {}
        self._entering: dict[UUID, asyncio.Lock] = {}
        self._pace = Pace()
        self._tasks: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Hall]:
        return iter(list(self._halls.values()))

    def get(self, session_id: UUID) -> Hall | None:
        """The hall of a session, where it is served here."""
        return self._halls.get(session_id)

    # --- the host ----------------------------------------------------------------------------------------------------

    async def host_arrives(self, socket: HostSocket, first: Host) -> tuple[Hall, NameRules]:
        """Attach a host to its session; raises ``Refused`` where it is not the host of one that runs."""
        assert socket.caller is not None
        around, account_id = self.around, socket.caller.account_id
        session = await self.session(first.session_id)
        if session.host_id != account_id:
            raise Refused(CloseCode.NO_SESSION, Gone.UNKNOWN)
        if session.ended is not None:
            raise SessionIsOver(session.ended)
        role = await self._role(session, account_id)
        if role is None or not role.writes:
            raise Refused(CloseCode.NO_SESSION, Gone.MAY_NOT_HOST)
        ignore = [(file.folder, file.patterns) for file in first.ignore]
        rules = await asyncio.to_thread(NameRules, session.allow, ignore)
        hall = await self._enter(first.session_id, session)
        hall.hosts_arriving += 1
        try:
            held = hall.room.epoch if hall.is_home else -1
            place = await around.rows.attach_host(first.session_id, around.node, held, around.clock())
            if place is None:
                raise await self._over(first.session_id)
            self._seat(socket, hall, place)
        finally:
            hall.hosts_arriving -= 1
        return hall, rules

    def _seat(self, socket: HostSocket, hall: Hall, place: Place) -> None:
        before, hall.host = hall.host, socket
        if before is not None:
            before.end(CloseCode.REPLACED, "the host has opened another socket")
        hall.wire_key = place.wire_key
        if not hall.is_home or place.epoch != hall.room.epoch:
            self.around.ledger.cut(hall.room)
            hall.room.begin(place.epoch)
            hall.is_home = True
            self.around.ledger.watch(hall.room)
            hall.ready_timer = asyncio.get_running_loop().call_later(READY_WAIT_S, self.host_is_ready, hall)
        if self.relay is not None:
            self.relay.be_home(hall)
        if hall.room.host_status.status != "here" or not hall.room.seq:
            hall.room.host_is(HostStatus(status="here"))

    def host_is_ready(self, hall: Hall) -> None:
        """The host has sent every file that it has: viewers are shown them."""
        if hall.ready_timer is not None:
            hall.ready_timer.cancel()
            hall.ready_timer = None
        hall.room.settled.set()

    async def host_leaves(self, socket: HostSocket) -> None:
        """The host's socket is gone; its viewers are kept for as long as it may resume."""
        hall = socket.hall
        if hall.host is not socket:
            return
        hall.host = None
        at = self.around.clock()
        if hall.session_id in self._halls and hall.is_home:
            hall.room.host_is(HostStatus(status="away", resumes_until=at + AWAY_MAX))
            self.host_is_ready(hall)
        with suppress(StoreUnavailable):
            await self.around.rows.detach_host(hall.session_id, self.around.node, at)

    async def end_by_host(self, socket: HostSocket) -> None:
        """The host wants its session to end."""
        assert socket.caller is not None
        hall, account_id = socket.hall, socket.caller.account_id
        role = await self._role(await self.session(hall.session_id), account_id)
        try:
            await self.around.log.execute(
                live, hall.session_id, EndSession(by=account_id, role=role), self.context(str(account_id))
            )
        except Refusal as refusal:
            raise Refused(CloseCode.NO_SESSION, str(refusal)) from None

    # --- viewers -----------------------------------------------------------------------------------------------------

    async def viewer_arrives(self, socket: ViewerSocket) -> Hall:
        """Attach a viewer; raises ``Refused`` where it has left, was removed, or the session has ended."""
        row, around = socket.row, self.around
        session = await self.session(row.session_id)
        if row.viewer_id not in session.viewers:
            # It may have joined on another process just now.
            session = await self.fresh(row.session_id)
        watcher = session.viewers.get(row.viewer_id)
        if watcher is None:
            raise await self.why_gone(row)
        member_id = watcher.account_id if watcher.invite_id is None else None
        if member_id is not None and await self._role(session, member_id) is None:
            raise Refused(CloseCode.REMOVED, Gone.NOT_MEMBER)
        hall = await self._enter(row.session_id, session)
        # No pause since the hall was entered: else it might be given up as empty meanwhile.
        before, hall.viewers[row.viewer_id] = hall.viewers.get(row.viewer_id), socket
        socket.hall = hall
        if before is not None:
            before.end(CloseCode.REPLACED, "the viewer has opened another socket")
        await around.rows.attach_viewer(row.viewer_id, around.node, around.clock())
        self.roster.changed(hall)
        return hall

    async def why_gone(self, row: ViewerRow) -> Refused:
        """Why a viewer may not come back."""
        session = await self.fresh(row.session_id)
        if session.ended is not None:
            return SessionIsOver(session.ended)
        return sent_off(session.gone.get(row.viewer_id, LeaveReason.TIMED_OUT))

    def viewer_leaves(self, socket: ViewerSocket) -> None:
        """A viewer's socket is gone; it may resume."""
        if self._unseat(socket):
            self.spawn(self._detach(socket.hall, socket.row.viewer_id))

    def _unseat(self, socket: ViewerSocket) -> bool:
        """Take a viewer out of its hall; false where another socket has its place, or none."""
        hall = socket.hall
        if hall.viewers.get(socket.row.viewer_id) is not socket:
            return False
        del hall.viewers[socket.row.viewer_id]
        if not (hall.viewers or hall.is_home or hall.hosts_arriving):
            self.drop(hall)
        return True

    async def viewer_goes(self, socket: ViewerSocket) -> None:
        """A viewer leaves for good."""
        command = LeaveSession(viewer_id=socket.row.viewer_id, reason=LeaveReason.LEFT)
        self._unseat(socket)
        actor = SYSTEM_ACTOR if socket.row.account_id is None else str(socket.row.account_id)
        with suppress(Refusal):
            await self.around.log.execute(live, socket.row.session_id, command, self.context(actor))
        await self.around.rows.end_viewers([socket.row.viewer_id], self.around.clock())

    async def _detach(self, hall: Hall, viewer_id: UUID) -> None:
        with suppress(StoreUnavailable):
            await self.around.rows.detach_viewers([viewer_id], self.around.node, self.around.clock())
        self.roster.changed(hall)

    # --- halls -------------------------------------------------------------------------------------------------------

    async def _enter(self, session_id: UUID, session: Session) -> Hall:
        """The hall of a session, made where this process did not serve it yet."""
        async with self._entering.setdefault(session_id, asyncio.Lock()):
            hall = self._halls.get(session_id)
            if hall is not None:
                return hall
            around = self.around
            place = await around.rows.place(session_id)
            if place is None:
                place = await self._recall(session_id, session)
            names = await around.identity.rows.display_names([session.host_id]) if session.host_id else {}
            hall = Hall(session_id, session, next(iter(names.values()), ""), self._pace)
            hall.wire_key = place.wire_key
            hall.room.host_status = HostStatus(status="away", resumes_until=place.host_seen_at + AWAY_MAX)
            self._halls[session_id] = hall
            if self.relay is not None and place.epoch:
                self.relay.be_copy(hall, place)
            else:
                hall.room.settled.set()
            return hall

    async def _recall(self, session_id: UUID, session: Session) -> Place:
        """The row of a session whose start was stored and whose row was not."""
        assert session.project_id is not None
        assert session.host_id is not None
        around = self.around
        await around.rows.add_session(session_id, session.project_id, session.host_id, os.urandom(32), around.clock())
        place = await around.rows.place(session_id)
        if place is None:
            raise await self._over(session_id)
        return place

    def drop(self, hall: Hall) -> None:
        """Serve a session no more."""
        self._halls.pop(hall.session_id, None)
        self._entering.pop(hall.session_id, None)
        self.host_is_ready(hall)
        self.around.ledger.forget(hall.room)
        if self.relay is not None:
            self.relay.leave(hall)

    async def stop(self) -> None:
        """Wait for what was begun."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- small things ------------------------------------------------------------------------------------------------

    async def session(self, session_id: UUID) -> Session:
        """A session that was started, as the log has it; raises ``Refused``."""
        try:
            loaded = await self.around.log.state(live, session_id)
            if not loaded.state.runs and not loaded.fresh:
                loaded = await self.around.log.state(live, session_id, fresh=True)
        except StoreUnavailable:
            raise Refused(CloseCode.TRY_AGAIN, "the database does not answer") from None
        session: Session = loaded.state
        if session.host_id is None:
            raise Refused(CloseCode.NO_SESSION, Gone.UNKNOWN)
        return session

    async def fresh(self, session_id: UUID) -> Session:
        """A session with every event that was stored before now."""
        session: Session = (await self.around.log.state(live, session_id, fresh=True)).state
        return session

    async def _over(self, session_id: UUID) -> Refused:
        """Why a session's row says that it has ended; the log, which is read last, has to know."""
        ended = (await self.fresh(session_id)).ended
        return Refused(CloseCode.TRY_AGAIN, "") if ended is None else SessionIsOver(ended)

    async def _role(self, session: Session, account_id: UUID) -> Role | None:
        assert session.project_id is not None
        loaded = await self.around.log.state(project, session.project_id)
        role: Role | None = loaded.state.members.get(account_id)
        if role is None:
            loaded = await self.around.log.state(project, session.project_id, fresh=True)
            role = loaded.state.members.get(account_id)
        return role

    def context(self, actor: str) -> Context:
        """The circumstances of a command that a socket gave."""
        command_id = uuid7()
        return Context(actor, self.around.clock(), command_id, command_id)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin work that nobody waits for before ``stop``."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log_fault("live_work_failed", error)
