"""Sessions of HiveSync's own pages: OAuth's code with PKCE, with the refresh token where no script can reach it.

A page keeps its access token in memory alone. The refresh token lives in a cookie that is sent to this server only, that
no script can read and no other site can have sent; it is exchanged here, and never in the name of another client.
"""

from __future__ import annotations

from typing import Final, cast

from litestar import Response, post
from litestar.datastructures import Cookie
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from adapters.http.authentication import ANYONE, client_ip
from adapters.http.commanding import refuse_body
from adapters.http.oauth_pages.authorize import OWN_PAGES
from adapters.http.oauth_pages.browser import cookie_name, cookie_of
from adapters.http.request import ApiRequest
from adapters.identity.errors import NotAuthenticated, OAuthError
from adapters.identity.sessions import TokenPair
from adapters.identity.settings import IdentitySettings
from shared.api.accounts import ScopeName
from shared.api.web_session import WebTokenAnswer, WebTokenRequest

TAGS = ["Own pages"]
CALLBACK_PATH: Final = "/callback"


@post("/web/session", tags=TAGS, opt={**ANYONE, "statuses": (401,)}, status_code=200, summary="Begin a page's session")
async def begin(request: ApiRequest, data: JSONBody[WebTokenRequest]) -> Response[WebTokenAnswer]:
    """Exchange the code that `/oauth/authorize` sent the page."""
    identity = request.services.identity
    _refuse_other_sites(request)
    await identity.attempts.hit("token_requests_by_ip", client_ip(request.scope, identity))
    redirect_uri = identity.settings.public_url + CALLBACK_PATH
    try:
        pair = await identity.authorization.exchange(data.code, OWN_PAGES, redirect_uri, data.code_verifier)
    except OAuthError as error:
        raise NotAuthenticated("invalid", error.description) from error
    return _told(identity.settings, pair)


@post(
    "/web/session/renew",
    tags=TAGS,
    opt=ANYONE,
    status_code=200,
    summary="Renew a page's session",
    responses={204: ResponseSpec(None, description="This browser has no session; sign in")},
)
async def renew(request: ApiRequest) -> Response[WebTokenAnswer] | Response[None]:
    """A new access token for the refresh token in the cookie, which is exchanged too.

    A browser without a session is nothing wrong, so it is no error: every page asks when it is opened.
    """
    identity = request.services.identity
    await refuse_body(request)
    _refuse_other_sites(request)
    token = request.cookies.get(refresh_cookie_name(identity.settings), "")
    try:
        if not token:
            raise NotAuthenticated("missing")
        pair = await identity.sign_in.refresh(token, client_ip(request.scope, identity), client_id=OWN_PAGES)
    except NotAuthenticated:
        return Response(None, status_code=204, cookies=[_refresh_cookie(identity.settings, "", 0)])
    return _told(identity.settings, pair)


@post("/web/session/end", tags=TAGS, opt=ANYONE, status_code=200, summary="Sign this browser out")
async def end(request: ApiRequest) -> Response[None]:
    """End the page's session and the browser's sign-in; whoever comes next is asked who they are."""
    identity = request.services.identity
    await refuse_body(request)
    _refuse_other_sites(request)
    token = request.cookies.get(refresh_cookie_name(identity.settings), "")
    await identity.sign_in.revoke(token, OWN_PAGES)
    await identity.browser_sessions.end(request.cookies.get(cookie_name(identity.settings), ""))
    gone = [_refresh_cookie(identity.settings, "", 0), cookie_of(identity.settings, "")]
    gone[1].max_age = 0
    return Response(None, cookies=gone, media_type="application/json")


def refresh_cookie_name(settings: IdentitySettings) -> str:
    """The name of the cookie with the refresh token; see ``oauth_pages.browser.cookie_name``."""
    return cookie_name(settings) + "-web"


def _refresh_cookie(settings: IdentitySettings, value: str, max_age_s: int) -> Cookie:
    return Cookie(
        key=refresh_cookie_name(settings),
        value=value,
        max_age=max_age_s,
        path="/",
        secure=settings.public_url.startswith("https:"),
        httponly=True,
        samesite="strict",
    )


def _told(settings: IdentitySettings, pair: TokenPair) -> Response[WebTokenAnswer]:
    answer = WebTokenAnswer(
        access_token=pair.access_token,
        expires_in=pair.expires_in_s,
        scopes=cast(list[ScopeName], list(pair.scopes)),
        account_id=pair.account_id,
    )
    return Response(answer, cookies=[_refresh_cookie(settings, pair.refresh_token, settings.refresh_token_ttl_s)])


def _refuse_other_sites(request: ApiRequest) -> None:
    """The cookie is not sent for other sites; a browser that would send it says from where."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise NotAuthenticated("missing", "Only this server's own pages may do that")


HANDLERS = (begin, renew, end)
