"""The browser behind a page: its cookie, who is signed in with it, and whether a form is one of ours."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from litestar import Response
from litestar.datastructures import Cookie

from adapters.http.request import ApiRequest
from adapters.identity.browser_sessions import COOKIE_LENGTH, form_secret, is_form_secret, new_cookie
from adapters.identity.errors import FormExpired
from adapters.identity.settings import IdentitySettings

NEXT_PATHS = ("/oauth/authorize?", "/device")
NEXT_MAX = 12_000


class Visitor(NamedTuple):
    """Who looks at a page; ``account_id`` is none before the sign-in."""

    cookie: str
    account_id: UUID | None = None
    name: str = ""
    email: str = ""

    @property
    def form_secret(self) -> str:
        """What this visitor's forms carry."""
        return form_secret(self.cookie)


async def visitor_of(request: ApiRequest) -> Visitor:
    """Who looks at the page, with a new cookie where there is none yet."""
    identity = request.services.identity
    shown = request.cookies.get(cookie_name(identity.settings), "")
    if len(shown) != COOKIE_LENGTH or not shown.isascii():
        return Visitor(new_cookie())
    account = await identity.browser_sessions.account_of(shown)
    return Visitor(shown) if account is None else Visitor(shown, *account)


async def visitor_with_form(request: ApiRequest, form: dict[str, str]) -> Visitor:
    """Who sent a form of ours. Raises ``FormExpired`` where another site sent it, or the page is from an older visit."""
    visitor = await visitor_of(request)
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in {"same-origin", "none"} or not is_form_secret(visitor.cookie, form.get("form_secret", "")):
        raise FormExpired("The page was open for too long, or came from elsewhere; go back, reload it, and try again.")
    return visitor


def cookie_name(settings: IdentitySettings) -> str:
    """With https a name that no other host and no plain connection can set (RFC 6265bis, section 4.1.3.2)."""
    return "__Host-hivesync" if settings.public_url.startswith("https:") else "hivesync"


def cookie_of(settings: IdentitySettings, value: str) -> Cookie:
    """The cookie for these pages; scripts cannot read it, other sites' forms do not send it."""
    return Cookie(
        key=cookie_name(settings),
        value=value,
        max_age=settings.browser_session_ttl_s,
        path="/",
        secure=settings.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def checked_next(path: str) -> str:
    """Where a visitor goes after signing in: to one of our pages that needs it, whatever the form says."""
    usable = len(path) <= NEXT_MAX and path.isascii() and path.isprintable() and "\\" not in path and " " not in path
    return path if usable and path.startswith(NEXT_PATHS) else "/device"


def see_other(location: str, cookie: Cookie | None = None) -> Response[None]:
    """Send the browser on with a GET (303), whatever it came with."""
    safe = quote(location, safe=":/?#[]@!$&'()*+,;=%-._~")
    return Response(None, status_code=303, headers={"location": safe}, cookies=[] if cookie is None else [cookie])
