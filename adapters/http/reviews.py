"""Reviews: a file is submitted, and people decide on the comments that a model suggested (AI-1, AI-4)."""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypedDict
from uuid import UUID

import msgspec
import structlog
from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from adapters.http.access import member_of, reach_project
from adapters.http.answers import JsonAnswer
from adapters.http.commanding import command_context, refuse_body
from adapters.http.conditional import etag, expected_version
from adapters.http.limits import PAGE, SOURCE_BODY_BYTES_MAX
from adapters.http.reading import Cursor, Limit, MinPosition, MinPositionHeader, page_body, shown_at
from adapters.http.request import ApiRequest, PathId
from adapters.http.services import Services
from adapters.jobs.progress import find_progress
from adapters.jobs.queue import QUEUE_AWAY, abort, submit
from adapters.reviewing.words import content_sha256, keep_edit, shown_contents
from hivesync_core.comments import LANGUAGES, language_of
from hivesync_core.eventstore.log import Context
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.refusal import Conflict, Invalid
from hivesync_core.kernel.roles import Role
from hivesync_core.projects.refusals import ProjectNotFound
from hivesync_core.reviews import commands
from hivesync_core.reviews.decider import review
from hivesync_core.reviews.events import Detail, Style
from hivesync_core.reviews.refusals import (
    NO_DOCSTRINGS,
    CommentNotFound,
    ReviewNotFound,
    ReviewNotOpen,
    ReviewsReadOnly,
    StyleRefused,
)
from hivesync_core.reviews.state import Review, ReviewStatus
from hivesync_core.settings.decider import SETTINGS_ID, ServerSettings, settings
from projections.reviews.model import ReviewRow
from projections.reviews.queries import review_of, review_page, waiting_of
from shared.api.reviews import (
    EditRequest,
    IndexesRequest,
    RetractRequest,
    ReviewPage,
    ReviewStyle,
    ShownReview,
    StatusName,
    SubmitRequest,
)

logger = structlog.get_logger(__name__)

TAGS = ["Reviews"]
REVIEWS_PATH = "/api/v1/reviews/"
REVIEWS_WAITING_MAX = 500
"""Reviews of one account whose comments are still to be made."""

_COMMAND = {"access": "write", "answer": ShownReview, "is_command": True}

Statuses = Annotated[list[StatusName] | None, QueryParameter(name="status", description="Only reviews that are so.")]


class LanguageUnknown(Invalid):
    """The file's language is not supported; `languages` names those that are. It is never guessed from the text."""

    code = "review.language_unknown"
    title = "The language of the file is not known"


class SourceTooLarge(Invalid):
    """The file is larger than the settings allow; the facts name the limit."""

    code = "review.source_too_large"
    title = "The file is too large"


class TooManyReviews(Conflict):
    """So many reviews of this account are still to be made; the facts name the limit. Wait, or cancel some."""

    code = "review.too_many"
    title = "Too many reviews of this account are still to be made"


class Reached(NamedTuple):
    """A review in a project that the caller reaches, and as what."""

    review: Review
    role: Role | None


class _Who(TypedDict):
    by: AccountId
    role: Role | None


async def reach_review(services: Services, request: ApiRequest, review_id: UUID, *, as_admin: bool = False) -> Reached:
    """The review as it is now; raises ``ReviewNotFound`` for one that the caller may not know of."""
    stored: Review = (await services.log.state(review, review_id, fresh=not services.follower.in_sight)).state
    if stored.project_id is None:
        raise ReviewNotFound
    try:
        membership = await reach_project(services, request.user, stored.project_id, as_admin=as_admin)
    except ProjectNotFound:
        raise ReviewNotFound from None
    return Reached(stored, membership.role)


def language_for(path: str, source: bytes, named: str | None) -> str:
    """The language of a file, as it was named or by its name; raises ``LanguageUnknown``."""
    language = language_of(path, source) if named is None else named
    if language is None or language not in LANGUAGES:
        raise LanguageUnknown("Name one of the languages.", languages=sorted(LANGUAGES))
    return language


def style_of(asked: ReviewStyle) -> Style:
    """The style as the rules know it; raises ``StyleRefused`` for what no style can have."""
    if asked.docstrings:
        raise StyleRefused(NO_DOCSTRINGS, field="docstrings")
    detail = Detail(asked.detail)
    return Style(detail=detail, header=asked.header, tongue=asked.tongue, comments_max=asked.comments_max)


