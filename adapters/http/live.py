"""Live View: sessions started and ended, invites, joining, removing, and the ledger of exposure (LIVE-1, LIVE-4, LIVE-7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.params import JSONBody, QueryParameter

from adapters.gateway.live.roster import shown_viewer
from adapters.gateway.live.sessions import Joined
from adapters.http.access import member_of, reach_project
from adapters.http.answers import JsonAnswer
from adapters.http.authentication import ANYONE, client_ip
from adapters.http.commanding import changed, command_context, refuse_body
from adapters.http.context import context_without_body
from adapters.http.limits import PAGE
from adapters.http.reading import Cursor, Limit, MinPosition, MinPositionHeader, page_body, shown_at
from adapters.http.request import ApiRequest, PathId
from adapters.http.services import Services
from adapters.http.streams import LinesAnswer
from adapters.identity.caller import Caller
from hivesync_core.kernel.ids import ProjectId
from hivesync_core.kernel.refusal import Forbidden
from hivesync_core.kernel.roles import Role
from hivesync_core.live.decider import Session, live
from hivesync_core.live.refusals import NotTheHost, SessionNotFound, SessionOver, TooManySessions
from hivesync_core.projects.refusals import ProjectNotFound
from projections.exposure.queries import exposures
from projections.live.queries import live_page, live_session_of, running_of
from shared.api.base import Changed
from shared.api.live import (
    ExposureLine,
    LiveGuest,
    LiveInvite,
    LiveInviteMade,
    LiveInvites,
    LiveJoin,
    LiveJoined,
    LivePage,
    LiveRemoval,
    LiveStart,
    ShownLive,
)
from shared.socket.live_limits import SESSIONS_PER_HOST_MAX

TAGS = ["Live View"]
SESSIONS_PATH = "/api/v1/live-sessions/"

_COMMAND = {"access": "live", "answer": Changed, "is_command": True}
Running = Annotated[bool, QueryParameter(description="Only sessions that have not ended.")]


class NotAnAuditor(Forbidden):
    """The ledger of exposure is for the session's host, and for owners and auditors of its project."""

    code = "live.ledger_not_allowed"
    title = "Only the host, an owner or an auditor of the project may read the ledger of exposure"


class Reached(NamedTuple):
    """A session in a project that the caller belongs to, and the caller's role there."""

    session: Session
    role: Role


@post(
    "/projects/{project_id:uuid}/live-sessions",
    tags=TAGS,
    opt={**_COMMAND, "statuses": (409,)},
    summary="Start a live session",
)
async def start_live(request: ApiRequest, project_id: PathId, data: JSONBody[LiveStart]) -> JsonAnswer:
    """By an owner or a member of the project, who is its host. Then open `/ws/live` and send `live.host`."""
    services, caller = request.services, request.user
    _, role = await member_of(services, caller, project_id)
    context = await command_context(request)
    if await running_of(services.database, caller.account_id) >= SESSIONS_PER_HOST_MAX:
        raise TooManySessions("End one of them first.", sessions_max=SESSIONS_PER_HOST_MAX)
    outcome = await services.live.start(context, caller.account_id, role, ProjectId(project_id), data.title, data.allow)
    return changed(request, outcome, status_code=201, location=SESSIONS_PATH)


@get(
    "/projects/{project_id:uuid}/live-sessions",
    tags=TAGS,
    opt={"access": "read", "answer": LivePage},
    summary="Live sessions, the newest first",
)
async def list_live(
    request: ApiRequest,
    project_id: PathId,
    running: Running = False,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = 0,
    min_position_header: MinPositionHeader = 0,
) -> JsonAnswer:
    """Those of one project, by its members."""
    services = request.services
    await member_of(services, request.user, project_id)
    position = await shown_at(services, "live", min_position, min_position_header)
    page = await live_page(services.database, project_id, running=running, cursor=cursor, limit=limit)
    return JsonAnswer(page_body(page, position))


