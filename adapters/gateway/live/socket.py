"""What hosts' and viewers' sockets have in common: messages in, messages out, a token that ends and is renewed."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.gateway.live.inbox import Inbox
from adapters.gateway.live.ledger import Ledger
from adapters.gateway.live.rows import LiveRows
from adapters.gateway.outbox import Flusher
from adapters.gateway.protocol import GatewayProtocol
from adapters.gateway.proving import Refused, prove
from adapters.gateway.registry import Registry
from adapters.gateway.stats import Stats
from adapters.identity.caller import Caller
from adapters.identity.identity import Identity
from hivesync_core.accounts.scopes import Scope
from hivesync_core.eventstore.log import Log
from hivesync_core.kernel.ports import Clock
from shared.socket.close_codes import CloseCode
from shared.socket.live import Ping, Pong, Renew, Renewed, Said

if TYPE_CHECKING:
    from adapters.gateway.live.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the live sockets of a process share."""

    node: UUID
    clock: Clock
    identity: Identity
    log: Log
    rows: LiveRows
    ledger: Ledger
    registry: Registry
    rooms: Rooms
    flusher: Flusher = field(default_factory=Flusher)
    stats: Stats = field(default_factory=Stats)


class LiveSocket(ABC):
    """One socket; ``caller`` is none for a guest."""

    __slots__ = ("__weakref__", "_expiry", "around", "caller", "inbox", "wire")

    def __init__(self, wire: GatewayProtocol, inbox: Inbox, around: Surroundings) -> None:
        self.wire, self.inbox, self.around = wire, inbox, around
        self._expiry: asyncio.TimerHandle | None = None
        self.caller: Caller | None = None

    # --- who it is ---------------------------------------------------------------------------------------------------

    async def prove(self, token: str | None, ticket: str | None, scope: Scope) -> None:
        """Be the caller behind a token or ticket from now on; raises ``Refused``."""
        around = self.around
        caller = await prove(around.identity, around.registry, token, ticket, scope=scope)
        if self.caller is not None and self.caller.account_id != caller.account_id:
            raise Refused(CloseCode.NOT_AUTHENTICATED, "the token belongs to another account")
        self.caller = caller
        around.registry.add(self)
        self._cancel_expiry()
        if caller.valid_until is not None:
            left_s = max(0.0, caller.valid_until - time.time())
            self._expiry = asyncio.get_running_loop().call_later(
                left_s, self.end, CloseCode.EXPIRED, "the token's time ran out"
            )

    @property
    def valid_until(self) -> datetime | None:
        """When the socket is closed unless its token is renewed."""
        until = None if self.caller is None else self.caller.valid_until
        return None if until is None else datetime.fromtimestamp(until, UTC)

    async def common(self, message: Renew | Ping, scope: Scope) -> None:
        """Carry out what both kinds of sockets may ask."""
        if isinstance(message, Ping):
            await self.say(Pong(nonce=message.nonce))
            return
        if self.caller is None:
            raise Refused(CloseCode.NOT_AUTHENTICATED, "a guest has no token to renew")
        await self.prove(message.token, message.ticket, scope)
        self.release()
        await self.say(Renewed(valid_until=self.valid_until))

    def closed(self) -> None:
        """Let go of everything; called when the socket has ended."""
        self._cancel_expiry()
        self.around.registry.remove(self)

    def _cancel_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    # --- what each kind does its own way -----------------------------------------------------------------------------

    @abstractmethod
    async def say(self, said: Said) -> None:
        """Send a message."""

    @abstractmethod
    def hold(self) -> None:
        """Send nothing more and take nothing more until ``release``: something was heard against the token."""

    @abstractmethod
    def release(self) -> None:
        """Go on."""

    @abstractmethod
    def heartbeat(self, frame: bytes) -> None:
        """Send a sign of life."""

    def end(self, code: CloseCode, reason: str) -> None:
        """Close at once."""
        self.wire.end(code, reason)
