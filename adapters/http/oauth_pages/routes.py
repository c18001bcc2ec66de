"""All pages under one router: what goes wrong on them is shown as a page, not as JSON."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router
from litestar.types import ControllerRouterHandler

from adapters.http.authentication import Authentication
from adapters.http.errors import UNEXPECTED, kind_of, problem_response
from adapters.http.oauth_pages import authorize, device, first_account
from adapters.http.oauth_pages.render import page
from adapters.http.request import ApiRequest


def _show_problem(request: Request[Any, Any, Any], error: Any) -> Any:
    """A problem as a page; what nobody foresaw is logged and answered as everywhere."""
    kind = kind_of(error)
    if kind is UNEXPECTED or not isinstance(request, ApiRequest):
        return problem_response(request.scope, error)
    wait_s = getattr(error, "retry_after_s", None) or kind.retry_after_s
    headers = {} if wait_s is None else {"retry-after": str(wait_s)}
    settings = request.services.identity.settings
    message = kind.explanation if kind.status >= 500 else str(error) or kind.explanation
    return page(settings, "message.html", kind.title, status=kind.status, message=message, link="", headers=headers)


def pages() -> ControllerRouterHandler:
    """The router of all pages."""
    return Router(
        "/",
        route_handlers=[*authorize.HANDLERS, *device.HANDLERS, *first_account.HANDLERS],
        middleware=[Authentication()],
        exception_handlers={Exception: _show_problem},
    )
