"""The only table of status codes: what each refusal and each failure is answered, as an RFC 9457 problem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Self

import msgspec
import psycopg
import structlog
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    SerializationException,
    ValidationException,
)
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.response.base import ASGIResponse

from adapters.blobs.keys import BlobKeyProblem
from adapters.blobs.sealing import NotOpened
from adapters.http import failures
from adapters.http.request import CORRELATION_KEY
from adapters.identity import errors as identity
from adapters.safety.checker import SafetyError
from hivesync_core.eventstore import errors as store
from hivesync_core.kernel.refusal import Conflict, Forbidden, Invalid, NotFound, Refusal
from shared.api.problems import PROBLEM_MEDIA_TYPE, PROBLEM_TYPES_PATH, FieldProblem

logger = structlog.get_logger(__name__)

DETAIL_MAX: Final = 2_000


class Kind(NamedTuple):
    """A kind of problem: its status, its stable code, its fixed title, and what to tell whoever opens its type."""

    status: int
    code: str
    title: str
    explanation: str
    retry_after_s: int | None = None


REFUSALS: Final[Mapping[type[Refusal], int]] = {
    NotFound: 404,
    Forbidden: 403,
    Conflict: 409,
    Invalid: 422,
    Refusal: 409,
}
"""The status of a refusal by its kind; code, title and explanation are the refusal's own."""

KINDS: Final[Mapping[type[BaseException], Kind]] = {
    failures.BodyMalformed: Kind(400, "request.malformed", "The body is no JSON", "Send JSON in UTF-8."),
    failures.BodyInvalid: Kind(
        400, "request.invalid", "The request does not have the right shape", "`errors` names each part and its fault."
    ),
    failures.HeaderInvalid: Kind(
        400, "request.header_invalid", "A header does not have the right form", "`errors` names the header."
    ),
    failures.QueryInvalid: Kind(
        400, "request.query_invalid", "A query parameter does not have the right form", "`errors` names the parameter."
    ),
    ValidationException: Kind(
        400, "request.invalid", "The request does not have the right shape", "`errors` names each part and its fault."
    ),
    SerializationException: Kind(400, "request.malformed", "The body is no JSON", "Send JSON in UTF-8."),
    NotFoundException: Kind(
        404, "request.no_such_address", "There is nothing at this address", "The API's description lists every address."
    ),
    MethodNotAllowedException: Kind(
        405, "request.method_not_allowed", "This address has no such method", "The header `Allow` lists its methods."
    ),
    RequestEntityTooLarge: Kind(
        413, "request.too_large", "The body is too large", "Send less, or in parts; JSON may have 1,000,000 bytes."
    ),
    failures.BodyTooSlow: Kind(
        408, "request.body_too_slow", "The body did not come in time", "Send the whole body at once."
    ),
    failures.Disconnected: Kind(400, "request.incomplete", "The request ended too early", "Send it again."),
    failures.MediaTypeUnknown: Kind(
        415, "request.media_type", "The body's media type is not taken here", "Send `Content-Type: application/json`."
    ),
    failures.RangeNotSatisfiable: Kind(
        416, "request.no_such_range", "The file has no such range", "Ask for bytes that the file has, or for all of it."
    ),
    failures.PreconditionFailed: Kind(
        412, "precondition.failed", "It has changed since you read it", "Read it again, and decide again."
    ),
    store.UnexpectedVersion: Kind(
        412, "precondition.failed", "It has changed since you read it", "Read it again, and decide again."
    ),
    failures.PreconditionRequired: Kind(
        428,
        "precondition.required",
        "A change that overwrites must say what it overwrites",
        "Send `If-Match` with the `ETag` of what you read, so that nobody's change is lost unseen.",
    ),
    store.IdempotencyKeyReused: Kind(
        422,
        "idempotency.key_reused",
        "The idempotency key belongs to another command",
        "A key names one command for a day: the same method, path and body. Take a new key for a new command.",
    ),
    store.VersionConflict: Kind(
        503, "server.contended", "Too many change this at the same time", "Try again in a moment.", 1
    ),
    store.StoreBusy: Kind(503, "server.busy", "More commands wait than the queue holds", "Try again in a second.", 1),
    store.StoreUnavailable: Kind(
        503,
        "server.database_unavailable",
        "The database does not answer",
        "Try again. A command may have been stored although its answer was lost: repeat it with its idempotency key.",
        2,
    ),
    psycopg.DataError: Kind(
        400, "request.value_impossible", "A value cannot be looked up", "It is outside of what the database can hold."
    ),
    NotOpened: Kind(
        503,
        "server.blob_not_opened",
        "What was kept does not open",
        "It was sealed with another key than this node has: every node needs the same HIVESYNC_BLOB_KEY.",
        60,
    ),
    BlobKeyProblem: Kind(
        503, "server.no_blob_key", "There is no key to keep files with", "The server's log says what to do.", 60
    ),
    SafetyError: Kind(
        503, "server.no_verdict", "The check of the comments gave no verdict", "Nothing was inserted. Try again.", 5
    ),
    failures.Starting: Kind(503, "server.starting", "The server is starting", "Try again in a second.", 1),
    failures.NotYetVisible: Kind(
        503, "projection.not_yet_visible", "The read model has not come that far", "Try again in a second.", 1
    ),
    identity.NotAuthenticated: Kind(
        401, "auth.not_authenticated", "A valid token is needed", "Send `Authorization: Bearer <token>`."
    ),
    identity.SignInRefused: Kind(
        401, "auth.sign_in_refused", "The sign-in failed", "Address and password do not belong together."
    ),
    identity.ScopeMissing: Kind(
        403, "auth.scope_missing", "The token does not reach that far", "`scope` names the scope that a token needs."
    ),
    identity.RateLimited: Kind(429, "rate.limited", "Too many requests", "`Retry-After` says how long to wait.", 60),
    identity.SignInsBusy: Kind(
        503, "server.sign_ins_busy", "Too many sign in at this moment", "Try again in a few seconds.", 2
    ),
    identity.FormExpired: Kind(403, "auth.form_expired", "The page was open for too long", "Reload the page."),
}
"""What is answered to everything that is no refusal; the most special class that matches counts."""

