"""The pages of the authorization code grant: sign in, look at what a program asks for, allow it or not."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get, post

from adapters.http.authentication import ANYONE, client_ip
from adapters.http.forms import FieldsRefused, form_of_page, parse_fields
from adapters.http.oauth_pages.browser import (
    NEXT_MAX,
    Visitor,
    checked_next,
    cookie_of,
    see_other,
    visitor_of,
    visitor_with_form,
)
from adapters.http.oauth_pages.render import page, scope_list, shown_destination
from adapters.http.request import ApiRequest
from adapters.identity.authorization import AuthorizationRefused, AuthorizationRequest, UntrustedRedirect
from adapters.identity.errors import RateLimited, SignInRefused
from adapters.identity.identity import Identity

OWN_PAGES: Final = "hivesync-web"
"""HiveSync's own pages in the browser are no foreign program: whoever is signed in on this server is not asked again.

The code goes to an address of this server, and is good only with the verifier of the page that asked.
"""


@get("/oauth/authorize", opt=ANYONE, include_in_schema=False)
async def authorize(request: ApiRequest) -> Response[Any]:
    """Where a program sends its person: the sign-in, or the question whether the program may go on."""
    identity, query = request.services.identity, request.scope["query_string"]
    asked = await _asked(identity, query)
    if isinstance(asked, Response):
        return asked
    visitor = await visitor_of(request)
    path = f"/oauth/authorize?{query.decode('ascii')}"
    if visitor.account_id is None:
        return sign_in_page(identity, visitor, path, destination=asked.redirect_uri)
    if asked.client.client_id == OWN_PAGES:
        return see_other(await identity.authorization.approve(asked, visitor.account_id))
    return page(
        identity.settings,
        "consent.html",
        "Allow this program?",
        destination=asked.redirect_uri,
        where=shown_destination(asked.redirect_uri),
        client=asked.client.name,
        scopes=scope_list(asked.scopes),
        name=visitor.name,
        next=path,
        request=query.decode("ascii"),
        form_secret=visitor.form_secret,
    )


@post("/oauth/authorize", opt=ANYONE, include_in_schema=False)
async def decide(request: ApiRequest) -> Response[Any]:
    """The person's answer. The request is checked anew: nothing that a form says of it is believed."""
    identity = request.services.identity
    form = await form_of_page(request)
    visitor = await visitor_with_form(request, form)
    query = form.get("request", "").encode("ascii", "replace")
    if visitor.account_id is None:
        return see_other(checked_next(f"/oauth/authorize?{query.decode('ascii')}"))
    asked = await _asked(identity, query)
    if isinstance(asked, Response):
        return asked
    if form.get("decision") != "allow":
        return see_other(identity.authorization.deny(asked))
    return see_other(await identity.authorization.approve(asked, visitor.account_id))


@post("/oauth/sign-in", opt=ANYONE, include_in_schema=False)
async def sign_in(request: ApiRequest) -> Response[Any]:
    """Sign the browser in for these pages, with a new cookie."""
    identity = request.services.identity
    form = await form_of_page(request)
    visitor = await visitor_with_form(request, form)
    path, email = checked_next(form.get("next", "")), form.get("email", "")
    try:
        person = await identity.sign_in.check(email, form.get("password", ""), client_ip(request.scope, identity))
    except SignInRefused as refused:
        return sign_in_page(identity, visitor, path, email=email, alert=str(refused), status=401)
    except RateLimited as limited:
        minutes = max(1, round(limited.retry_after_s / 60))
        alert = f"Too many attempts. Wait {minutes} minute{'s' if minutes > 1 else ''} and try again."
        headers = {"retry-after": str(limited.retry_after_s)}
        return sign_in_page(identity, visitor, path, email=email, alert=alert, status=429, headers=headers)
    cookie = await identity.browser_sessions.begin(person.account_id)
    return see_other(path, cookie_of(identity.settings, cookie))


@post("/oauth/sign-out", opt=ANYONE, include_in_schema=False)
async def sign_out(request: ApiRequest) -> Response[Any]:
    """Sign the browser out of these pages, and ask again who is there."""
    form = await form_of_page(request)
    visitor = await visitor_with_form(request, form)
    await request.services.identity.browser_sessions.end(visitor.cookie)
    return see_other(checked_next(form.get("next", "")))


def sign_in_page(
    identity: Identity,
    visitor: Visitor,
    path: str,
    *,
    email: str = "",
    alert: str | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
    destination: str | None = None,
) -> Response[bytes]:
    """The form for address and password; ``path`` is where it leads."""
    destination = destination or _destination_of(path)
    return page(
        identity.settings,
        "sign_in.html",
        "Sign in",
        status=status,
        alert=alert,
        headers=headers,
        cookie=cookie_of(identity.settings, visitor.cookie),
        destination=destination,
        reason="A device wants to sign in." if destination is None else "A program sent you here to sign in.",
        email=email[:254],
        next=path,
        form_secret=visitor.form_secret,
    )


def _destination_of(path: str) -> str | None:
    """The program's address in a path that was made from its request; the browser follows it after the sign-in."""
    try:
        return parse_fields(path.partition("?")[2].encode("ascii", "replace"), NEXT_MAX).get("redirect_uri")
    except FieldsRefused:
        return None


async def _asked(identity: Identity, query: bytes) -> AuthorizationRequest | Response[Any]:
    """The request, or the answer to one that is not in order."""
    try:
        return await identity.authorization.check(parse_fields(query, NEXT_MAX))
    except AuthorizationRefused as refused:
        return see_other(refused.location)
    except (UntrustedRedirect, FieldsRefused) as refused:
        return page(
            identity.settings,
            "message.html",
            "This sign-in cannot go on",
            status=400,
            message=f"{refused} You have not been signed in, and nothing was sent anywhere.",
            link="",
        )


HANDLERS = (authorize, decide, sign_in, sign_out)
