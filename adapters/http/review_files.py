"""What comes out of a review: the exact diff, the file with its comments, and the certificate (AI-4, AI-5)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.params import JSONBody
from litestar.response.base import ASGIResponse

from adapters.http.answers import JsonAnswer
from adapters.http.commanding import command_context
from adapters.http.conditional import etag, expected_version
from adapters.http.limits import SOURCE_BODY_BYTES_MAX
from adapters.http.request import ApiRequest, PathId
from adapters.http.reviews import TAGS, reach_review, refuse_too_large
from adapters.reviewing.insertion import Inserted
from hivesync_core.comments import unified_diff
from hivesync_core.kernel.event import Recorded
from hivesync_core.kernel.refusal import Conflict
from hivesync_core.reviews.commands import RecordApplied
from hivesync_core.reviews.decider import review
from hivesync_core.reviews.events import Insertion, ReviewApplied
from hivesync_core.reviews.refusals import NothingApproved, ReviewNotOpen, ReviewsReadOnly
from hivesync_core.reviews.state import Review, ReviewStatus
from shared.api.reviews import AppliedFile, ApplyRequest, Certificate, CertifiedComment

DIFF_MEDIA_TYPE = "text/x-diff; charset=utf-8"


class EveryCommentDrifted(Conflict):
    """The file has changed so much that no approved comment has a certain place in it; the facts name them."""

    code = "review.drifted"
    title = "No approved comment has a certain place in this file"


@get(
    "/reviews/{review_id:uuid}/diff",
    tags=TAGS,
    opt={"access": "read", "statuses": (409,)},
    summary="The diff of what is approved",
    media_type=DIFF_MEDIA_TYPE,
)
async def diff(request: ApiRequest, review_id: PathId) -> ASGIResponse:
    """The exact unified diff of the submitted file and the same with what is approved so far; empty where nothing is."""
    stored = (await reach_review(request.services, request, review_id)).review
    if stored.status not in (ReviewStatus.READY, ReviewStatus.CLOSED):
        raise ReviewNotOpen(f"The review is {stored.status}: there is no diff of it.", status=stored.status)
    inserted = await request.services.inserter.approved(stored)
    body = unified_diff(stored.path, inserted.before, inserted.after)
    return ASGIResponse(body=body, media_type=DIFF_MEDIA_TYPE, headers={"cache-control": "no-store"})


@post(
    "/reviews/{review_id:uuid}/apply",
    status_code=200,
    tags=TAGS,
    opt={"access": "write", "answer": AppliedFile, "is_command": True},
    request_max_body_size=SOURCE_BODY_BYTES_MAX,
    summary="The file with the approved comments",
)
async def apply(request: ApiRequest, review_id: PathId, data: JSONBody[ApplyRequest]) -> JsonAnswer:
    """For whoever holds the file. Where it has changed since it was submitted, each comment goes where its line went;
    one whose place is not certain is left out and named."""
    services, expected = request.services, expected_version(request.scope)
    context = await command_context(request)
    stored, role = await reach_review(services, request, review_id)
    if role is None or not role.writes:
        raise ReviewsReadOnly
    if stored.status is not ReviewStatus.READY:
        raise ReviewNotOpen(f"The review is {stored.status}: nothing can be applied.", status=stored.status)
    if not stored.approved:
        raise NothingApproved("Approve a comment first.")
    current = None if data.source is None else data.source.encode()
    if current is None or sha256(current).hexdigest() == stored.source_sha256:
        inserted = await services.inserter.approved(stored)
    else:
        await refuse_too_large(services, current)
        inserted = await services.inserter.into(stored, current)
    if inserted.proof is None:
        raise EveryCommentDrifted("Submit the file as it is now.", drifted=list(inserted.drifted))
    command = RecordApplied(
        by=request.user.account_id,
        role=role,
        base_sha256=inserted.proof.file_sha256_before,
        after_sha256=inserted.proof.file_sha256_after,
        tokens_sha256=_same_tokens(inserted),
        grammar=inserted.proof.grammar,
        insertions=_insertions(inserted),
        drifted=inserted.drifted,
    )
    outcome = await services.log.execute(review, review_id, command, context, expected_version=expected)
    answer = AppliedFile(
        source=inserted.after.decode(),
        base_sha256=command.base_sha256,
        after_sha256=command.after_sha256,
        applied=list(inserted.indexes),
        drifted=list(inserted.drifted),
        version=outcome.version,
        position=outcome.position or services.follower.head,
    )
    return JsonAnswer(answer, (b"etag", etag(outcome.version).encode()))


@get(
    "/reviews/{review_id:uuid}/certificate",
    tags=TAGS,
    opt={"access": "read", "answer": Certificate, "statuses": (409,)},
    summary="The certificate of a review",
)
async def certificate(request: ApiRequest, review_id: PathId) -> JsonAnswer:
    """The proof of what was applied last, from the log, for ever; before that, of what is approved so far."""
    await reach_review(request.services, request, review_id)
    stream = await request.services.streams.read_stream(review_id)
    applied = next((one for one in reversed(stream) if isinstance(one.event, ReviewApplied)), None)
    if applied is not None:
        stream = [one for one in stream if one.version <= applied.version]
        stored: Review = review.fold(one.event for one in stream)
        return JsonAnswer(_certificate(review_id, stored, stream, applied, applied.event))
    stored = review.fold(one.event for one in stream)
    inserted = await request.services.inserter.approved(stored)
    if inserted.proof is None:
        raise NothingApproved("A certificate is about approved comments, and none is.")
    so_far = ReviewApplied(
        base_sha256=inserted.proof.file_sha256_before,
        after_sha256=inserted.proof.file_sha256_after,
        tokens_sha256=_same_tokens(inserted),
        grammar=inserted.proof.grammar,
        insertions=_insertions(inserted),
        drifted=(),
        applied_by=request.user.account_id,
    )
    return JsonAnswer(_certificate(review_id, stored, stream, None, so_far))


def _same_tokens(inserted: Inserted) -> str:
    proof = inserted.proof
    assert proof is not None, "something was inserted"
    assert proof.tokens_sha256_before == proof.tokens_sha256_after, "the proof holds or nothing is inserted"
    return proof.tokens_sha256_after


def _insertions(inserted: Inserted) -> tuple[Insertion, ...]:
    assert inserted.proof is not None, "something was inserted"
    return tuple(
        Insertion(index=inserted.indexes[one.index], offset=one.offset, size_bytes=len(one.text), line=one.line)
        for one in inserted.proof.insertions
    )


def _certificate(
    review_id: UUID, stored: Review, stream: Sequence[Recorded], applied: Recorded | None, event: ReviewApplied
) -> Certificate:
    assert stored.project_id is not None and stored.requested_by is not None, "the review exists"
    return Certificate(
        review_id=review_id,
        project_id=stored.project_id,
        path=stored.path,
        language=stored.language,
        grammar=event.grammar,
        base_sha256=event.base_sha256,
        after_sha256=event.after_sha256,
        tokens_sha256_before=event.tokens_sha256,
        tokens_sha256_after=event.tokens_sha256,
        comments=[_certified(stored, stream, insertion) for insertion in event.insertions],
        prompt_version=stored.prompt_version,
        prompt_sha256=stored.prompt_sha256,
        model=stored.model,
        requested_by=stored.requested_by,
        applied_by=None if applied is None else event.applied_by,
        applied_at=None if applied is None else applied.meta.recorded_at,
    )


def _certified(stored: Review, stream: Sequence[Recorded], insertion: Insertion) -> CertifiedComment:
    comment = stored.comments[insertion.index]
    decided = [one for one in stream if insertion.index in _decided_on(one.event)]
    return CertifiedComment(
        index=insertion.index,
        type=comment.type,  # type: ignore[arg-type]
        content_sha256=comment.content_sha256,
        decision=str(comment.decision),  # type: ignore[arg-type]
        approved_by=comment.decided_by,
        approved_at=decided[-1].meta.recorded_at if decided else None,
        offset=insertion.offset,
        size_bytes=insertion.size_bytes,
        line=insertion.line,
    )


def _decided_on(event: Any) -> tuple[int, ...]:
    indexes: tuple[int, ...] | None = getattr(event, "indexes", None)
    if indexes is not None:
        return indexes
    return (event.index,) if hasattr(event, "edited_by") else ()


HANDLERS = (diff, apply, certificate)