@get(
    "/live-sessions/{session_id:uuid}",
    tags=TAGS,
    opt={"access": "read", "answer": ShownLive},
    summary="A live session, and who watches",
)
async def show_live(request: ApiRequest, session_id: PathId) -> JsonAnswer:
    """By members of its project."""
    services = request.services
    await _reached(services, request.user, session_id)
    row = live_session_of(await services.streams.read_stream(session_id))
    watching = await services.live_rows.viewers(session_id)
    accounts = {viewer.account_id for viewer in watching if viewer.account_id is not None}
    names = await services.identity.rows.display_names(accounts) if accounts else {}
    viewers = [shown_viewer(viewer, names) for viewer in watching]
    return JsonAnswer({**msgspec.to_builtins(row), "viewers": viewers})


@post("/live-sessions/{session_id:uuid}/end", status_code=200, tags=TAGS, opt=_COMMAND, summary="End a live session")
async def end_live(request: ApiRequest, session_id: PathId) -> JsonAnswer:
    """By its host or an owner of the project; every socket of it is closed."""
    await refuse_body(request)
    services, caller = request.services, request.user
    reached = await _reached(services, caller, session_id)
    context = await command_context(request)
    return changed(request, await services.live.end(session_id, context, caller.account_id, reached.role))


@post(
    "/live-sessions/{session_id:uuid}/invites",
    tags=TAGS,
    opt={"access": "live", "answer": LiveInviteMade, "statuses": (409,)},
    summary="Invite people to watch",
)
async def make_live_invite(request: ApiRequest, session_id: PathId) -> JsonAnswer:
    """For an hour. The secret and its links are shown here and never again."""
    await refuse_body(request)
    services, caller = request.services, request.user
    reached = await _reached(services, caller, session_id)
    context = context_without_body(request)
    made = await services.live.invite(session_id, context, caller.account_id, reached.role)
    invite = (await _session(services, session_id)).invites[made.invite_id]
    answer = LiveInviteMade(
        invite_id=made.invite_id,
        expires_at=invite.expires_at,
        token=made.token,
        link=f"hivesync://live/{made.token}",
        web_link=f"{services.settings.public_url}/live#{made.token}",
    )
    return JsonAnswer(answer, status_code=201)


@get(
    "/live-sessions/{session_id:uuid}/invites",
    tags=TAGS,
    opt={"access": "live", "answer": LiveInvites},
    summary="Invites that let people in",
)
async def list_live_invites(request: ApiRequest, session_id: PathId) -> JsonAnswer:
    """By the host or an owner of the project."""
    services, caller = request.services, request.user
    session, role = await _reached(services, caller, session_id)
    if not session.governed_by(caller.account_id, role):
        raise NotTheHost
    at = context_without_body(request).at
    items = [
        LiveInvite(invite_id=invite_id, expires_at=invite.expires_at)
        for invite_id, invite in session.invites.items()
        if invite.expires_at > at
    ]
    return JsonAnswer(LiveInvites(items=items))


@delete(
    "/live-sessions/{session_id:uuid}/invites/{invite_id:uuid}",
    status_code=200,
    tags=TAGS,
    opt=_COMMAND,
    summary="Take an invite back",
)
async def revoke_live_invite(request: ApiRequest, session_id: PathId, invite_id: PathId) -> JsonAnswer:
    """It lets nobody in from now on; whoever is in stays."""
    await refuse_body(request)
    services, caller = request.services, request.user
    reached = await _reached(services, caller, session_id)
    context = await command_context(request)
    outcome = await services.live.revoke(session_id, invite_id, context, caller.account_id, reached.role)
    return changed(request, outcome)


@post(
    "/live-sessions/{session_id:uuid}/viewers",
    tags=TAGS,
    opt={"access": "read", "answer": LiveJoined, "statuses": (409,)},
    summary="Watch as a member",
)
async def watch_live(request: ApiRequest, session_id: PathId) -> JsonAnswer:
    """By members of the project. Then open `/ws/live` and send `live.view`."""
    await refuse_body(request)
    services, caller = request.services, request.user
    reached = await _reached(services, caller, session_id)
    context = context_without_body(request)
    joined = await services.live.join_as_member(session_id, context, caller.account_id, reached.role)
    return await _joined(services, joined)


