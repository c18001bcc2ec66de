"""Signing in and out with an e-mail address and a password, renewing, and tickets for sockets."""

from __future__ import annotations

from typing import cast

from litestar import post
from litestar.params import JSONBody

from adapters.http.authentication import ANYONE, AUTHENTICATED, client_ip
from adapters.http.commanding import refuse_body
from adapters.http.request import ApiRequest
from adapters.identity.sessions import TokenPair
from hivesync_core.accounts.scopes import SCOPES
from shared.api.accounts import (
    RefreshRequest,
    ScopeName,
    SignInRequest,
    SocketTicketAnswer,
    TokenPairAnswer,
)

TAGS = ["Signing in"]


@post("/auth/sign-in", tags=TAGS, opt={**ANYONE, "statuses": (401, 403)}, status_code=200, summary="Sign in")
async def sign_in(request: ApiRequest, data: JSONBody[SignInRequest]) -> TokenPairAnswer:
    """Begin a session with an e-mail address and a password. Whatever is wrong of the two, the answer is the same."""
    identity = request.services.identity
    scopes = frozenset(data.scopes or SCOPES)
    pair = await identity.sign_in.sign_in(data.email, data.password, client_ip(request.scope, identity), scopes=scopes)
    return _told(pair)


@post("/auth/refresh", tags=TAGS, opt={**ANYONE, "statuses": (401, 403)}, status_code=200, summary="Renew a session")
async def refresh(request: ApiRequest, data: JSONBody[RefreshRequest]) -> TokenPairAnswer:
    """Exchange a refresh token for a new pair. It is good once: showing it again ends the session."""
    identity = request.services.identity
    return _told(await identity.sign_in.refresh(data.refresh_token, client_ip(request.scope, identity)))


@post("/auth/sign-out", tags=TAGS, opt=AUTHENTICATED, status_code=204, summary="Sign out")
async def sign_out(request: ApiRequest) -> None:
    """End the session of the token, at once and on every node. A personal access token has none: revoke it."""
    await refuse_body(request)
    await request.services.identity.sign_in.sign_out(request.user)


@post("/socket-tickets", tags=TAGS, opt=AUTHENTICATED, summary="Ask for a socket ticket")
async def create_socket_ticket(request: ApiRequest) -> SocketTicketAnswer:
    """A ticket that opens one WebSocket within thirty seconds, for browsers: no token belongs into an address."""
    await refuse_body(request)
    ticket, expires_at = await request.services.identity.sessions.new_ticket(request.user.account_id, request.auth)
    return SocketTicketAnswer(ticket=ticket, expires_at=expires_at)


def _told(pair: TokenPair) -> TokenPairAnswer:
    return TokenPairAnswer(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in_s,
        scopes=cast(list[ScopeName], list(pair.scopes)),
        account_id=pair.account_id,
    )


HANDLERS = (sign_in, refresh, sign_out, create_socket_ticket)
