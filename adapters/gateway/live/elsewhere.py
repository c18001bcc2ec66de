"""What others did to the sessions that this process serves: told by the log, or found in the rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from adapters.gateway.live.ends import sent_off
from adapters.gateway.live.hall import Hall
from adapters.gateway.live.rooms import Rooms
from adapters.gateway.live.rows import Place
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.kernel.ids import SYSTEM_ACTOR
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.live.commands import EndForStranger, LeaveSession
from hivesync_core.live.decider import live
from hivesync_core.live.events import LeaveReason, SessionEnded, ViewerLeft, ViewerRemoved
from hivesync_core.projects.events import MemberRemoved
from projections.engine.entries import Entry
from shared.socket.close_codes import CloseCode, Gone
from shared.socket.live import Ended


class Elsewhere:
    """Does here what follows from it: sockets are closed, halls given up."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def heard(self, entries: Sequence[Entry]) -> None:
        """Act on events that concern sessions of this process, whoever caused them and where."""
        for entry in entries:
            event, stream_id = entry.recorded.event, entry.recorded.stream_id
            match event:
                case SessionEnded(reason=reason):
                    self._rooms.spawn(self._ended(stream_id, Ended(reason=reason.value)))
                case ViewerRemoved(viewer_id=viewer_id):
                    self._sent_away(stream_id, viewer_id, None)
                case ViewerLeft(viewer_id=viewer_id, reason=left):
                    self._sent_away(stream_id, viewer_id, left)
                case MemberRemoved(account_id=account_id):
                    self._member_removed(stream_id, account_id)

    def sight_lost(self) -> None:
        """Events may have been missed: look at every session again."""
        for hall in self._rooms:
            self._rooms.spawn(self._look_again(hall))

    async def _look_again(self, hall: Hall) -> None:
        with suppress(StoreUnavailable):
            session = await self._rooms.fresh(hall.session_id)
            if session.ended is not None:
                await self._ended(hall.session_id, Ended(reason=session.ended.value))
                return
            for viewer_id in list(hall.viewers):
                if viewer_id not in session.viewers:
                    self._sent_away(hall.session_id, viewer_id, session.gone.get(viewer_id))

    async def _ended(self, session_id: UUID, ended: Ended) -> None:
        hall = self._rooms.get(session_id)
        if hall is not None:
            self._rooms.drop(hall)
            for viewer in list(hall.viewers.values()):
                viewer.over(ended)
            if hall.host is not None:
                hall.host.over(ended)
        with suppress(StoreUnavailable):
            await self._rooms.around.rows.end_session(session_id, self._rooms.around.clock())

    def _sent_away(self, session_id: UUID, viewer_id: UUID, left: LeaveReason | None) -> None:
        hall = self._rooms.get(session_id)
        if hall is None:
            return
        hall.gone[viewer_id] = "removed" if left is None else "left"
        viewer = hall.viewers.get(viewer_id)
        if viewer is not None:
            hall.room.fan_out.leave(viewer)
            refused = sent_off(left)
            viewer.end(refused.code, refused.reason)
        self._rooms.spawn(self._forget_viewer(hall, viewer_id))

    async def _forget_viewer(self, hall: Hall, viewer_id: UUID) -> None:
        with suppress(StoreUnavailable):
            await self._rooms.around.rows.end_viewers([viewer_id], self._rooms.around.clock())
        self._rooms.roster.changed(hall)

    def _member_removed(self, project_id: UUID, account_id: UUID) -> None:
        """Who watched as a member watches no more; who hosted hosts no more."""
        for hall in self._rooms:
            if hall.project_id == project_id:
                self._rooms.spawn(self._without_member(hall, account_id))

    async def _without_member(self, hall: Hall, account_id: UUID) -> None:
        session = await self._rooms.session(hall.session_id)
        if hall.host_id == account_id:
            await self._command(hall.session_id, EndForStranger())
        for viewer_id, watcher in session.viewers.items():
            if watcher.account_id == account_id and watcher.invite_id is None:
                if viewer_id in hall.viewers:
                    hall.viewers[viewer_id].end(CloseCode.REMOVED, Gone.NOT_MEMBER)
                await self._command(hall.session_id, LeaveSession(viewer_id=viewer_id, reason=LeaveReason.NOT_MEMBER))

    async def _command(self, session_id: UUID, command: EndForStranger | LeaveSession) -> None:
        with suppress(Refusal):
            await self._rooms.around.log.execute(live, session_id, command, self._rooms.context(SYSTEM_ACTOR))

    async def compare_places(self) -> None:
        """Find out whether hosts that were here, or whose rooms were copied, are on another process by now."""
        if not list(self._rooms):
            return
        places = await self._rooms.around.rows.places([hall.session_id for hall in self._rooms])
        for hall in self._rooms:
            place = places.get(hall.session_id)
            if place is None:
                await self._look_again(hall)
            elif hall.is_home and place.epoch > hall.room.epoch:
                self._move_away(hall, place)
            elif self._rooms.relay is not None and hall.host is not None:
                # Word of viewers on other processes may have been lost.
                self._rooms.roster.changed(hall)

    def _move_away(self, hall: Hall, place: Place) -> None:
        """Another process has the host now: follow it there."""
        host, hall.host, hall.is_home = hall.host, None, False
        if host is not None:
            host.end(CloseCode.REPLACED, "the host has opened another socket")
        self._rooms.around.ledger.forget(hall.room)
        if self._rooms.relay is not None and hall.viewers:
            self._rooms.relay.be_copy(hall, place)
        else:
            for viewer in list(hall.viewers.values()):
                viewer.end(CloseCode.TRY_AGAIN, "the session is served by another process")
            self._rooms.drop(hall)