UNEXPECTED: Final = Kind(
    500,
    "server.error",
    "Something went wrong in the server",
    "It is not your fault. The server's log has the cause under the problem's `correlation_id`.",
)
HEAD_MALFORMED: Final = Kind(400, "request.no_http", "This is no HTTP request", "The connection is closed.")
HEAD_TOO_LARGE: Final = Kind(
    431, "request.head_too_large", "The request's headers are too large", "Send fewer and shorter headers."
)
HEAD_TOO_SLOW: Final = Kind(
    408, "request.head_too_slow", "The request did not come in time", "The connection is closed; open another."
)
HEADS: Final = (HEAD_MALFORMED, HEAD_TOO_LARGE, HEAD_TOO_SLOW)
"""What is answered to a connection before there is a request."""

OTHER_STATUS: Final = Kind(400, "request.refused", "The request cannot be carried out", "`detail` says why.")


def kind_of(error: BaseException) -> Kind:
    """What kind of problem an exception is."""
    if isinstance(error, Refusal):
        return refusal_kind(type(error))
    for base in type(error).__mro__:
        if base in KINDS:
            return KINDS[base]
    if isinstance(error, HTTPException) and 400 <= error.status_code < 500:
        return OTHER_STATUS._replace(status=error.status_code)
    return UNEXPECTED


def refusal_kind(refusal: type[Refusal]) -> Kind:
    """The kind of problem that a refusal is."""
    status = next(REFUSALS[base] for base in refusal.__mro__ if base in REFUSALS)
    explanation = " ".join((refusal.__doc__ or refusal.title).split())
    return Kind(status, refusal.code, refusal.title, explanation)


