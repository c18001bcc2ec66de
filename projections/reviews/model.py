"""What is kept of each review: the request, how it went, its comments without their words, and the decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from hivesync_core.kernel.event import Recorded
from hivesync_core.reviews.events import (
    EVENTS,
    CommentEdited,
    CommentsApproved,
    CommentsDiscarded,
    CommentsRetracted,
    GenerationStarted,
    RefusedSuggestion,
    ReviewApplied,
    ReviewCancelled,
    ReviewClosed,
    ReviewFailed,
    ReviewReady,
    ReviewRefused,
    ReviewRequested,
    Style,
    Suggestion,
    Usage,
)
from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import Rows


class TargetRow(msgspec.Struct, frozen=True):
    """Where a comment stands: above this line."""

    line: int


class CommentRow(msgspec.Struct, kw_only=True):
    """A comment and what was decided on it last, by whom and when."""

    index: int
    type: str
    target: TargetRow
    content_sha256: str
    decision: str = "suggested"
    decided_by: UUID | None = None
    decided_at: datetime | None = None


class ReviewRow(msgspec.Struct, kw_only=True):
    """A review. ``comments`` are those that can be decided on; ``refused`` are those that no check let through."""

    review_id: UUID
    project_id: UUID
    path: str
    language: str
    source_sha256: str
    size_bytes: int
    lines: int
    style: Style
    status: str
    requested_by: UUID
    requested_at: datetime
    requested_at_position: int
    attempt: int = 0
    prompt_version: int | None = None
    model: str | None = None
    comments: list[CommentRow] = []
    refused: list[RefusedSuggestion] = []
    usage: Usage | None = None
    code: str | None = None
    message: str | None = None
    applied_at: datetime | None = None
    after_sha256: str | None = None
    ended_at: datetime | None = None
    version: int = 1


REVIEWS = Table(
    "review",
    ReviewRow,
    key="review_id",
    exposed=("project_id", "status", "requested_by", "requested_at_position", "prompt_version"),
    indexes=("(project_id, requested_at_position)", "(status, requested_at_position)", "(prompt_version)"),
)


class Reviews(ReadModel):
    """Every review."""

    name = "reviews"
    version = 2
    tables = (REVIEWS,)
    events = EVENTS

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Apply one event of a review."""
        reviews, at, event = rows.of(REVIEWS), recorded.meta.recorded_at, recorded.event
        if isinstance(event, ReviewRequested):
            reviews.insert(_requested(event, at, recorded.position))
            return
        row = reviews.change(recorded.stream_id)
        row.version = recorded.version
        for name, value in _changes(row, event, at).items():
            setattr(row, name, value)


def _requested(event: ReviewRequested, at: datetime, position: int) -> ReviewRow:
    return ReviewRow(
        review_id=event.review_id,
        project_id=event.project_id,
        path=event.path,
        language=event.language,
        source_sha256=event.source_sha256,
        size_bytes=event.size_bytes,
        lines=event.lines,
        style=event.style,
        status="requested",
        requested_by=event.requested_by,
        requested_at=at,
        requested_at_position=position,
    )


def _comment(one: Suggestion) -> CommentRow:
    return CommentRow(index=one.index, type=one.type, target=TargetRow(one.line), content_sha256=one.content_sha256)


def _changes(row: ReviewRow, event: Any, at: datetime) -> dict[str, Any]:
    match event:
        case GenerationStarted():
            started = {"attempt": event.attempt, "prompt_version": event.prompt_version, "model": event.model}
            return {"status": "generating", **started}
        case ReviewReady():
            return {
                "status": "ready",
                "comments": [_comment(one) for one in event.suggestions],
                "refused": list(event.refused),
                "usage": event.usage,
            }
        case ReviewRefused():
            told = {"code": event.code, "message": event.message, "usage": event.usage, "ended_at": at}
            return {"status": "refused", "refused": list(event.refused), **told}
        case ReviewFailed():
            told = {"code": event.code, "message": event.message, "usage": event.usage, "ended_at": at}
            return {"status": "failed", **told}
        case ReviewCancelled():
            return {"status": "cancelled", "ended_at": at}
        case ReviewApplied():
            return {"applied_at": at, "after_sha256": event.after_sha256}
        case ReviewClosed():
            return {"status": "closed", "ended_at": at}
        case _:
            return {"comments": _decided(row.comments, event, at)}


def _decided(comments: list[CommentRow], event: Any, at: datetime) -> list[CommentRow]:
    """The comments after a decision, in a new list: the old one belongs to the version that is replaced."""
    changes: dict[str, Any] = {"decided_at": at}
    match event:
        case CommentsApproved(indexes=indexes, approved_by=by):
            changes |= {"decision": "approved", "decided_by": by}
        case CommentEdited(index=index, edited_by=by):
            indexes = (index,)
            changes |= {"decision": "edited", "decided_by": by, "content_sha256": event.content_sha256}
        case CommentsDiscarded(indexes=indexes, discarded_by=by):
            changes |= {"decision": "discarded", "decided_by": by}
        case CommentsRetracted(indexes=indexes, retracted_by=by):
            changes |= {"decision": "retracted", "decided_by": by}
        case _:
            raise AssertionError(f"not an event of a review: {event!r}")
    wanted = set(indexes)
    return [msgspec.structs.replace(one, **changes) if one.index in wanted else one for one in comments]
