"""Reviews over HTTP: a file submitted, its comments decided on, the file with them and the certificate (AI-1 to 5)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta

from shared.api.base import NO_NUL, ONE_LINE, Answer, Request

PATH_MAX: Final = 1_000
SOURCE_CHARS_MAX: Final = 2_000_000
CONTENT_MAX: Final = 2_000
INDEXES_MAX: Final = 500
REASON_MAX: Final = 1_000

StatusName = Literal["requested", "generating", "ready", "refused", "failed", "cancelled", "closed"]
DecisionName = Literal["suggested", "approved", "edited", "discarded", "retracted"]
DetailName = Literal["brief", "normal", "thorough"]
Sha256 = Annotated[str, Meta(description="SHA-256 in hex.")]
Source = Annotated[
    str,
    Meta(
        max_length=SOURCE_CHARS_MAX,
        pattern=NO_NUL,
        description="The file's text; its UTF-8 is the file, byte for byte.",
    ),
]
Index = Annotated[int, Meta(ge=0, le=1_000_000)]
LanguageName = Annotated[str, Meta(min_length=1, max_length=40, pattern=NO_NUL)]
Indexes = Annotated[tuple[Index, ...], Meta(min_length=1, max_length=INDEXES_MAX)]


class ReviewStyle(Request, frozen=True, kw_only=True):
    """How the comments are to be written."""

    detail: DetailName = "normal"
    header: Annotated[bool, Meta(description="Whether a header comment may be written.")] = True
    tongue: Annotated[
        str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$", description="The comments' language (BCP 47).")
    ] = "en"
    comments_max: Annotated[int, Meta(ge=1, le=500)] = 50
    docstrings: Annotated[
        bool,
        Meta(description="Refused where it is true: a docstring is code (`__doc__`), and comments never change code."),
    ] = False


class SubmitRequest(Request, frozen=True, kw_only=True):
    """A file to be documented."""

    path: Annotated[str, Meta(min_length=1, max_length=PATH_MAX, pattern=ONE_LINE)]
    source: Source
    language: Annotated[
        LanguageName | None, Meta(description="Left out: by the file's name. One that is not known is refused.")
    ] = None
    style: ReviewStyle = ReviewStyle()


class IndexesRequest(Request, frozen=True, kw_only=True):
    """Which comments; all of them where none are named."""

    indexes: Indexes | None = None


class EditRequest(Request, frozen=True, kw_only=True):
    """Other words for a comment."""

    content: Annotated[str, Meta(min_length=1, max_length=CONTENT_MAX, pattern=NO_NUL)]


class RetractRequest(Request, frozen=True, kw_only=True):
    """Which comments are called back, and why."""

    reason: Annotated[str, Meta(min_length=1, max_length=REASON_MAX, pattern=ONE_LINE)]
    indexes: Indexes | None = None


class ApplyRequest(Request, frozen=True, kw_only=True):
    """The file as it is now; left out, it is as it was submitted."""

    source: Source | None = None


class Target(Answer, frozen=True, kw_only=True):
    """Where a comment stands: above this line of the submitted file, counted from 1."""

    line: int


class ShownSuggestion(Answer, frozen=True, kw_only=True):
    """A comment that may be decided on. Its words are none when they are no longer kept."""

    index: int
    type: Literal["inline", "header"]
    target: Target
    content_sha256: Sha256
    decision: DecisionName
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    content: str | None = None


class ShownRefusal(Answer, frozen=True, kw_only=True):
    """A comment that was refused; what it said is kept nowhere."""

    index: int
    code: str
    type: str | None = None
    line: int | None = None
    reason: str | None = None


class ShownUsage(Answer, frozen=True, kw_only=True):
    """What the answer took; the cost is millionths of a US dollar."""

    tries: int
    input_tokens: int
    output_tokens: int
    cost_micros: int | None
    duration_ms: int


class ShownReviewProgress(Answer, frozen=True, kw_only=True):
    """How far the model's answer is."""

    stage: Literal["asking", "answering", "waiting", "checking"]
    tries: int
    answer_chars: int


class ShownReview(Answer, frozen=True, kw_only=True):
    """A review. Its diff, its certificate and the file are below its own address."""

    review_id: UUID
    project_id: UUID
    path: str
    language: str
    source_sha256: Sha256
    size_bytes: int
    lines: int
    style: ReviewStyle
    status: StatusName
    requested_by: UUID
    requested_at: datetime
    attempt: int
    prompt_version: int | None
    model: str | None
    comments: list[ShownSuggestion]
    refused: list[ShownRefusal]
    usage: ShownUsage | None
    code: Annotated[str | None, Meta(description="Why it was refused or failed; stable.")] = None
    message: str | None = None
    applied_at: datetime | None = None
    after_sha256: Sha256 | None = None
    ended_at: datetime | None = None
    version: int
    position: Annotated[int | None, Meta(description="Of the command that is answered.")] = None
    progress: ShownReviewProgress | None = None


class ReviewPage(Answer, frozen=True, kw_only=True):
    """A page of reviews, the newest first, without the words of their comments."""

    items: list[ShownReview]
    next_cursor: str | None
    position: int


class AppliedFile(Answer, frozen=True, kw_only=True):
    """The file with the approved comments."""

    source: str
    base_sha256: Sha256
    after_sha256: Sha256
    applied: list[int]
    drifted: Annotated[list[int], Meta(description="Approved comments that have no certain place in this file.")]
    version: int
    position: int


class CertifiedComment(Answer, frozen=True, kw_only=True):
    """An inserted comment: who approved it, what its words hash to, where it stands in the file after."""

    index: int
    type: Literal["inline", "header"]
    content_sha256: Sha256
    decision: DecisionName
    approved_by: UUID | None
    approved_at: datetime | None
    offset: Annotated[int, Meta(description="Where it goes into the file before, in bytes.")]
    size_bytes: int
    line: Annotated[int, Meta(description="The line of the file before that it stands above.")]


class Certificate(Answer, frozen=True, kw_only=True):
    """The proof that comments were inserted and nothing else: the hashes of the code's tokens are equal."""

    review_id: UUID
    project_id: UUID
    path: str
    language: str
    grammar: str
    base_sha256: Annotated[str, Meta(description="SHA-256 of the file before.")]
    after_sha256: Annotated[str, Meta(description="SHA-256 of the file after.")]
    tokens_sha256_before: Sha256
    tokens_sha256_after: Sha256
    comments: list[CertifiedComment]
    prompt_version: int
    prompt_sha256: Sha256
    model: str
    requested_by: UUID
    applied_by: Annotated[UUID | None, Meta(description="None where it was not applied yet.")]
    applied_at: datetime | None