async def refuse_too_large(services: Services, source: bytes) -> None:
    """Raise ``SourceTooLarge`` for a file that is larger than the settings allow."""
    stored: ServerSettings = (await services.log.state(settings, SETTINGS_ID)).state
    most = stored.ai.source_bytes_max
    if len(source) > most:
        raise SourceTooLarge(f"The file has {len(source)} bytes, {most} are the most.", source_bytes_max=most)


@post(
    "/projects/{project_id:uuid}/reviews",
    status_code=202,
    tags=TAGS,
    opt=_COMMAND,
    request_max_body_size=SOURCE_BODY_BYTES_MAX,
    summary="Have a file documented",
)
async def submit_file(request: ApiRequest, project_id: PathId, data: JSONBody[SubmitRequest]) -> JsonAnswer:
    """By any member who may work. A model is asked in the background; the source is kept apart, for a while."""
    services, by = request.services, request.user.account_id
    context = await command_context(request)
    _, role = await member_of(services, request.user, project_id)
    if not role.writes:
        raise ReviewsReadOnly
    source = data.source.encode()
    language = language_for(data.path, source, data.language)
    await refuse_too_large(services, source)
    if await waiting_of(services.database, by) >= REVIEWS_WAITING_MAX:
        raise TooManyReviews("Wait until some are made, or cancel some.", reviews_max=REVIEWS_WAITING_MAX)
    command = commands.RequestReview(
        by=by,
        role=role,
        review_id=context.command_id,
        project_id=ProjectId(project_id),
        path=data.path,
        language=language,
        source_sha256=await services.blobs.put(project_id, "source", source),
        size_bytes=len(source),
        lines=source.count(b"\n") + (not source.endswith(b"\n") and bool(source)),
        style=style_of(data.style),
    )
    outcome = await services.log.execute(review, context.command_id, command, context)
    try:
        await submit(services.jobs, outcome.stream_id)
    except QUEUE_AWAY as error:
        # What is asked for stands in the log: a worker finds it there.
        logger.warning("queue_away", error_type=type(error).__name__)
    location = (b"location", f"{REVIEWS_PATH}{outcome.stream_id}".encode())
    return await shown(services, outcome.stream_id, location, status_code=202, position=outcome.position)


@get("/projects/{project_id:uuid}/reviews", tags=TAGS, opt={"access": "read", "answer": ReviewPage}, summary="Reviews")
async def list_reviews(
    request: ApiRequest,
    project_id: PathId,
    status: Statuses = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = 0,
    min_position_header: MinPositionHeader = 0,
) -> JsonAnswer:
    """Those of a project, the newest first, without the words of their comments."""
    services = request.services
    await member_of(services, request.user, project_id)
    position = await shown_at(services, "reviews", min_position, min_position_header)
    page = await review_page(
        services.database, projects=[project_id], statuses=status or (), cursor=cursor, limit=limit
    )
    return JsonAnswer(page_body(page, position))


async def shown(
    services: Services,
    review_id: UUID,
    *headers: tuple[bytes, bytes],
    status_code: int = 200,
    position: int | None = None,
) -> JsonAnswer:
    """A review as its own events tell it now, with the words of its comments where they are still kept."""
    stream = await services.streams.read_stream(review_id)
    row = review_of(stream)
    facts = msgspec.to_builtins(row)
    stored: Review = review.fold(recorded.event for recorded in stream)
    words = await shown_contents(services.blobs, stored)
    contents, reasons = words if words is not None else ({}, {})
    for comment in facts["comments"]:
        comment["content"] = contents.get(comment["index"])
    for refused in facts["refused"]:
        refused["reason"] = reasons.get(refused["index"])
    facts |= {"position": position, "progress": await _progress(services, row)}
    return JsonAnswer(facts, (b"etag", etag(row.version).encode()), *headers, status_code=status_code)


async def _progress(services: Services, row: ReviewRow) -> dict[str, object] | None:
    found = await find_progress(services.database, row.review_id) if row.status == "generating" else None
    return None if found is None else dict(zip(("stage", "tries", "answer_chars"), found, strict=True))


