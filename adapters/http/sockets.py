"""The description of the socket beside that of the API."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from litestar import get
from litestar.response.base import ASGIResponse

from adapters.gateway.asyncapi import asyncapi_document
from adapters.http.authentication import ANYONE
from adapters.http.request import ApiRequest
from adapters.http.socket_page import POLICY, socket_page
from hivesync_core.eventstore.events import EVENTS


@get("/asyncapi.json", opt=ANYONE, tags=["Operation"], include_in_schema=False)
async def asyncapi(request: ApiRequest) -> ASGIResponse:
    """AsyncAPI 3.0: every message on ``/ws``, the close codes and the limits."""
    return ASGIResponse(body=_document(request.services.settings.public_url), media_type="application/json")


@get("/docs/socket", opt=ANYONE, include_in_schema=False)
async def socket_docs(request: ApiRequest) -> ASGIResponse:
    """The same as a page."""
    return ASGIResponse(
        body=_page(request.services.settings.public_url),
        media_type="text/html",
        headers={"content-security-policy": POLICY},
    )


@lru_cache(maxsize=4)
def _document(public_url: str) -> bytes:
    return msgspec.json.encode(asyncapi_document(EVENTS, public_url, "1"))


@lru_cache(maxsize=4)
def _page(public_url: str) -> bytes:
    return socket_page(asyncapi_document(EVENTS, public_url, "1")).encode()


HANDLERS = (asyncapi, socket_docs)
