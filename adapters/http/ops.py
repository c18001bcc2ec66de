"""What monitors, proxies and clients ask of a server before anything else: health, metrics, registry, problem types."""

from __future__ import annotations

from html import escape
from typing import Any

import msgspec
from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from adapters.http.authentication import ANYONE
from adapters.http.errors import Kind, every_kind
from adapters.http.request import ApiRequest
from adapters.observability.metrics import CONTENT_TYPE
from adapters.observability.readiness import Report
from hivesync_core.kernel.refusal import NotFound
from shared.api.ops import ConnectionRegistry, Health
from shared.api.problems import PROBLEM_TYPES_PATH

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"

_NOT_READY = {503: ResponseSpec(Report, description="Not now; `cause` says why", generate_examples=False)}


class ProblemTypeUnknown(NotFound):
    """No problem has this type."""

    code = "problem.unknown_type"
    title = "There is no such type of problem"


@get("/health", tags=["Operation"], opt=ANYONE, summary="Is the process alive?")
async def health() -> Health:
    """Answers as long as the process does, whatever the database does."""
    return Health()


@get("/ready", tags=["Operation"], opt=ANYONE, summary="May requests come?", responses=_NOT_READY)
async def ready(request: ApiRequest) -> Response[Report]:
    """200 when the database answers and the read models have caught up; 503 with the cause otherwise."""
    report = await request.services.readiness.report()
    headers = {} if report.is_ready else {"retry-after": "1"}
    return Response(report, status_code=200 if report.is_ready else 503, headers=headers)


@get("/metrics", tags=["Operation"], opt=ANYONE, summary="Metrics for Prometheus", media_type="text/plain")
async def metrics(request: ApiRequest) -> Response[bytes]:
    """Prometheus' text format."""
    return Response(request.services.metrics.exposition(), media_type=CONTENT_TYPE)


@get("/config/connection_registry.json", tags=["Operation"], opt=ANYONE, summary="Where clients find the backend")
async def connection_registry(request: ApiRequest) -> ConnectionRegistry:
    """The addresses that clients use now, and those that they are to move to."""
    settings = request.services.settings
    return ConnectionRegistry(current_backend_url=settings.public_url)


@get(PROBLEM_TYPES_PATH + "{code:str}", include_in_schema=False, opt=ANYONE)
async def problem_type(request: ApiRequest, code: FromPath[str]) -> ASGIResponse:
    """What a problem's ``type`` refers to: an explanation, as a page or as JSON."""
    kind = every_kind().get(code)
    if kind is None:
        raise ProblemTypeUnknown
    headers = {"cache-control": "public, max-age=3600", "vary": "accept"}
    if "text/html" in request.headers.get("accept", ""):
        headers["content-security-policy"] = _PAGE_POLICY
        return ASGIResponse(body=_page(kind), media_type="text/html; charset=utf-8", headers=headers)
    return ASGIResponse(body=msgspec.json.encode(_told(kind)), media_type="application/json", headers=headers)


def _told(kind: Kind) -> dict[str, Any]:
    return {
        "type": PROBLEM_TYPES_PATH + kind.code,
        "title": kind.title,
        "status": kind.status,
        "explanation": kind.explanation,
    }


def _page(kind: Kind) -> bytes:
    text = {key: escape(str(value)) for key, value in _told(kind).items()}
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{text['title']} · HiveSync</title>"
        "<meta name=viewport content='width=device-width'>"
        "<style>body{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:4rem auto;padding:0 1rem}"
        "code{background:#8882;padding:.1em .3em}</style>"
        f"<h1>{text['title']}</h1><p>{text['explanation']}</p>"
        f"<p>Status <code>{text['status']}</code>, type <code>{text['type']}</code></p></html>"
    ).encode()
