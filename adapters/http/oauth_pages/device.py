"""The pages on which a person lets a device in (RFC 8628, section 3.3)."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from adapters.http.authentication import ANYONE, client_ip
from adapters.http.forms import FieldsRefused, form_of_page, query_of
from adapters.http.oauth_pages.authorize import sign_in_page
from adapters.http.oauth_pages.browser import Visitor, see_other, visitor_of, visitor_with_form
from adapters.http.oauth_pages.render import page, scope_list
from adapters.http.request import ApiRequest
from adapters.identity.errors import RateLimited
from adapters.identity.identity import Identity
from adapters.identity.secrets import USER_CODE_LENGTH, shown_user_code, typed_user_code


@get("/device", opt=ANYONE, include_in_schema=False)
async def enter(request: ApiRequest) -> Response[Any]:
    """Where a person types the code that a device shows; one in the address is filled in, not sent."""
    identity = request.services.identity
    try:
        code = typed_user_code(query_of(request).get("user_code", ""))
    except FieldsRefused:
        code = ""
    shown = shown_user_code(code) if len(code) == USER_CODE_LENGTH else ""
    visitor = await visitor_of(request)
    if visitor.account_id is None:
        return sign_in_page(identity, visitor, f"/device?user_code={shown}" if shown else "/device")
    return _entry(identity, visitor, shown)


@post("/device", opt=ANYONE, include_in_schema=False, status_code=200)
async def confirm(request: ApiRequest) -> Response[Any]:
    """Show what the device with the code asks for."""
    identity = request.services.identity
    form = await form_of_page(request)
    visitor = await visitor_with_form(request, form)
    if visitor.account_id is None:
        return see_other("/device")
    typed = form.get("user_code", "")
    try:
        pending = await identity.device.pending(typed, visitor.account_id, client_ip(request.scope, identity))
    except RateLimited as limited:
        alert = "Too many codes were tried. Wait some minutes and try again."
        headers = {"retry-after": str(limited.retry_after_s)}
        return _entry(identity, visitor, typed, alert=alert, status=429, headers=headers)
    if pending is None:
        alert = "No device waits with this code. Check it, or begin again on the device: codes expire."
        return _entry(identity, visitor, typed, alert=alert, status=400)
    return page(
        identity.settings,
        "device_confirm.html",
        "Let this device in?",
        client=pending.client_name,
        user_code=shown_user_code(pending.user_code),
        scopes=scope_list(pending.scopes),
        name=visitor.name,
        form_secret=visitor.form_secret,
    )


@post("/device/decision", opt=ANYONE, include_in_schema=False, status_code=200)
async def decide(request: ApiRequest) -> Response[Any]:
    """The person's answer."""
    identity = request.services.identity
    form = await form_of_page(request)
    visitor = await visitor_with_form(request, form)
    if visitor.account_id is None:
        return see_other("/device")
    approved = form.get("decision") == "allow"
    if not await identity.device.decide(form.get("user_code", ""), visitor.account_id, approved=approved):
        return _entry(identity, visitor, "", alert="The code has expired; begin again on the device.", status=400)
    title = "The device is in" if approved else "The device stays out"
    message = (
        "You can close this page; the device goes on by itself in a few seconds."
        if approved
        else "Nothing was allowed. If you did not start this yourself, somebody tried to get into your account."
    )
    return page(identity.settings, "message.html", title, message=message, link="")


def _entry(
    identity: Identity,
    visitor: Visitor,
    code: str,
    *,
    alert: str | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    return page(
        identity.settings,
        "device.html",
        "Connect a device",
        status=status,
        alert=alert,
        headers=headers,
        user_code=code[:20],
        form_secret=visitor.form_secret,
    )


HANDLERS = (enter, confirm, decide)
