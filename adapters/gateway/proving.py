"""Who a socket is: the caller behind the token or ticket of its first message, good at the moment that it is taken."""

from __future__ import annotations

from adapters.gateway.registry import Registry
from adapters.identity.caller import Caller
from adapters.identity.errors import NotAuthenticated, RateLimited
from adapters.identity.identity import Identity
from hivesync_core.accounts.scopes import Scope
from hivesync_core.eventstore.errors import StoreUnavailable
from shared.socket.close_codes import CloseCode


class Refused(Exception):
    """The socket is to be closed, with this code."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


async def prove(
    identity: Identity, registry: Registry, token: str | None, ticket: str | None, *, scope: Scope
) -> Caller:
    """The caller behind either a token or a ticket, with this scope; raises ``Refused``.

    Take it into the registry with no ``await`` in between.
    """
    if (token is None) == (ticket is None):
        raise Refused(CloseCode.MALFORMED, "it takes either a token or a ticket")
    verifier, heard = identity.verifier, registry.heard
    try:
        caller = await (verifier.redeem_ticket(ticket or "") if token is None else verifier.authenticate(token))
        while heard != registry.heard:
            # Something was revoked while the question was under way, and this socket was not there to be told.
            heard = registry.heard
            if not await verifier.is_still_good(caller):
                raise NotAuthenticated
        identity.flood_gate.pass_account(caller.account_id)
    except NotAuthenticated as error:
        raise Refused(CloseCode.NOT_AUTHENTICATED, str(error)) from None
    except RateLimited as error:
        raise Refused(CloseCode.TOO_MANY_MESSAGES, str(error)) from None
    except StoreUnavailable:
        raise Refused(CloseCode.TRY_AGAIN, "the database does not answer") from None
    if scope not in caller.scopes:
        raise Refused(CloseCode.SCOPE_MISSING, f"the token lacks the scope {scope}")
    return caller
