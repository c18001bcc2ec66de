"""Live View of a process: opens sockets on ``/ws/live``, finds out whether a host or a viewer is there, ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from adapters.gateway.admission import Admission, Receive, Scope, Send
from adapters.gateway.live.clocks import Clocks
from adapters.gateway.live.elsewhere import Elsewhere
from adapters.gateway.live.faults import log_fault
from adapters.gateway.live.hall import Hall
from adapters.gateway.live.host import HostSocket
from adapters.gateway.live.inbox import Inbox, decoders
from adapters.gateway.live.ledger import Ledger
from adapters.gateway.live.relay import Relay
from adapters.gateway.live.rooms import Rooms
from adapters.gateway.live.roster import Roster
from adapters.gateway.live.rows import LiveRows
from adapters.gateway.live.socket import Surroundings
from adapters.gateway.live.viewer import ViewerSocket
from adapters.gateway.protocol import GatewayProtocol
from adapters.gateway.proving import Refused
from adapters.gateway.registry import Registry
from adapters.gateway.stats import Stats
from adapters.identity.identity import Identity
from adapters.ids import now, uuid7
from adapters.postgres.connections import Database
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.log import Log
from hivesync_core.kernel.ports import Clock
from projections.engine.entries import Entry
from projections.engine.tasks import end
from shared.socket.close_codes import CloseCode
from shared.socket.limits import AUTH_WAIT_S, HEARTBEAT_S
from shared.socket.live import Host, View
from shared.socket.live_limits import LIVE_SOCKETS_MAX

LIVE_PATH: Final = "/ws/live"

FIRST: Final = decoders(Host, View)
"""What a socket may say first, and with it what it is."""


class Follower(Protocol):
    """The reader of the log that the process shares."""

    def subscribe(
        self, listener: Callable[[Sequence[Entry]], None], *, on_interruption: Callable[[], None] | None = None
    ) -> None:
        """Have every page of new entries handed over."""
        ...


class LiveGateway:
    """An ASGI application for the path ``LIVE_PATH``. ``clock`` is what sessions' times go by."""

    def __init__(
        self,
        database: Database,
        log: Log,
        follower: Follower,
        identity: Identity,
        *,
        public_url: str,
        allowed_origins: Iterable[str] = (),
        redis_url: str | None = None,
        clock: Clock = now,
    ) -> None:
        node = uuid7()
        self.node = node
        self.stats = Stats()
        self.registry = Registry(identity.verifier)
        self.rows = LiveRows(database)
        self.ledger = Ledger(database, node, clock, uuid7)
        self.rooms = Rooms(Roster(self.rows, identity.rows, self._roster_elsewhere))
        self._around = Surroundings(
            node, clock, identity, log, self.rows, self.ledger, self.registry, self.rooms, stats=self.stats
        )
        self.rooms.around = self._around
        self.relay = None if redis_url is None else Relay(redis_url, self._around)
        self.rooms.relay = self.relay
        elsewhere = Elsewhere(self.rooms)
        self.clocks = Clocks(self._around, elsewhere)
        self.admission = Admission(
            identity,
            self.stats,
            public_url=public_url,
            allowed_origins=allowed_origins,
            sockets_max=LIVE_SOCKETS_MAX,
            log_error=partial(log_fault, "live_socket_failed"),
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._sockets: set[HostSocket | ViewerSocket] = set()
        identity.verifier.on_revoked(self.registry.doubt)
        follower.subscribe(elsewhere.heard, on_interruption=elsewhere.sight_lost)

    async def start(self) -> None:
        """Begin to serve."""
        await self.clocks.beat()
        if self.relay is not None:
            await self.relay.start()
        self._tasks = [
            asyncio.create_task(self.registry.settle(), name="live-settle"),
            asyncio.create_task(self.clocks.run(), name="live-clocks"),
            asyncio.create_task(self._beat(), name="live-heartbeat"),
        ]
        self.admission.open = True

    async def stop(self) -> None:
        """Stop; the sockets are closed by the server that carries them. What was shown is in the ledger."""
        self.admission.open = False
        await end(*self._tasks)
        await self.rooms.stop()
        if self.relay is not None:
            await self.relay.stop()
        with suppress(StoreUnavailable):
            await self.ledger.store()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it is closed."""
        await self.admission.carry(scope, receive, send, self._serve)

    async def _serve(self, wire: GatewayProtocol, receive: Receive) -> None:
        inbox = Inbox(receive, self.stats)
        try:
            async with asyncio.timeout(AUTH_WAIT_S):
                first = await inbox.next(FIRST, unknown=CloseCode.NOT_AUTHENTICATED)
        except TimeoutError:
            raise Refused(CloseCode.AUTH_TIMEOUT, "the first message did not come in time") from None
        socket: HostSocket | ViewerSocket
        socket = (HostSocket if isinstance(first, Host) else ViewerSocket)(wire, inbox, self._around)
        self._sockets.add(socket)
        try:
            await socket.run(first)
        finally:
            self._sockets.discard(socket)

    def _roster_elsewhere(self, hall: Hall) -> None:
        if self.relay is not None and not hall.is_home:
            self.relay.roster_changed(hall)

    def beat(self) -> None:
        """Send a sign of life to every socket that has all that there is."""
        for socket in list(self._sockets):
            socket.heartbeat(b"")

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self.beat()
