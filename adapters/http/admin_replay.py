"""Replay for admins: how far read models are, what is parked, and rebuilds, checks and audits as jobs (REPLAY-1 to 3)."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody

from adapters.http.answers import JsonAnswer
from adapters.http.commanding import command_context, refuse_body
from adapters.http.request import ApiRequest, PathId
from shared.api.replay import (
    ParkedList,
    ProjectionList,
    ReplayList,
    ReplayRequest,
    Retried,
    ShownReplay,
    SkipRequest,
)

TAGS = ["Replay"]
REPLAYS_PATH = "/api/v1/admin/replays/"


def _admin(answer: type) -> dict[str, Any]:
    return {"access": "admin", "answer": answer}


@get("/admin/projections", tags=TAGS, opt=_admin(ProjectionList), summary="How far every read model is")
async def list_projections(request: ApiRequest) -> JsonAnswer:
    """Its position, how many events it is behind, who keeps it up to date, and how many streams are parked."""
    return JsonAnswer(await request.services.replay.standing())


@get("/admin/parked", tags=TAGS, opt=_admin(ParkedList), summary="What read models could not process")
async def list_parked(request: ApiRequest) -> JsonAnswer:
    """The streams that wait, each with the event in its way and the cause."""
    replay = request.services.replay
    return JsonAnswer(ParkedList(items=await replay.parked(replay.names)))


@post(
    "/admin/projections/{projection:str}/parked/{stream_id:uuid}/retry",
    status_code=200,
    tags=TAGS,
    opt=_admin(Retried),
    summary="Try a parked stream again",
)
async def retry_parked(request: ApiRequest, projection: FromPath[str], stream_id: PathId) -> JsonAnswer:
    """Its events are processed in order from the one that it is parked at."""
    await refuse_body(request)
    return JsonAnswer(await request.services.replay.retry(projection, stream_id))


@post(
    "/admin/projections/{projection:str}/parked/{stream_id:uuid}/skip",
    status_code=200,
    tags=TAGS,
    opt=_admin(Retried),
    summary="Go on without the event that a stream is parked at",
)
async def skip_parked(
    request: ApiRequest, projection: FromPath[str], stream_id: PathId, data: JSONBody[SkipRequest]
) -> JsonAnswer:
    """The read model leaves it out, now and in every rebuild. The history keeps who decided so, and why."""
    context = await command_context(request)
    account_id = request.user.account_id
    retried = await request.services.replay.skip(projection, stream_id, data.reason, context, account_id)
    return JsonAnswer(retried)


@post(
    "/admin/replays",
    status_code=202,
    tags=TAGS,
    opt={**_admin(ShownReplay), "statuses": (404,)},
    summary="Rebuild, check or audit",
)
async def begin_replay(request: ApiRequest, data: JSONBody[ReplayRequest]) -> JsonAnswer:
    """In the background; what serves goes on serving until the rebuilt read model is swapped in.

    One that was interrupted goes on where it stood when it is asked for again.
    """
    begun = await request.services.replays.begin(data, request.user.account_id)
    return JsonAnswer(begun, (b"location", f"{REPLAYS_PATH}{begun.replay_id}".encode()), status_code=202)


@get("/admin/replays", tags=TAGS, opt=_admin(ReplayList), summary="The latest replays")
async def list_replays(request: ApiRequest) -> JsonAnswer:
    """The newest first, at most fifty."""
    return JsonAnswer(ReplayList(items=await request.services.replays.latest()))


@get("/admin/replays/{replay_id:uuid}", tags=TAGS, opt=_admin(ShownReplay), summary="How far a replay is")
async def show_replay(request: ApiRequest, replay_id: PathId) -> JsonAnswer:
    """With progress while it runs, and what came of it."""
    return JsonAnswer(await request.services.replays.find(replay_id))


@post(
    "/admin/replays/{replay_id:uuid}/cancel",
    status_code=200,
    tags=TAGS,
    opt=_admin(ShownReplay),
    summary="End a replay",
)
async def cancel_replay(request: ApiRequest, replay_id: PathId) -> JsonAnswer:
    """What serves stays as it is; the rebuild beside it can be gone on with."""
    await refuse_body(request)
    return JsonAnswer(await request.services.replays.cancel(replay_id))


HANDLERS = (
    list_projections,
    list_parked,
    retry_parked,
    skip_parked,
    begin_replay,
    list_replays,
    show_replay,
    cancel_replay,
)
