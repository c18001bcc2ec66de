"""The circumstances of commands about accounts, whose bodies hold secrets, and of those that nobody signed in for."""

from __future__ import annotations

from adapters.http.idempotency import idempotency_of
from adapters.http.request import ApiRequest
from adapters.ids import now, uuid7
from hivesync_core.eventstore.log import Context
from hivesync_core.kernel.ids import SYSTEM_ACTOR


def context_without_body(request: ApiRequest, *, hashed: bytes | None = None) -> Context:
    """Who gives the command and when; by an ``Idempotency-Key`` only where ``hashed`` says what it stands for.

    What a key stands for is kept as a fast hash, so a body with a password must not be in it, and an answer with a
    secret cannot be repeated: such routes give ``hashed`` without the secret, or take no key.
    """
    caller = request.scope.get("user")
    actor = SYSTEM_ACTOR if caller is None else str(caller.account_id)
    idempotency = None
    if hashed is not None and caller is not None:
        idempotency = idempotency_of(request.scope, caller.account_id, hashed)
    return Context(actor, now(), uuid7(), request.correlation_id, idempotency=idempotency)
