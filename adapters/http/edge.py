"""The outermost layer: a correlation id, security headers, metrics and the access log for whatever is answered."""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import UUID

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.errors import problem_response
from adapters.http.failures import Starting
from adapters.http.limits import REQUEST_ID_MAX
from adapters.http.request import CORRELATION_KEY
from adapters.ids import uuid7
from adapters.observability.metrics import Metrics

logger = structlog.get_logger("hivesync.access")

SLOW_S = 1.0

STRICT_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Nothing that the API answers is a page; a page brings a policy of its own."""

_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"content-security-policy", STRICT_POLICY),
    (b"cache-control", b"no-store"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_OWN_CHOICE = frozenset(name for name, _ in _HEADERS)
"""Headers that an answer may set for itself."""

_ALWAYS_SERVED = ("/health", "/ready", "/metrics", "/problems/")


class Edge:
    """Wraps the application; while the server starts, all but its health is answered 503.

    A HEAD request is a GET whose body is not sent (RFC 9110, section 9.3.2), so that no route has to know it.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, readiness: Any, *, https: bool, access_log: str) -> None:
        self._app = app
        self._metrics = metrics
        self._readiness = readiness
        self._headers = (*_HEADERS, _HSTS) if https else _HEADERS
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, socket or lifespan."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        correlation_id, request_id = _correlation(scope)
        scope[CORRELATION_KEY] = correlation_id  # type: ignore[literal-required]
        status = 0
        is_head = scope["method"] == "HEAD"
        if is_head:
            # A range is for GET alone (RFC 9110, section 14.2).
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"range"]
            scope["method"] = "GET"
        method = scope["method"]

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(message, request_id)
                if is_head:
                    # For the server, which would miss the body that the headers tell of.
                    scope["method"] = "HEAD"
            elif is_head and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        try:
            if self._readiness.serves or scope["path"].startswith(_ALWAYS_SERVED):
                await self._app(scope, receive, send_with_headers)
            else:
                await problem_response(scope, Starting())(scope, receive, send_with_headers)
        finally:
            self._record(scope, method, status, time.perf_counter() - started, correlation_id)

    def _add_headers(self, message: Any, request_id: bytes) -> None:
        own = message["headers"]
        chosen = {name for name, _ in own if name in _OWN_CHOICE}
        rest = self._headers if not chosen else [header for header in self._headers if header[0] not in chosen]
        message["headers"] = [*own, (b"x-request-id", request_id), *rest]

    def _record(self, scope: Any, method: str, status: int, seconds: float, correlation_id: UUID) -> None:
        route = scope.get("path_template") or "none"
        self._metrics.count_request(method, route, status, seconds)
        is_problem = (status >= 500 or seconds > SLOW_S) and not scope["path"].startswith(_ALWAYS_SERVED)
        if self._access_log == "all" or (self._access_log == "problems" and is_problem):
            user = scope.get("user")
            logger.info(
                "request",
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
                correlation_id=str(correlation_id),
                account_id=str(user.account_id) if user is not None else None,
            )


_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
"""W3C Trace Context; its second part is the id of the caller's trace."""


def _correlation(scope: Any) -> tuple[UUID, bytes]:
    """The correlation id, and the request id to answer with: the client's where it sent a usable one.

    A client that only names its trace has that for both, so that the events are found from its trace.
    """
    trace = None
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return _from_client(value)
        if name == b"traceparent":
            trace = _TRACEPARENT.fullmatch(value)
    made = uuid7() if trace is None else UUID(trace[1].decode("ascii"))
    return made, str(made).encode()


def _from_client(value: bytes) -> tuple[UUID, bytes]:
    made = uuid7()
    if len(value) == 36:
        try:
            return UUID(value.decode("ascii")), value
        except (ValueError, UnicodeDecodeError):
            pass
    if 0 < len(value) <= REQUEST_ID_MAX and all(0x21 <= byte <= 0x7E for byte in value):
        return made, value
    return made, str(made).encode()
