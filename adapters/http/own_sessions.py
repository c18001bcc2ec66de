"""One's own sign-ins: listed, ended one by one, or all but the one in use."""

from __future__ import annotations

from typing import cast

from litestar import delete, get, post

from adapters.http.authentication import needs
from adapters.http.commanding import refuse_body
from adapters.http.request import ApiRequest, PathId
from shared.api.accounts import ScopeName
from shared.api.sessions import SessionAnswer, SessionsAnswer, SessionsEnded

TAGS = ["Own account"]


@get("/me/sessions", tags=TAGS, summary="List one's sign-ins", **needs("read"))
async def list_sessions(request: ApiRequest) -> SessionsAnswer:
    """One's own sign-ins that are still good, the one used last first; the one that asks is marked."""
    found = await request.services.identity.own_sessions.of(request.user.account_id)
    return SessionsAnswer(
        sessions=[
            SessionAnswer(
                session_id=session.session_id,
                client_id=session.client_id,
                client_name=session.client_name,
                scopes=cast(list[ScopeName], list(session.scopes)),
                created_at=session.created_at,
                last_used_at=session.last_used_at,
                expires_at=session.expires_at,
                is_current=session.session_id == request.user.token_id,
            )
            for session in found
        ]
    )


@delete("/me/sessions/{sign_in_id:uuid}", tags=TAGS, summary="End a sign-in", **needs("write"))
async def end_session(request: ApiRequest, sign_in_id: PathId) -> None:
    """End one of one's own sign-ins at once, on every node. Every browser is asked for the password again."""
    await request.services.identity.own_sessions.end(request.user, sign_in_id)


@post("/me/sessions/end-others", tags=TAGS, status_code=200, summary="End all other sign-ins", **needs("write"))
async def end_other_sessions(request: ApiRequest) -> SessionsEnded:
    """End all of one's sign-ins but the one that asks, at once and on every node. Personal access tokens stay."""
    await refuse_body(request)
    return SessionsEnded(ended=await request.services.identity.own_sessions.end_others(request.user))


HANDLERS = (list_sessions, end_session, end_other_sessions)
