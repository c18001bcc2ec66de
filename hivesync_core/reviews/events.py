"""What can happen to a review. No event holds code or what a model wrote: hashes, lengths, lines and counts (R6)."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId


class Detail(StrEnum):
    """How much is to be said."""

    BRIEF = "brief"
    NORMAL = "normal"
    THOROUGH = "thorough"


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How the comments are to be written. ``tongue`` is the language that people read (BCP 47)."""

    detail: Detail = Detail.NORMAL
    header: bool = True
    tongue: str = "en"
    comments_max: int = 50


class Suggestion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A comment that passed every check. Its words are in the review's answer, under the same index."""

    index: int
    type: str
    line: int
    content_sha256: str
    chars: int


class RefusedSuggestion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A comment that a check refused; what it said is kept nowhere. Type and line are none where it had none."""

    index: int
    code: str
    type: str | None = None
    line: int | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a generation took. ``cost_micros`` is millionths of a US dollar, none where no price is set."""

    tries: int
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int | None = None
    duration_ms: int = 0


class Insertion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where an applied comment went: before which byte and above which line of the file before, and its own bytes."""

    index: int
    offset: int
    size_bytes: int
    line: int


class ReviewRequested(Event, frozen=True, kw_only=True, tag="review.requested.v1"):
    """Somebody wants a file documented. The source is in the blob store under its hash, for as long as it is kept."""

    review_id: UUID
    project_id: ProjectId
    path: str
    language: str
    source_sha256: str
    size_bytes: int
    lines: int
    style: Style
    requested_by: AccountId


class GenerationStarted(Event, frozen=True, kw_only=True, tag="review.generation_started.v1"):
    """A worker asks the model. ``attempt`` counts from 1; another one follows where a worker died."""

    attempt: int
    prompt_version: int
    prompt_sha256: str
    provider: str
    model: str


class ReviewReady(Event, frozen=True, kw_only=True, tag="review.ready.v1"):
    """Comments are there to be decided on. The words are in the blob ``answer_sha256``."""

    attempt: int
    answer_sha256: str
    suggestions: tuple[Suggestion, ...]
    refused: tuple[RefusedSuggestion, ...]
    usage: Usage


class ReviewRefused(Event, frozen=True, kw_only=True, tag="review.refused.v1"):
    """The file, the model or every comment was refused; ``code`` and ``message`` say why, without quoting any.

    Where it was every comment, the reasons are in the blob ``answer_sha256``.
    """

    attempt: int
    code: str
    message: str
    refused: tuple[RefusedSuggestion, ...]
    usage: Usage
    answer_sha256: str = ""


class ReviewFailed(Event, frozen=True, kw_only=True, tag="review.failed.v1"):
    """No answer could be had; ``code`` and ``message`` say why."""

    attempt: int
    code: str
    message: str
    usage: Usage


class ReviewCancelled(Event, frozen=True, kw_only=True, tag="review.cancelled.v1"):
    """Somebody does not want it any more."""

    cancelled_by: AccountId


class CommentsApproved(Event, frozen=True, kw_only=True, tag="review.comments_approved.v1"):
    """These comments, as they stand, may be inserted."""

    indexes: tuple[int, ...]
    approved_by: AccountId


class CommentEdited(Event, frozen=True, kw_only=True, tag="review.comment_edited.v1"):
    """Other words for a comment, checked like the first ones; who wrote them approves them."""

    index: int
    content_sha256: str
    chars: int
    edited_by: AccountId


class CommentsDiscarded(Event, frozen=True, kw_only=True, tag="review.comments_discarded.v1"):
    """These comments are not to be inserted."""

    indexes: tuple[int, ...]
    discarded_by: AccountId


class CommentsRetracted(Event, frozen=True, kw_only=True, tag="review.comments_retracted.v1"):
    """These comments are called back, whatever had been decided; ``reason`` is for people."""

    indexes: tuple[int, ...]
    reason: str
    retracted_by: AccountId


class ReviewApplied(Event, frozen=True, kw_only=True, tag="review.applied.v1"):
    """The file with the approved comments was handed out, with the proof that its code is the same.

    ``base_sha256`` is of the file that they were inserted into, which may have changed since it was submitted;
    ``drifted`` are approved comments that have no certain place in it and were left out.
    """

    base_sha256: str
    after_sha256: str
    tokens_sha256: str
    grammar: str
    insertions: tuple[Insertion, ...]
    drifted: tuple[int, ...]
    applied_by: AccountId


class ReviewClosed(Event, frozen=True, kw_only=True, tag="review.closed.v1"):
    """Nothing more is decided here."""

    closed_by: AccountId


ReviewEvent = (
    ReviewRequested
    | GenerationStarted
    | ReviewReady
    | ReviewRefused
    | ReviewFailed
    | ReviewCancelled
    | CommentsApproved
    | CommentEdited
    | CommentsDiscarded
    | CommentsRetracted
    | ReviewApplied
    | ReviewClosed
)

EVENTS: tuple[type[Event], ...] = (
    ReviewRequested,
    GenerationStarted,
    ReviewReady,
    ReviewRefused,
    ReviewFailed,
    ReviewCancelled,
    CommentsApproved,
    CommentEdited,
    CommentsDiscarded,
    CommentsRetracted,
    ReviewApplied,
    ReviewClosed,
)
"""Every event of this feature, for the catalogue."""
