"""One socket from its first message to its end: who it is, what it hears of, and how far it has come."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
import structlog

from adapters.gateway.admission import Receive
from adapters.gateway.frames import message_frame
from adapters.gateway.hub import Hub
from adapters.gateway.news import News
from adapters.gateway.outbox import Flusher, Outbox
from adapters.gateway.protocol import GatewayProtocol
from adapters.gateway.proving import Refused, prove
from adapters.gateway.registry import Registry
from adapters.gateway.stats import Stats
from adapters.identity.caller import Caller
from adapters.identity.identity import Identity
from hivesync_core.accounts.scopes import in_order
from hivesync_core.eventstore.errors import StoreUnavailable
from projections.engine.tasks import end
from shared.socket.close_codes import CloseCode
from shared.socket.limits import AUTH_WAIT_S, HEARTBEAT_S, REPLAY_EVENTS_MAX, SOCKETS_PER_ACCOUNT_MAX
from shared.socket.messages import (
    FROM_CLIENT,
    Auth,
    AuthAccepted,
    FromClient,
    FromServer,
    Incoming,
    Ping,
    Pong,
    Problem,
    Projects,
    Resync,
    Subscribe,
    Subscribed,
)

AHEAD_WAIT_S: Final = 5.0
"""How long a position that this process has not reached is waited for: another one may be ahead by moments."""

AHEAD_LOOK_S: Final = 0.02
STORE_PAUSE_S: Final = 1.0
HUB_WAIT_S: Final = 5.0
"""How long a new socket waits for a process that is starting."""

logger = structlog.get_logger(__name__)


_decode_envelope = msgspec.json.Decoder(Incoming).decode
_decode_payload = {message.event_type: msgspec.json.Decoder(message).decode for message in FROM_CLIENT}


class Gone(Exception):
    """The socket is closed."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the sockets of a process share."""

    hub: Hub
    identity: Identity
    registry: Registry
    flusher: Flusher
    stats: Stats


