"""The gateway of a process: opens sockets, ends them, and keeps the signs of life."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import structlog

from adapters.gateway.admission import Admission, Receive, Scope, Send
from adapters.gateway.frames import message_frame
from adapters.gateway.hub import Follower, Hub
from adapters.gateway.outbox import Flusher
from adapters.gateway.progress import ProgressCaller
from adapters.gateway.protocol import GatewayProtocol
from adapters.gateway.registry import Registry
from adapters.gateway.session import Session, Surroundings
from adapters.gateway.stats import Stats
from adapters.identity.identity import Identity
from adapters.postgres.connections import Database
from hivesync_core.eventstore.catalogue import Catalogue
from projections.engine.tasks import end
from projections.engine.tracing import AroundBatch, untraced
from shared.socket.close_codes import CloseCode
from shared.socket.limits import HEARTBEAT_S, SOCKETS_MAX
from shared.socket.messages import Heartbeat

PATH: Final = "/ws"

logger = structlog.get_logger(__name__)


class Gateway:
    """An ASGI application for the path ``PATH``; ``stats`` are its counts."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        follower: Follower,
        identity: Identity,
        *,
        public_url: str,
        allowed_origins: Iterable[str] = (),
        around: AroundBatch = untraced,
    ) -> None:
        self.stats = Stats()
        self.registry = Registry(identity.verifier)
        self.hub = Hub(database, catalogue, follower, self.stats, around)
        self._progress = ProgressCaller(database, self.hub)
        self.admission = Admission(
            identity,
            self.stats,
            public_url=public_url,
            allowed_origins=allowed_origins,
            sockets_max=SOCKETS_MAX,
            log_error=lambda error: logger.error("socket_failed", exc_info=error),
        )
        self._around = Surroundings(self.hub, identity, self.registry, Flusher(), self.stats)
        self._tasks: list[asyncio.Task[None]] = []
        identity.verifier.on_revoked(self.registry.doubt)
        self.hub.on_locked_out(self._lock_out)
        self.hub.on_failed(self._end_all)

    async def start(self) -> None:
        """Begin to follow the log, which the follower has to do already."""
        self.admission.open = True
        await self.hub.start()
        await self._progress.start()
        self._tasks = [
            asyncio.create_task(self.registry.settle(), name="gateway-settle"),
            asyncio.create_task(self._beat(), name="gateway-heartbeat"),
        ]

    async def stop(self) -> None:
        """Stop; the sockets are closed by the server that carries them."""
        self.admission.open = False
        await end(*self._tasks)
        await self._progress.stop()
        await self.hub.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it is closed."""
        await self.admission.carry(scope, receive, send, self._serve)

    async def _serve(self, wire: GatewayProtocol, receive: Receive) -> None:
        await Session(wire, receive, self._around).run()

    def _lock_out(self, account_id: UUID) -> None:
        for socket in self.registry.of_account(account_id):
            socket.end(CloseCode.REVOKED, "the account was disabled")

    def _end_all(self) -> None:
        for socket in self.registry:
            socket.end(CloseCode.SERVER_ERROR, "")

    def beat(self) -> None:
        """Send a sign of life to every socket that has all that there is."""
        frame = message_frame(Heartbeat(), self.hub.position)
        for socket in self.registry:
            socket.heartbeat(frame)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self.beat()