class ReviewCommands(Controller):
    """One review, and what is decided on it."""

    path = "/reviews/{review_id:uuid}"
    tags = TAGS
    opt = _COMMAND

    @get("", summary="A review", opt={"access": "read", "answer": ShownReview, "is_command": False, "has_etag": False})
    async def show(self, request: ApiRequest, review_id: PathId) -> JsonAnswer:
        """With progress while a model is asked; with the words of the comments as long as they are kept."""
        await reach_review(request.services, request, review_id)
        return await shown(request.services, review_id)

    @post("/approve", status_code=200, summary="Approve comments")
    async def approve(self, request: ApiRequest, review_id: PathId, data: JSONBody[IndexesRequest]) -> JsonAnswer:
        """Those that are named, or all that are undecided. Only insertions of comments are approved by it."""
        context, who = await _asked(request, review_id)
        return await _give(request, review_id, context, commands.ApproveComments(**who, indexes=data.indexes))

    @post("/discard", status_code=200, summary="Discard comments")
    async def discard(self, request: ApiRequest, review_id: PathId, data: JSONBody[IndexesRequest]) -> JsonAnswer:
        """Those that are named, or all. With all discarded the file is as it was, byte for byte."""
        context, who = await _asked(request, review_id)
        return await _give(request, review_id, context, commands.DiscardComments(**who, indexes=data.indexes))

    @post("/comments/{index:int}/edit", status_code=200, summary="Approve a comment in other words")
    async def edit(
        self, request: ApiRequest, review_id: PathId, index: FromPath[int], data: JSONBody[EditRequest]
    ) -> JsonAnswer:
        """They are checked like the first ones, together with everything that is approved."""
        context, who = await _asked(request, review_id)
        stored, role = await reach_review(request.services, request, review_id)
        if role is None or not role.writes:
            raise ReviewsReadOnly
        if stored.status is not ReviewStatus.READY:
            raise ReviewNotOpen(f"The review is {stored.status}: nothing can be decided on it.", status=stored.status)
        if index not in stored.comments or stored.project_id is None:
            raise CommentNotFound(f"The review has no comment {index} that could be edited.", index=index)
        await request.services.inserter.approved(stored, instead={index: data.content})
        await keep_edit(request.services.blobs, stored.project_id, data.content)
        command = commands.EditComment(
            **who, index=index, content_sha256=content_sha256(data.content), chars=len(data.content)
        )
        return await _give(request, review_id, context, command)

    @post("/retract", status_code=200, summary="Call comments back")
    async def retract(self, request: ApiRequest, review_id: PathId, data: JSONBody[RetractRequest]) -> JsonAnswer:
        """By an owner or an admin, whatever was decided, also when the review is closed."""
        context = await command_context(request)
        reached = await reach_review(request.services, request, review_id, as_admin=True)
        command = commands.RetractComments(
            by=request.user.account_id,
            role=reached.role,
            is_admin=request.user.acts_as_admin,
            reason=data.reason,
            indexes=data.indexes,
        )
        return await _give(request, review_id, context, command)

    @post("/cancel", status_code=200, summary="Stop making comments")
    async def cancel(self, request: ApiRequest, review_id: PathId) -> JsonAnswer:
        """By who asked for it, or an owner."""
        await refuse_body(request)
        context, who = await _asked(request, review_id)
        answer = await _give(request, review_id, context, commands.CancelReview(**who))
        try:
            await abort(request.services.jobs, review_id)
        except QUEUE_AWAY as error:
            # Whatever is still being made comes to nothing: the log takes no answer for it.
            logger.warning("queue_away", error_type=type(error).__name__)
        return answer

    @post("/close", status_code=200, summary="Close a review")
    async def close(self, request: ApiRequest, review_id: PathId) -> JsonAnswer:
        """Nothing more is decided on it then."""
        await refuse_body(request)
        context, who = await _asked(request, review_id)
        return await _give(request, review_id, context, commands.CloseReview(**who))


async def _asked(request: ApiRequest, review_id: UUID) -> tuple[Context, _Who]:
    context = await command_context(request)
    reached = await reach_review(request.services, request, review_id)
    return context, {"by": request.user.account_id, "role": reached.role}


async def _give(request: ApiRequest, review_id: UUID, context: Context, command: commands.ReviewCommand) -> JsonAnswer:
    """Give the command, and answer with the review as it is then."""
    expected = expected_version(request.scope)
    outcome = await request.services.log.execute(review, review_id, command, context, expected_version=expected)
    position = outcome.position or request.services.follower.head
    return await shown(request.services, review_id, position=position)


HANDLERS = (submit_file, list_reviews, ReviewCommands)
