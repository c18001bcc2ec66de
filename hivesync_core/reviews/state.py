"""A review as its rules need it, folded from its events."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.reviews.events import (
    CommentEdited,
    CommentsApproved,
    CommentsDiscarded,
    CommentsRetracted,
    GenerationStarted,
    ReviewApplied,
    ReviewCancelled,
    ReviewClosed,
    ReviewFailed,
    ReviewReady,
    ReviewRefused,
    ReviewRequested,
    Style,
)


class ReviewStatus(StrEnum):
    """How far a review is (AI-1)."""

    REQUESTED = "requested"
    GENERATING = "generating"
    READY = "ready"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class Decision(StrEnum):
    """What was decided on a comment; an edited one is approved in other words."""

    SUGGESTED = "suggested"
    APPROVED = "approved"
    EDITED = "edited"
    DISCARDED = "discarded"
    RETRACTED = "retracted"


class Comment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A comment and what was decided on it; ``content_sha256`` is of the words that stand now."""

    type: str
    line: int
    content_sha256: str
    suggested_sha256: str
    decision: Decision = Decision.SUGGESTED
    decided_by: AccountId | None = None

    @property
    def is_approved(self) -> bool:
        """Whether it is to be inserted."""
        return self.decision in (Decision.APPROVED, Decision.EDITED)


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A review; ``status`` is none before it was asked for. ``comments`` is never changed in place."""

    status: ReviewStatus | None = None
    project_id: ProjectId | None = None
    requested_by: AccountId | None = None
    path: str = ""
    language: str = ""
    source_sha256: str = ""
    style: Style = Style()
    attempt: int = 0
    prompt_version: int = 0
    prompt_sha256: str = ""
    model: str = ""
    answer_sha256: str = ""
    comments: dict[int, Comment] = {}
    applied: ReviewApplied | None = None

    @property
    def is_running(self) -> bool:
        """Whether a model is still to be asked, or to answer."""
        return self.status in (ReviewStatus.REQUESTED, ReviewStatus.GENERATING)

    @property
    def approved(self) -> tuple[int, ...]:
        """The indexes of the comments that are to be inserted, in order."""
        return tuple(sorted(index for index, comment in self.comments.items() if comment.is_approved))


def evolve(state: Review, event: Event) -> Review:
    """The review after ``event``."""
    match event:
        case ReviewRequested():
            return Review(
                status=ReviewStatus.REQUESTED,
                project_id=event.project_id,
                requested_by=event.requested_by,
                path=event.path,
                language=event.language,
                source_sha256=event.source_sha256,
                style=event.style,
            )
        case GenerationStarted():
            return replace(
                state,
                status=ReviewStatus.GENERATING,
                attempt=event.attempt,
                prompt_version=event.prompt_version,
                prompt_sha256=event.prompt_sha256,
                model=event.model,
            )
        case ReviewReady():
            return replace(
                state, status=ReviewStatus.READY, answer_sha256=event.answer_sha256, comments=_comments(event)
            )
        case ReviewRefused():
            return replace(state, status=ReviewStatus.REFUSED, answer_sha256=event.answer_sha256)
        case ReviewFailed():
            return replace(state, status=ReviewStatus.FAILED)
        case ReviewCancelled():
            return replace(state, status=ReviewStatus.CANCELLED)
        case ReviewApplied():
            return replace(state, applied=event)
        case ReviewClosed():
            return replace(state, status=ReviewStatus.CLOSED)
        case _:
            return replace(state, comments={**state.comments, **_decided(state, event)})


def _comments(event: ReviewReady) -> dict[int, Comment]:
    return {
        suggestion.index: Comment(
            type=suggestion.type,
            line=suggestion.line,
            content_sha256=suggestion.content_sha256,
            suggested_sha256=suggestion.content_sha256,
        )
        for suggestion in event.suggestions
    }


def _decided(state: Review, event: Event) -> dict[int, Comment]:
    """The comments that were decided on, as they are after ``event``; approving takes the words that stand."""
    comments = state.comments
    match event:
        case CommentsApproved(indexes=indexes, approved_by=by):
            return {n: replace(comments[n], decision=Decision.APPROVED, decided_by=by) for n in indexes}
        case CommentEdited(index=index, edited_by=by):
            sha256 = event.content_sha256
            return {index: replace(comments[index], decision=Decision.EDITED, decided_by=by, content_sha256=sha256)}
        case CommentsDiscarded(indexes=indexes, discarded_by=by):
            return {n: replace(comments[n], decision=Decision.DISCARDED, decided_by=by) for n in indexes}
        case CommentsRetracted(indexes=indexes, retracted_by=by):
            return {n: replace(comments[n], decision=Decision.RETRACTED, decided_by=by) for n in indexes}
        case _:
            raise AssertionError(f"not an event of a review: {event!r}")