class Session:
    """Receives in the task that calls ``run``; what it is behind is sent by a task of its own, news by the hub."""

    def __init__(self, wire: GatewayProtocol, receive: Receive, around: Surroundings) -> None:
        self._wire, self._receive, self._around, self._hub = wire, receive, around, around.hub
        self._outbox = Outbox(wire, around.flusher)
        self._joined = False
        self._may_send = asyncio.Event()
        self._behind = asyncio.Event()
        self._expiry: asyncio.TimerHandle | None = None
        self.caller: Caller
        self.account = 0
        self.wanted: frozenset[int] | None = None
        self.position = 0

    async def run(self) -> None:
        """Serve the socket until it is closed; raises ``Refused`` where we have to close it."""
        feed: asyncio.Task[None] | None = None
        try:
            await self._begin()
            feed = asyncio.create_task(self._feed(), name="gateway-feed")
            feed.add_done_callback(self._feed_ended)
            while True:
                await self._carry_out(*await self._next())
        except Gone:
            pass
        except Refused:
            self._outbox.flush()
            raise
        finally:
            self._around.registry.remove(self)
            self.hold()
            if self._expiry is not None:
                self._expiry.cancel()
            await end(feed)

    # --- what the hub and the registry call ------------------------------------------------------------------------

    def deliver(self, news: News) -> bool:
        """Send an event; false where the client takes no more."""
        return self._outbox.push(news.frame)

    def hint(self, frame: bytes) -> None:
        """Send what is no event, if the client takes it at this moment."""
        self._outbox.push(frame)

    def fell_behind(self) -> None:
        """The hub has left the socket out."""
        self._joined = False
        self._behind.set()

    def hold(self) -> None:
        """Send no event until ``release``."""
        self._may_send.clear()
        if self._joined:
            self._hub.leave(self)
            self.position = self._hub.position
            self.fell_behind()

    def release(self) -> None:
        """Go on with the events after the last that was sent."""
        self._may_send.set()

    def end(self, code: CloseCode, reason: str) -> None:
        """Close at once; what waits to be sent is thrown away."""
        self.hold()
        self._outbox.discard()
        self._wire.end(code, reason)

    def heartbeat(self, frame: bytes) -> None:
        """Send a sign of life, where the socket has all that there is."""
        if self._joined:
            self._outbox.push(frame)

    # --- receiving -------------------------------------------------------------------------------------------------

    async def _next(self) -> tuple[str, FromClient | None]:
        """The next message: its type, and its payload where the type is known."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise Gone
        if not self._wire.rate.allows(asyncio.get_running_loop().time()):
            raise Refused(CloseCode.TOO_MANY_MESSAGES, "too many messages")
        text = message.get("text")
        if text is None:
            raise Refused(CloseCode.BINARY, "messages are text")
        try:
            envelope = _decode_envelope(text)
            decode = _decode_payload.get(envelope.event_type)
            payload = None if decode is None else decode(envelope.payload)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise Refused(CloseCode.MALFORMED, str(error)) from None
        self._around.stats.received[envelope.event_type if decode else "unknown"] += 1
        return envelope.event_type, payload

    async def _carry_out(self, event_type: str, payload: FromClient | None) -> None:
        match payload:
            case Auth():
                await self._renew(payload)
            case Subscribe():
                await self._subscribe(payload.projects)
            case Ping():
                await self._say(Pong(nonce=payload.nonce))
            case _:
                await self._say(
                    Problem(code="message.unknown_type", message="There is no such message.", about=event_type)
                )

    async def _say(self, payload: FromServer) -> None:
        """Send a message in its turn; a client that does not take answers is not read from either."""
        await self._outbox.drained()
        position = self._hub.position if self._joined else self.position
        self._outbox.push(message_frame(payload, position))

    # --- who it is -------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        try:
            async with asyncio.timeout(AUTH_WAIT_S):
                _, auth = await self._next()
        except TimeoutError:
            raise Refused(CloseCode.AUTH_TIMEOUT, "the first message did not come in time") from None
        if not isinstance(auth, Auth):
            raise Refused(CloseCode.NOT_AUTHENTICATED, "the first message must be auth")
        self._take(await self._prove(auth))
        if len(self._around.registry.of_account(self.caller.account_id)) > SOCKETS_PER_ACCOUNT_MAX:
            raise Refused(CloseCode.TOO_MANY_SOCKETS, "the account has too many sockets open")
        try:
            await asyncio.wait_for(self._hub.ready.wait(), HUB_WAIT_S)
        except TimeoutError:
            raise Refused(CloseCode.TRY_AGAIN, "the server is starting") from None
        self.position = self._hub.position if auth.after is None else auth.after
        self._want(auth.projects)
        await self._say(self._accepted())
        await self._say_unknown(Auth.event_type)

    async def _renew(self, auth: Auth) -> None:
        caller = await self._prove(auth)
        if caller.account_id != self.caller.account_id:
            raise Refused(CloseCode.NOT_AUTHENTICATED, "the token belongs to another account")
        self._take(caller)
        await self._say(self._accepted())

    async def _prove(self, auth: Auth) -> Caller:
        """The caller behind a token or ticket, good at the moment that this returns; raises ``Refused``."""
        return await prove(self._around.identity, self._around.registry, auth.token, auth.ticket, scope="read")

    def _take(self, caller: Caller) -> None:
        """Be this caller from now on; called with no ``await`` after ``_prove``."""
        self.caller, self.account = caller, caller.account_id.int
        self._around.registry.add(self)
        if self._expiry is not None:
            self._expiry.cancel()
        if caller.valid_until is not None:
            left_s = max(0.0, caller.valid_until - time.time())
            self._expiry = asyncio.get_running_loop().call_later(
                left_s, self.end, CloseCode.EXPIRED, "the token's time ran out"
            )
        self.release()

    def _accepted(self) -> AuthAccepted:
        until = self.caller.valid_until
        return AuthAccepted(
            account_id=self.caller.account_id,
            scopes=in_order(self.caller.scopes),
            projects=self._projects(),
            valid_until=None if until is None else datetime.fromtimestamp(until, UTC),
            heartbeat_s=HEARTBEAT_S,
        )

    # --- what it hears of ------------------------------------------------------------------------------------------

    async def _subscribe(self, projects: Projects) -> None:
        if self._joined:
            self._hub.leave(self)
            self._want(projects)
            self._hub.join(self)
            self.position = self._hub.position
        else:
            self._want(projects)
        await self._say(Subscribed(projects=self._projects()))
        await self._say_unknown(Subscribe.event_type)

    def _want(self, projects: Projects) -> None:
        self.wanted = None if projects == "all" else frozenset(project.int for project in projects)

    def _projects(self) -> tuple[UUID, ...]:
        return tuple(UUID(int=project) for project in sorted(self._hub.reach(self.account, self.wanted)))

    async def _say_unknown(self, about: str) -> None:
        """Tell of wanted projects that the account does not belong to; the same whether or not there are such."""
        missing = (self.wanted or frozenset()) - self._hub.reach(self.account, self.wanted)
        if missing:
            projects = tuple(UUID(int=project) for project in sorted(missing))
            message = "You do not belong to these projects, or there are none such."
            await self._say(Problem(code="project.unknown", message=message, about=about, projects=projects))

    # --- catching up -----------------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        """Bring the socket up to the hub and join it there; again whenever it was left out."""
        while self._wire.is_open:
            await self._may_send.wait()
            await self._outbox.drained()
            try:
                missed = await self._missed()
            except StoreUnavailable:
                await asyncio.sleep(STORE_PAUSE_S)
                continue
            if not self._may_send.is_set():
                continue
            if missed:
                self._replay(missed)
                await asyncio.sleep(0)
            else:
                self._joined = True
                self._behind.clear()
                self._hub.join(self)
                await self._behind.wait()

    async def _missed(self) -> list[News]:
        """Some of the events that the socket has not been sent; an empty list is answered without a pause."""
        if self.position > self._hub.position:
            await self._wait_for_the_hub()
        if self._hub.position - self.position > REPLAY_EVENTS_MAX:
            self._resync("too_far_behind")
        return await self._hub.after(self.position)

    def _replay(self, missed: list[News]) -> None:
        reach = self._hub.reach(self.account, self.wanted)
        for news in missed:
            if self._hub.concerns(news, self.account, reach):
                if not self._outbox.push(news.frame):
                    return
                self._around.stats.replayed += 1
            self.position = news.position

    async def _wait_for_the_hub(self) -> None:
        """Another process may be some moments ahead; a position that nobody reaches comes from another log."""
        give_up_at = time.monotonic() + AHEAD_WAIT_S
        while self.position > self._hub.position:
            if time.monotonic() > give_up_at:
                self._resync("position_unknown")
                return
            await asyncio.sleep(AHEAD_LOOK_S)

    def _resync(self, reason: Literal["too_far_behind", "position_unknown"]) -> None:
        position = self._hub.position
        if self._outbox.push(message_frame(Resync(reason=reason), position)):
            self._around.stats.resyncs += 1
            self.position = position

    def _feed_ended(self, feed: asyncio.Task[None]) -> None:
        if not feed.cancelled() and (error := feed.exception()) is not None:
            logger.error("socket_feed_failed", exc_info=error)
            self.end(CloseCode.SERVER_ERROR, "")
