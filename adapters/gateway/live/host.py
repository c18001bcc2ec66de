"""A host's socket: the only way by which anything comes into a room. Each patch is checked before anybody is sent it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from adapters.gateway.frames import text_frame
from adapters.gateway.live.ends import SessionIsOver
from adapters.gateway.live.inbox import Inbox, Left, decoders
from adapters.gateway.live.room import Room
from adapters.gateway.live.socket import LiveSocket, Surroundings
from adapters.gateway.outbox import Outbox
from adapters.gateway.protocol import GatewayProtocol
from adapters.gateway.rate import RateLimit
from hivesync_core.live.document import DoesNotFit, digest_of, utf8_length
from hivesync_core.live.names import NameRefused, NameRules
from shared.socket.close_codes import CloseCode
from shared.socket.limits import HEARTBEAT_S
from shared.socket.live import (
    FROM_HOST,
    Ack,
    Close,
    End,
    Ended,
    Focus,
    Heartbeat,
    HeldFile,
    Host,
    Hosting,
    Open,
    Patch,
    Ping,
    Ready,
    Refused,
    Rename,
    Renew,
    Said,
    SendSnapshot,
    Show,
    ToHost,
)
from shared.socket.live_limits import (
    FILE_BYTES_MAX,
    FILES_MAX,
    HOST_MESSAGE_BYTES_MAX,
    HOST_MESSAGES_BURST_MAX,
    HOST_MESSAGES_PER_S,
    SESSION_BYTES_MAX,
)

if TYPE_CHECKING:
    from adapters.gateway.live.hall import Hall

THROTTLE_S: Final = 0.01

_encode: Final = msgspec.json.Encoder().encode
_DECODERS: Final = decoders(*(message for message in FROM_HOST if message is not Host))
_heartbeat: Final = text_frame(_encode(ToHost(event_type=Heartbeat.event_type, payload=Heartbeat())))

Fault = Literal["file.too_large", "file.too_many", "file.digest", "file.taken", "file.not_open"]


class HostSocket(LiveSocket):
    """Receives in the task that calls ``run``; ``hall`` is set once the host is attached."""

    __slots__ = ("_awaited", "_may_act", "_outbox", "_rate", "_rules", "hall")

    def __init__(self, wire: GatewayProtocol, inbox: Inbox, around: Surroundings) -> None:
        super().__init__(wire, inbox, around)
        self._outbox = Outbox(wire, around.flusher)
        self._rate = RateLimit(HOST_MESSAGES_PER_S, HOST_MESSAGES_BURST_MAX)
        self._may_act = asyncio.Event()
        self._may_act.set()
        self._awaited: set[str] = set()
        self._rules = NameRules()
        self.hall: Hall

    async def run(self, first: Host) -> None:
        """Serve the socket until it is closed; raises ``Refused`` where we have to close it."""
        await self.prove(first.token, first.ticket, "live")
        try:
            self.hall, self._rules = await self.around.rooms.host_arrives(self, first)
            self.wire.allow(HOST_MESSAGE_BYTES_MAX)
            await self._begin()
            while True:
                await self._carry_out(await self.inbox.next(_DECODERS, unknown=CloseCode.MALFORMED))
        except Left:
            pass
        except SessionIsOver as over:
            self.over(over.ended)
        finally:
            self.closed()
            self._outbox.flush()
            if hasattr(self, "hall"):
                await self.around.rooms.host_leaves(self)

    @property
    def room(self) -> Room:
        """The room of the session."""
        return self.hall.room

    async def say(self, said: Said) -> None:
        """Send a message in its turn; a host that does not take answers is not read from either."""
        await self._outbox.drained()
        self.tell(said)

    def tell(self, said: Said) -> None:
        """Send a message without waiting; it is lost where the host takes nothing."""
        self._outbox.push(text_frame(_encode(ToHost(event_type=said.event_type, payload=said))))

    def hold(self) -> None:
        """Carry out nothing more until ``release``."""
        self._may_act.clear()

    def release(self) -> None:
        """Go on."""
        self._may_act.set()

    def end(self, code: CloseCode, reason: str) -> None:
        """Close at once."""
        self._outbox.discard()
        super().end(code, reason)

    def heartbeat(self, frame: bytes) -> None:
        """Send a sign of life."""
        self._outbox.push(_heartbeat)

    def over(self, ended: Ended) -> None:
        """The session has ended."""
        self.tell(ended)
        self._outbox.flush()
        super().end(CloseCode.SESSION_ENDED, ended.reason)

    # --- carrying out ------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        files = self.room.files.items()
        held = tuple(HeldFile(file=name, version=f.document.version, sha256=f.document.sha256) for name, f in files)
        hosting = Hosting(
            session_id=self.room.session_id,
            epoch=self.room.epoch,
            files=held,
            viewers=await self.around.rooms.roster.of(self.hall),
            valid_until=self.valid_until,
            heartbeat_s=HEARTBEAT_S,
        )
        await self.say(hosting)

    async def _carry_out(self, message: Any) -> None:
        while not self._rate.allows(asyncio.get_running_loop().time()):
            await asyncio.sleep(THROTTLE_S)
        await self._may_act.wait()
        if self.hall.host is not self:
            raise Left
        match message:
            case Patch():
                answer = self._change(message)
            case Open():
                answer = self._open(message)
            case Close(file=name):
                answer = self._close(name)
            case Rename():
                answer = self._rename(message)
            case Show():
                answer = self._show(message)
            case Ready():
                self.around.rooms.host_is_ready(self.hall)
                return
            case End():
                await self.around.rooms.end_by_host(self)
                return
            case Renew() | Ping():
                await self.common(message, "live")
                return
        if answer is not None:
            await self.say(answer)

    def _change(self, patch: Patch) -> Said | None:
        name = patch.file
        if name in self._awaited:
            return None
        if name not in self.room.files:
            return self._ask(name, "not_open", "The file is not open here.")
        try:
            self.room.change(patch)
        except DoesNotFit as error:
            return self._ask(name, error.fault, str(error))
        if self.room.size_bytes > SESSION_BYTES_MAX:
            self._close(name)
            return self._refuse(patch, "file.too_large", "All files of the session are too large together.", name)
        return Ack(file=name, version=patch.version)

    def _ask(
        self, name: str, reason: Literal["not_open", "version", "range", "digest", "too_large"], message: str
    ) -> SendSnapshot:
        self._awaited.add(name)
        return SendSnapshot(file=name, reason=reason, message=message)

    def _open(self, opened: Open) -> Said:
        name, files = opened.file, self.room.files
        size = utf8_length(opened.text)
        known = files[name].document.size_bytes if name in files else 0
        self._awaited.discard(name)
        try:
            self._rules.check(name)
        except NameRefused as refused:
            return self._refuse_name(opened, refused, name)
        if name not in files and len(files) >= FILES_MAX:
            return self._refuse(opened, "file.too_many", f"A session shows {FILES_MAX} files at most.", name)
        if size > FILE_BYTES_MAX or self.room.size_bytes - known + size > SESSION_BYTES_MAX:
            return self._refuse(opened, "file.too_large", f"{size} bytes are too many.", name)
        if opened.sha256 is not None and opened.sha256 != digest_of(opened.text):
            return self._refuse(opened, "file.digest", "The text has not the digest that came with it.", name)
        self.room.open(name, opened.version, opened.text, opened.language)
        return Ack(file=name, version=opened.version)

    def _close(self, name: str) -> Said | None:
        self._awaited.discard(name)
        if name in self.room.files:
            self.room.close(name)
        return None

    def _rename(self, rename: Rename) -> Said | None:
        if rename.file not in self.room.files:
            return self._refuse(rename, "file.not_open", "The file is not open here.", rename.file)
        if rename.to in self.room.files:
            return self._refuse(rename, "file.taken", "A file of that name is shown already.", rename.to)
        try:
            self._rules.check(rename.to)
        except NameRefused as refused:
            # What it is now called may not be shown, so what it holds may not be either.
            self._close(rename.file)
            return self._refuse_name(rename, refused, rename.to)
        self.room.rename(rename.file, rename.to)
        return None

    def _show(self, show: Show) -> Said | None:
        if show.file is not None and show.file not in self.room.files:
            return self._refuse(show, "file.not_open", "The file is not open here.", show.file)
        focus = Focus(file=show.file, selections=show.selections, visible=show.visible)
        if focus != self.room.focus:
            self.room.show(focus)
        return None

    def _refuse(self, message: Open | Patch | Rename | Show, code: Fault, text: str, name: str) -> Refused:
        return Refused(about=message.event_type, code=code, message=text, file=name)

    def _refuse_name(self, message: Open | Rename, refused: NameRefused, name: str) -> Refused:
        if message.event_type == Open.event_type and name in self.room.files:
            self.room.close(name)
        return Refused(
            about=message.event_type,
            code=refused.code,  # type: ignore[arg-type]
            message=str(refused),
            file=name,
            rule=refused.rule,
        )
