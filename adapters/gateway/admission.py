"""The life of a socket: whether it may be there at all, before it has said anything, and how it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from adapters.gateway.origins import AllowedOrigins, names_a_secret
from adapters.gateway.protocol import CONNECTION, QUERY, GatewayProtocol
from adapters.gateway.proving import Refused
from adapters.gateway.stats import Stats
from adapters.identity.errors import RateLimited
from adapters.identity.identity import Identity
from hivesync_core.eventstore.errors import StoreUnavailable
from shared.socket.close_codes import CloseCode

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Serve = Callable[[GatewayProtocol, Receive], Awaitable[None]]


class Admission:
    """Carries the sockets of one path, ``sockets_max`` at most, once it is ``open``; ``log_error`` is told of faults."""

    def __init__(
        self,
        identity: Identity,
        stats: Stats,
        *,
        public_url: str,
        allowed_origins: Iterable[str],
        sockets_max: int,
        log_error: Callable[[Exception], None],
    ) -> None:
        self._identity, self._stats = identity, stats
        self._origins = AllowedOrigins(public_url, allowed_origins)
        self.sockets_max, self._log_error = sockets_max, log_error
        self.open = False
        self.open_sockets = 0

    async def carry(self, scope: Scope, receive: Receive, send: Send, serve: Serve) -> None:
        """Accept a socket, where the page that opens it may; serve it until it is closed, and close it."""
        await receive()
        wire = _wire(scope)
        if not self._origins.allow(scope["headers"]):
            self._stats.closed["origin"] += 1
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        self.open_sockets += 1
        self._stats.opened += 1
        try:
            self._admit(scope)
            await serve(wire, receive)
        except Refused as refused:
            wire.end(refused.code, refused.reason)
        except StoreUnavailable:
            wire.end(CloseCode.TRY_AGAIN, "the database does not answer")
        except Exception as error:  # noqa: BLE001 - logged by whoever knows what may be said of it
            self._log_error(error)
            wire.end(CloseCode.SERVER_ERROR, "")
        finally:
            self.open_sockets -= 1
            self._stats.closed[wire.ended] += 1

    def _admit(self, scope: Scope) -> None:
        """Raise ``Refused`` where the socket should not be there."""
        if names_a_secret(scope["extensions"][QUERY]):
            raise Refused(CloseCode.TOKEN_IN_URL, "no tokens in the address; revoke this one")
        if not self.open:
            raise Refused(CloseCode.TRY_AGAIN, "the server is starting")
        if self.open_sockets > self.sockets_max:
            raise Refused(CloseCode.TRY_AGAIN, "the server has as many sockets as it can have")
        try:
            self._identity.flood_gate.pass_ip(self._client_ip(scope))
        except RateLimited as limited:
            raise Refused(CloseCode.TOO_MANY_MESSAGES, str(limited)) from None

    def _client_ip(self, scope: Scope) -> str:
        """The address to count by, past trusted proxies."""
        peer = scope["client"][0] if scope.get("client") else None
        forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
        return self._identity.proxies.client_ip(peer, forwarded.decode("latin-1"))


def _wire(scope: Scope) -> GatewayProtocol:
    """The connection of a handshake."""
    wire = scope.get("extensions", {}).get(CONNECTION)
    if not isinstance(wire, GatewayProtocol):
        raise RuntimeError("the gateway writes to its own protocol: run uvicorn with ws=GatewayProtocol")
    return wire
