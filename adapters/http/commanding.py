"""Giving a command over HTTP: its context from the request, its answer with version, position and ETag."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from adapters.http.answers import JsonAnswer
from adapters.http.conditional import etag, expected_version
from adapters.http.idempotency import idempotency_of
from adapters.http.request import ApiRequest, decode_json
from adapters.ids import now, uuid7
from hivesync_core.eventstore.log import Context, Outcome
from hivesync_core.kernel.decider import Decider
from shared.api.base import Changed, Nothing

COMMAND: dict[str, Any] = {"access": "write", "answer": Changed, "is_command": True}
"""The ``opt`` of a route that gives a command: who may use it, what it answers, and which headers it takes."""


async def command_context(request: ApiRequest) -> Context:
    """Who gives the command, when, and under which idempotency key; raises ``HeaderInvalid``."""
    caller = request.user
    return Context(
        actor=str(caller.account_id),
        at=now(),
        command_id=uuid7(),
        correlation_id=request.correlation_id,
        idempotency=idempotency_of(request.scope, caller.account_id, await request.body()),
    )


async def refuse_body(request: ApiRequest) -> None:
    """A command without parameters takes an empty body or an empty object; raises as ``decode_json``."""
    body = await request.body()
    if body:
        decode_json(body, Nothing)


async def execute(
    request: ApiRequest,
    decider: Decider[Any, Any],
    stream_id: UUID,
    command: Any,
    context: Context,
    *,
    must_match: bool = False,
) -> JsonAnswer:
    """Give the command, under the version that ``If-Match`` names, and answer 200."""
    expected = expected_version(request.scope, required=must_match)
    outcome = await request.services.log.execute(decider, stream_id, command, context, expected_version=expected)
    return changed(request, outcome)


def changed(request: ApiRequest, outcome: Outcome, *, status_code: int = 200, location: str = "") -> JsonAnswer:
    """The answer to a command; ``location`` is the path of what was made, up to its id."""
    headers = [(b"etag", etag(outcome.version).encode())]
    if location:
        headers.append((b"location", f"{location}{outcome.stream_id}".encode()))
    if outcome.replayed:
        headers.append((b"idempotent-replayed", b"true"))
    # Where nothing was to do, what stands was stored at some position that has been seen.
    position = outcome.position or request.services.follower.head
    body = Changed(id=outcome.stream_id, version=outcome.version, position=position)
    return JsonAnswer(body, *headers, status_code=status_code)
