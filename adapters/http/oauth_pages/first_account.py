"""The pages on which an account is made: the first admin's, by the set-up link, and an invited person's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from litestar import Response, get, post

from adapters.http.authentication import ANYONE, client_ip
from adapters.http.context import context_without_body
from adapters.http.errors import kind_of
from adapters.http.forms import FieldsRefused, form_of_page, query_of
from adapters.http.oauth_pages.browser import Visitor, cookie_of, visitor_of, visitor_with_form
from adapters.http.oauth_pages.render import Html, page
from adapters.http.request import ApiRequest
from adapters.identity.errors import RateLimited
from adapters.identity.identity import Identity
from hivesync_core.accounts.refusals import EmailTaken
from hivesync_core.kernel.refusal import Invalid, Refusal


class Words(NamedTuple):
    """What a page of this kind says."""

    action: str
    title: str
    reason: str
    button: str
    done: str


SET_UP = Words(
    "/setup",
    "Set up HiveSync",
    "This server has no admin yet. The account that you make here administers it.",
    "Make the admin's account",
    "Your account administers this server. This link does not work any more.",
)
INVITATION = Words(
    "/invitation",
    "Join HiveSync",
    "You were invited to this server. Choose a name and a password.",
    "Make my account",
    "Your account is made. Sign in with it in any HiveSync program, or in the browser.",
)


@get("/setup", opt=ANYONE, include_in_schema=False)
async def set_up_form(request: ApiRequest) -> Response[Any]:
    """The form behind the link that the first start prints."""
    identity = request.services.identity
    try:
        token = _token(request)
        await identity.set_up.check(token, client_ip(request.scope, identity))
    except (Refusal, RateLimited) as refused:
        return _closed(identity, refused)
    return _form(identity, await visitor_of(request), SET_UP, {"token": token})


@post("/setup", opt=ANYONE, include_in_schema=False, status_code=200)
async def set_up(request: ApiRequest) -> Response[Any]:
    """Make the first admin."""
    return await _make_account(request, SET_UP, request.services.identity.set_up.complete)


@get("/invitation", opt=ANYONE, include_in_schema=False)
async def invitation_form(request: ApiRequest) -> Response[Any]:
    """The form behind an invitation's link."""
    identity = request.services.identity
    try:
        token = _token(request)
        row = await identity.invitations.open_one(token, client_ip(request.scope, identity))
    except (Refusal, RateLimited) as refused:
        return _closed(identity, refused)
    values = {"token": token, "email": row.email or ""}
    return _form(identity, await visitor_of(request), INVITATION, values, email_fixed=row.email is not None)


@post("/invitation", opt=ANYONE, include_in_schema=False, status_code=200)
async def invitation(request: ApiRequest) -> Response[Any]:
    """Accept an invitation."""
    return await _make_account(request, INVITATION, request.services.identity.invitations.accept)


async def _make_account(request: ApiRequest, words: Words, make: Callable[..., Awaitable[Any]]) -> Response[Any]:
    """Make the account that the form asks for, or show the form again with what is wrong with it."""
    identity = request.services.identity
    form = await form_of_page(request)
    visitor = await visitor_with_form(request, form)
    try:
        await make(
            form.get("token", ""),
            client_ip(request.scope, identity),
            context_without_body(request),
            email=form.get("email", ""),
            name=form.get("name", ""),
            password=form.get("password", ""),
        )
    except (Invalid, EmailTaken) as refused:
        return _form(identity, visitor, words, form, refused=refused)
    except (Refusal, RateLimited) as refused:
        return _closed(identity, refused)
    return _done(identity, words)


def _token(request: ApiRequest) -> str:
    try:
        return query_of(request).get("token", "")
    except FieldsRefused:
        return ""


def _form(
    identity: Identity,
    visitor: Visitor,
    words: Words,
    values: dict[str, str],
    *,
    refused: Refusal | None = None,
    email_fixed: bool = False,
) -> Response[bytes]:
    return page(
        identity.settings,
        "account.html",
        words.title,
        status=200 if refused is None else kind_of(refused).status,
        alert=None if refused is None else str(refused),
        cookie=cookie_of(identity.settings, visitor.cookie),
        reason=words.reason,
        action=words.action,
        button=words.button,
        token=values.get("token", "")[:200],
        name=values.get("name", "")[:120],
        email=values.get("email", "")[:254],
        email_fixed=Html(" readonly" if email_fixed else ""),
        form_secret=visitor.form_secret,
    )


def _closed(identity: Identity, refused: Refusal | RateLimited) -> Response[bytes]:
    kind = kind_of(refused)
    headers = {"retry-after": str(refused.retry_after_s)} if isinstance(refused, RateLimited) else None
    return page(
        identity.settings,
        "message.html",
        kind.title,
        status=kind.status,
        message=str(refused),
        link="",
        headers=headers,
    )


def _done(identity: Identity, words: Words) -> Response[bytes]:
    link = Html('<a class="button" href="/">Go on</a>')
    return page(identity.settings, "message.html", "Welcome to HiveSync", message=words.done, link=link)


HANDLERS = (set_up_form, set_up, invitation_form, invitation)
