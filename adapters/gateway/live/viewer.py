"""A viewer's socket: it is sent what the room shows, and has no way to change it.

A viewer that has everything is a member of the room's fan-out. One that has not is caught up by a task of its own: with
what it missed where that is still known, else with a snapshot, as fast as it takes it; nobody waits for it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from uuid import UUID

from adapters.gateway.live.ends import SessionIsOver
from adapters.gateway.live.faults import log_fault
from adapters.gateway.live.inbox import Inbox, Left, decoders
from adapters.gateway.live.room import Room, viewer_frame
from adapters.gateway.live.rows import ViewerRow
from adapters.gateway.live.socket import LiveSocket, Surroundings
from adapters.gateway.protocol import GatewayProtocol
from adapters.gateway.proving import Refused
from adapters.gateway.rate import RateLimit
from adapters.identity.secrets import LIVE_VIEWER, digest, is_token
from hivesync_core.eventstore.errors import StoreUnavailable
from projections.engine.tasks import end
from shared.socket.close_codes import CloseCode, Gone
from shared.socket.limits import HEARTBEAT_S
from shared.socket.live import FROM_VIEWER, Ended, Leave, Ping, Renew, Resync, Said, View, Viewing
from shared.socket.live_limits import (
    SNAPSHOTS_BURST_MAX,
    SNAPSHOTS_PER_S,
    STALLED_S_MAX,
    VIEWER_MESSAGE_BYTES_MAX,
    VIEWER_MESSAGES_BURST_MAX,
    VIEWER_MESSAGES_PER_S,
)

if TYPE_CHECKING:
    from adapters.gateway.live.hall import Hall

STORE_PAUSE_S: Final = 1.0

_DECODERS: Final = decoders(*(message for message in FROM_VIEWER if message is not View))


class ViewerSocket(LiveSocket):
    """``epoch`` and ``seq`` are the last that it was sent while it is being caught up."""

    __slots__ = (
        "_anew",
        "_attendance",
        "_catching_up",
        "_held",
        "_may_send",
        "_reason",
        "_resyncs",
        "epoch",
        "hall",
        "row",
        "seq",
    )

    def __init__(self, wire: GatewayProtocol, inbox: Inbox, around: Surroundings) -> None:
        super().__init__(wire, inbox, around)
        self.epoch = self.seq = 0
        self.row: ViewerRow
        self.hall: Hall
        self._reason = "joined"
        self._resyncs = RateLimit(SNAPSHOTS_PER_S, SNAPSHOTS_BURST_MAX)
        self._anew = False
        self._held = False
        self._may_send: asyncio.Event | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._attendance: UUID | None = None

    @property
    def room(self) -> Room:
        """The room of the session."""
        return self.hall.room

    async def run(self, first: View) -> None:
        """Serve the socket until it is closed; raises ``Refused`` where we have to close it."""
        self.wire.allow(VIEWER_MESSAGE_BYTES_MAX)
        self.wire.rate = RateLimit(VIEWER_MESSAGES_PER_S, VIEWER_MESSAGES_BURST_MAX)
        try:
            await self._begin(first)
            while True:
                message = await self.inbox.next(_DECODERS, unknown=CloseCode.READ_ONLY)
                if not self.wire.rate.allows(asyncio.get_running_loop().time()):
                    raise Refused(CloseCode.TOO_MANY_MESSAGES, "too many messages")
                match message:
                    case Resync():
                        self._start_over("asked")
                    case Leave():
                        await self.around.rooms.viewer_goes(self)
                        self.wire.end(CloseCode.NORMAL, "left")
                        return
                    case Renew() | Ping():
                        await self.common(message, "read")
        except Left:
            pass
        except SessionIsOver as over:
            self.over(over.ended)
        finally:
            self.closed()
            await self._stop_catching_up()
            if hasattr(self, "hall"):
                self._leave()
                self._depart()
                self.around.rooms.viewer_leaves(self)

    async def say(self, said: Said) -> None:
        """Send a message to this viewer alone."""
        await self.wire.drained()
        self.wire.write_frames(viewer_frame(said, self._written_to()))

    # --- what the room, the registry and the clock call --------------------------------------------------------------

    def lagged(self) -> None:
        """The room has left the viewer out: it took no more, or the host begins anew."""
        self._reason = "lagged" if self.epoch == self.room.epoch else "host_resumed"
        self.room.numbers.lagged += 1
        self._missed_some()

    def hold(self) -> None:
        """Send nothing until ``release``."""
        self._held = True
        if hasattr(self, "hall") and self._leave():
            self._missed_some(anew=False)

    def release(self) -> None:
        """Go on with what was left out."""
        self._held = False
        if self._may_send is not None:
            self._may_send.set()

    def heartbeat(self, frame: bytes) -> None:
        """Send a sign of life, where the viewer has all that there is."""
        if hasattr(self, "hall") and self in self.room.fan_out:
            self.wire.write_frames(self.hall.heartbeat(self._written_to()))

    def over(self, ended: Ended) -> None:
        """The session has ended."""
        if hasattr(self, "hall"):
            self.room.fan_out.settle()
        self.wire.write_frames(viewer_frame(ended, self._written_to()))
        self.wire.end(CloseCode.SESSION_ENDED, ended.reason)

    # --- catching up -------------------------------------------------------------------------------------------------

    async def _begin(self, first: View) -> None:
        self.row = await self._who(first)
        self.hall = await self.around.rooms.viewer_arrives(self)
        resumed = False
        if first.epoch is not None and first.seq is not None:
            self.epoch, self.seq = first.epoch, first.seq
            resumed = self.room.covers(first.epoch, first.seq)
        self._anew = not resumed
        viewing = Viewing(
            session_id=self.room.session_id,
            viewer_id=self.row.viewer_id,
            host_id=self.hall.host_id,
            host_name=self.hall.host_name,
            title=self.hall.title,
            resumed=resumed,
            valid_until=self.valid_until,
            heartbeat_s=HEARTBEAT_S,
        )
        await self.say(viewing)
        self._catch_up()

    async def _who(self, first: View) -> ViewerRow:
        found = None
        if is_token(first.viewer_token, LIVE_VIEWER):
            found = await self.around.rows.viewer_of(digest(first.viewer_token), self.around.clock())
        if found is None:
            raise Refused(CloseCode.NO_SESSION, Gone.UNKNOWN)
        row, may_resume = found
        if row.account_id is not None:
            await self.prove(first.token, first.ticket, "read")
            assert self.caller is not None
            if self.caller.account_id != row.account_id:
                raise Refused(CloseCode.NOT_AUTHENTICATED, "another account has joined as this viewer")
        if not may_resume:
            raise await self.around.rooms.why_gone(row)
        return row

    def _start_over(self, reason: str) -> None:
        """Send a snapshot, whatever the viewer has."""
        if not self._resyncs.allows(asyncio.get_running_loop().time()):
            raise Refused(CloseCode.TOO_MANY_MESSAGES, "too many snapshots")
        self._reason = reason
        self._anew = True
        if self._leave():
            self._missed_some()

    def _missed_some(self, *, anew: bool = True) -> None:
        self._depart()
        self._anew = self._anew or anew
        self._catch_up()

    def _leave(self) -> bool:
        """Be sent nothing more by the room; whether it was."""
        seq = self.room.fan_out.leave(self)
        if seq is not None:
            self.seq = seq
        return seq is not None

    def _written_to(self) -> int:
        """The number up to which the viewer was written everything."""
        if hasattr(self, "hall") and self in self.room.fan_out:
            return self.room.fan_out.written_to(self)
        return self.seq

    def _depart(self) -> None:
        """Note up to which number the viewer was sent what was shown."""
        if self._attendance is not None:
            self.around.ledger.cut(self.room)
            self.around.ledger.left(self._attendance, self.room.seq)
            self._attendance = None

    def _catch_up(self) -> None:
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._caught_up(), name="live-catch-up")
            self._catching_up.add_done_callback(self._catch_up_ended)

    async def _caught_up(self) -> None:
        while self.wire.is_open:
            await self._may_go_on()
            try:
                if self._anew or not self.room.covers(self.epoch, self.seq):
                    await self._send_snapshot()
                elif self._attendance is None:
                    await self._attend()
            except StoreUnavailable:
                await asyncio.sleep(STORE_PAUSE_S)
                continue
            while not (self._held or self._anew) and (missed := self.room.missed(self.epoch, self.seq)) is not None:
                if not missed.frames:
                    self.room.fan_out.join(self)
                    return
                self.wire.write_frames(missed.frames)
                self.seq = missed.seq
                await self._drained()
            self._depart()

    async def _may_go_on(self) -> None:
        """Wait until the viewer takes more, may be sent more, and there is something to send."""
        await self._drained()
        if self._held:
            self._may_send = asyncio.Event()
            await self._may_send.wait()
        await self.room.settled.wait()

    async def _drained(self) -> None:
        if self.wire.paused:
            try:
                async with asyncio.timeout(STALLED_S_MAX):
                    await self.wire.drained()
            except TimeoutError:
                self.end(CloseCode.TOO_SLOW, "nothing was taken for too long")

    async def _attend(self) -> None:
        self._attendance = await self.around.ledger.attend(self.room, self.row.viewer_id, self.seq, None)

    async def _send_snapshot(self) -> None:
        picture, reason = self.room.picture(), self._reason
        self._attendance = await self.around.ledger.attend(self.room, self.row.viewer_id, picture.seq, picture)
        self._anew = True
        self.wire.write_frames(self.room.snapshot_head(picture, reason))
        for frame in picture.frames:
            self.wire.write_frames(frame)
            if self.wire.paused:
                await self._drained()
            if not self.wire.is_open or self._held:
                return
        self.epoch, self.seq = picture.epoch, picture.seq
        self._anew, self._reason = False, "lagged"

    async def _stop_catching_up(self) -> None:
        await end(self._catching_up)

    def _catch_up_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log_fault("live_catch_up_failed", error)
            self.end(CloseCode.SERVER_ERROR, "")