def every_kind() -> dict[str, Kind]:
    """Every kind of problem that there is, by its code."""
    kinds = {kind.code: kind for kind in (*KINDS.values(), UNEXPECTED, OTHER_STATUS, *HEADS)}
    return kinds | {refusal.code: refusal_kind(refusal) for refusal in _refusals(Refusal)}


def _refusals(base: type[Refusal]) -> Iterator[type[Refusal]]:
    yield base
    for refusal in base.__subclasses__():
        yield from _refusals(refusal)


class ProblemResponse(ASGIResponse):
    """A problem, ready to be sent; Litestar takes it from an exception handler as it is."""

    def to_asgi_response(self, **_: Any) -> Self:
        """Itself."""
        return self


def problem_response(scope: Mapping[str, Any], error: BaseException) -> ProblemResponse:
    """The answer to a request that ended in ``error``; one that nobody foresaw is logged with its traceback."""
    kind = kind_of(error)
    correlation_id = str(scope.get(CORRELATION_KEY, ""))
    if kind is UNEXPECTED:
        logger.error(
            "request_failed",
            method=scope.get("method"),
            route=scope.get("path_template"),
            correlation_id=correlation_id,
            exc_info=(type(error), error, error.__traceback__),
        )
    body = {
        "type": PROBLEM_TYPES_PATH + kind.code,
        "title": kind.title,
        "status": kind.status,
        "detail": _detail(kind, error),
        "instance": scope.get("path", ""),
        "correlation_id": correlation_id,
    }
    body |= {name: fact for name, fact in _facts(error).items() if name not in body}
    return ProblemResponse(
        body=_encoder.encode(body),
        status_code=kind.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers=_headers(kind, error),
    )


_encoder = msgspec.json.Encoder(enc_hook=str)


def _detail(kind: Kind, error: BaseException) -> str:
    if kind is UNEXPECTED:
        return kind.explanation
    text = error.detail if isinstance(error, HTTPException) else str(error)
    if isinstance(error, psycopg.DataError):
        return kind.explanation
    if isinstance(error, store.StoreUnavailable):
        # Its text may hold host names and what the database said: that is for the log.
        text = "The database does not answer; try again in a moment."
    return (text or kind.title)[:DETAIL_MAX]


def _facts(error: BaseException) -> dict[str, Any]:
    """What the problem says beside the members that every problem has."""
    match error:
        case Refusal():
            return error.facts
        case ValidationException():
            return {"errors": [_field_problem(entry) for entry in error.extra or ()]}
        case failures.BodyInvalid() | failures.HeaderInvalid() | failures.QueryInvalid():
            return {"errors": error.errors}
        case store.UnexpectedVersion():
            return {"expected_version": error.expected, "actual_version": error.actual}
        case identity.ScopeMissing():
            return {"scope": error.scope}
        case _:
            return {}


def _field_problem(entry: Any) -> FieldProblem:
    source = getattr(entry.get("source"), "value", entry.get("source")) or "request"
    return FieldProblem(source=source, field=entry.get("key", ""), message=entry.get("message", ""))


def _headers(kind: Kind, error: BaseException) -> dict[str, str]:
    headers: dict[str, str] = {}
    wait_s = getattr(error, "retry_after_s", None) or kind.retry_after_s
    if wait_s is not None:
        headers["retry-after"] = str(wait_s)
    if kind.status == 408:
        # What is left of the request, should it come after all, is not the next one.
        headers["connection"] = "close"
    challenge = getattr(error, "challenge", None)
    if isinstance(challenge, str):
        headers["www-authenticate"] = challenge
    if isinstance(error, MethodNotAllowedException | failures.RangeNotSatisfiable) and error.headers:
        headers |= {name.lower(): value for name, value in error.headers.items()}
    return headers
