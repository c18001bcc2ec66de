"""Who asks: the bearer token of a request, the general limit on requests, and what a route demands of the caller.

Bearer tokens alone are good for the API: no cookie, so nothing that another site could send for somebody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from adapters.identity.caller import Caller
from adapters.identity.errors import NotAuthenticated, ScopeMissing
from adapters.identity.identity import Identity
from hivesync_core.accounts.refusals import NotAnAdmin
from hivesync_core.accounts.scopes import Scope as TokenScope

if TYPE_CHECKING:
    from adapters.http.services import Services

AUTHORIZATION_MAX = 200
"""Bytes of an ``Authorization`` header that are looked at; a token of ours has 53."""


class Authentication(ASGIMiddleware):
    """Puts the ``Caller`` into ``request.user`` and the token into ``request.auth``, or answers 401.

    A route's ``opt`` says who may use it: ``access`` is ``anyone`` (counted by address), ``authenticated``, or the
    scope that the token must have.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Authenticate one request and pass it on; raises ``NotAuthenticated``, ``RateLimited``, ``ScopeMissing``."""
        if scope["method"] == "OPTIONS":  # type: ignore[typeddict-item]
            await next_app(scope, receive, send)
            return
        services: Services = scope["litestar_app"].services  # type: ignore[attr-defined]
        identity = services.identity
        # A route that does not say who may use it fails here for everybody.
        access = scope["route_handler"].opt["access"]
        if access == "anyone":
            identity.flood_gate.pass_ip(client_ip(scope, identity))
        else:
            token = bearer_token(scope)
            caller = identity.verifier.remembered(token) if token else None
            if caller is None:
                caller = await _authenticate(identity, token, client_ip(scope, identity))
            identity.flood_gate.pass_account(caller.account_id)
            _check_access(access, caller)
            scope["user"], scope["auth"] = caller, token
        await next_app(scope, receive, send)


async def _authenticate(identity: Identity, token: str | None, ip: str) -> Caller:
    """The caller behind a token that was not seen before; failures are counted by address, as a flood of them costs."""
    identity.flood_gate.refuse_flooding_ip(ip)
    try:
        if token is None:
            raise NotAuthenticated("missing")
        return await identity.verifier.authenticate(token)
    except NotAuthenticated:
        identity.flood_gate.pass_ip(ip)
        raise


def bearer_token(scope: Any) -> str | None:
    """The token of the ``Authorization`` header (RFC 6750, section 2.1), none where there is no such header.

    Raises ``NotAuthenticated`` where there is one of another form, or more than one.
    """
    found: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if found is not None or len(value) > AUTHORIZATION_MAX:
                raise NotAuthenticated("malformed")
            found = value
    if found is None:
        return None
    scheme, _, token = found.partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" or not token or not token.isascii():
        raise NotAuthenticated("malformed")
    return token.decode("ascii")


def client_ip(scope: Any, identity: Identity) -> str:
    """The address to count by, past trusted proxies; a network of the customer's size for IPv6."""
    peer = scope.get("client")
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    header = b",".join(forwarded).decode("ascii", "replace") if forwarded else None
    return identity.proxies.client_ip(peer[0] if peer else None, header)


ANYONE: dict[str, Any] = {"access": "anyone"}
"""The ``opt`` of a route that is open to everybody."""


def needs(scope: TokenScope) -> dict[str, Any]:
    """The ``opt`` of a route that callers with this scope may use; ``admin`` wants an admin behind it too.

    Not a guard of Litestar's: that copies the whole handler for each request.
    """
    return {"opt": {"access": scope}}


AUTHENTICATED: dict[str, Any] = {"access": "authenticated"}
"""The ``opt`` of a route that any caller may use, whatever the scopes."""


def _check_access(access: str, caller: Caller) -> None:
    """Raise ``ScopeMissing`` or ``NotAnAdmin`` where the caller may not use a route with this ``access``."""
    if access == "authenticated":
        return
    if access not in caller.scopes:
        raise ScopeMissing(access)
    if access == "admin" and not caller.is_admin:
        raise NotAnAdmin
