"""An answer that is JSON already: what leaves a hot route goes straight to the server, with no layer between."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send

_CONTENT_TYPE = (b"content-type", b"application/json")
_encode = msgspec.json.Encoder().encode


class JsonAnswer:
    """An ASGI application that sends one JSON body; Litestar takes it from a handler as it is.

    What a route's answers look like stands in its ``opt`` under ``answer``, for the API's description.
    """

    __slots__ = ("body", "headers", "status_code")

    def __init__(self, body: bytes | Any, *headers: tuple[bytes, bytes], status_code: int = 200) -> None:
        self.body = body if isinstance(body, bytes) else _encode(body)
        self.headers = headers
        self.status_code = status_code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; 304 tells of a body that it does not have."""
        headers = [*self.headers]
        if self.status_code != 304:
            headers += [_CONTENT_TYPE, (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})