@post(
    "/live/join",
    tags=TAGS,
    opt={"access": "read", "answer": LiveJoined, "statuses": (403, 404, 409)},
    summary="Watch by an invite",
)
async def join_live(request: ApiRequest, data: JSONBody[LiveJoin]) -> JsonAnswer:
    """With one's account, whether or not it belongs to the project."""
    services, caller = request.services, request.user
    await services.identity.attempts.hit("live_join_attempts", client_ip(request.scope, services.identity))
    context = context_without_body(request)
    joined = await services.live.join_by_invite(data.invite, context, account_id=caller.account_id, name=None)
    return await _joined(services, joined)


@post(
    "/live/join-as-guest",
    tags=TAGS,
    opt={**ANYONE, "answer": LiveJoined, "statuses": (404, 409)},
    summary="Watch by an invite, without an account",
)
async def join_live_as_guest(request: ApiRequest, data: JSONBody[LiveGuest]) -> JsonAnswer:
    """The name is shown to the host, and is in no event."""
    services = request.services
    await services.identity.attempts.hit("live_join_attempts", client_ip(request.scope, services.identity))
    context = context_without_body(request)
    joined = await services.live.join_by_invite(data.invite, context, account_id=None, name=data.name.strip())
    return await _joined(services, joined)


@post(
    "/live-sessions/{session_id:uuid}/viewers/{viewer_id:uuid}/remove",
    status_code=200,
    tags=TAGS,
    opt=_COMMAND,
    summary="Send a viewer away",
)
async def remove_live_viewer(
    request: ApiRequest, session_id: PathId, viewer_id: PathId, data: JSONBody[LiveRemoval]
) -> JsonAnswer:
    """At once, and an account may not join this session again."""
    services, caller = request.services, request.user
    reached = await _reached(services, caller, session_id)
    context = await command_context(request)
    outcome = await services.live.remove(
        session_id,
        viewer_id,
        context,
        caller.account_id,
        reached.role,
        revoke_invite=data.revoke_invite,
    )
    return changed(request, outcome)


@get(
    "/live-sessions/{session_id:uuid}/exposure",
    tags=TAGS,
    opt={"access": "read", "answer": ExposureLine, "line": "lines of one file that one viewer was sent"},
    summary="Who was shown what",
)
async def live_exposure(request: ApiRequest, session_id: PathId) -> JsonAnswer:
    """Streamed as lines of JSON, by when each viewer came; no line holds what the file held."""
    services, caller = request.services, request.user
    session, role = await _reached(services, caller, session_id)
    if caller.account_id != session.host_id and role not in (Role.OWNER, Role.AUDITOR):
        raise NotAnAuditor
    return LinesAnswer(_lines(services, session_id))


async def _lines(services: Services, session_id: UUID) -> AsyncIterator[bytes]:
    encode = msgspec.json.Encoder().encode_lines
    async for some in exposures(services.database, session_id):
        yield encode(some)


async def _session(services: Services, session_id: UUID) -> Session:
    loaded = await services.log.state(live, session_id, fresh=not services.follower.in_sight)
    session: Session = loaded.state
    return session


async def _reached(services: Services, caller: Caller, session_id: UUID) -> Reached:
    """A session in a project of the caller's; raises ``SessionNotFound`` for one that they may not know of."""
    session = await _session(services, session_id)
    if session.project_id is None:
        raise SessionNotFound
    try:
        membership = await reach_project(services, caller, session.project_id)
    except ProjectNotFound:
        raise SessionNotFound from None
    assert membership.role is not None
    return Reached(session, membership.role)


async def _joined(services: Services, joined: Joined) -> JsonAnswer:
    session = await _session(services, joined.session_id)
    if session.project_id is None or session.host_id is None:
        raise SessionOver
    names = await services.identity.rows.display_names([session.host_id])
    answer = LiveJoined(
        session_id=joined.session_id,
        viewer_id=joined.viewer_id,
        project_id=session.project_id,
        viewer_token=joined.token,
        title=session.title,
        host_name=names.get(session.host_id, ""),
    )
    return JsonAnswer(answer, status_code=201)


HANDLERS = (
    start_live,
    list_live,
    show_live,
    end_live,
    make_live_invite,
    list_live_invites,
    revoke_live_invite,
    watch_live,
    join_live,
    join_live_as_guest,
    remove_live_viewer,
    live_exposure,
)
