"""Puts the gateways beside the HTTP application: their paths go to them, everything else where it went before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Application = Callable[[Any, Any, Any], Awaitable[None]]


def beside(app: Application, sockets: Mapping[str, Application]) -> Application:
    """An ASGI application that is all of them; a socket's messages pass no middleware of the HTTP one."""

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        gateway = sockets.get(scope["path"]) if scope["type"] == "websocket" else None
        await (app if gateway is None else gateway)(scope, receive, send)

    return dispatch
