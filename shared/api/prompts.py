"""Prompt versions, labels, playground, scores and recall over HTTP (AI-6)."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta

from shared.api.base import NO_NUL, NOT_BLANK, ONE_LINE, Answer, Request
from shared.api.reviews import PATH_MAX, LanguageName, ReviewStyle, ShownRefusal, ShownUsage, Source, Target

TEMPLATE_MAX: Final = 20_000
NOTE_MAX: Final = 1_000
TRIED_AT_ONCE_MAX: Final = 4
SCORED_REVIEWS_MAX: Final = 10

VersionNumber = Annotated[int, Meta(ge=1, le=1_000_000)]
TemplateText = Annotated[str, Meta(min_length=1, max_length=TEMPLATE_MAX, pattern=NOT_BLANK)]


class PromptRequest(Request, frozen=True, kw_only=True):
    """A template to be kept as the next version; it never changes after."""

    template: TemplateText
    note: Annotated[str, Meta(max_length=NOTE_MAX, pattern=NO_NUL)] = ""


class LabelRequest(Request, frozen=True, kw_only=True):
    """The version that a label is to point at."""

    version: VersionNumber


class ShownPromptVersion(Answer, frozen=True, kw_only=True):
    """A version; its text is asked for by itself."""

    version: int
    sha256: str
    note: str
    labels: list[str]


class PromptList(Answer, frozen=True, kw_only=True):
    """Every version, the newest first, and what each label points at."""

    versions: list[ShownPromptVersion]
    labels: dict[str, int]


class ShownPrompt(Answer, frozen=True, kw_only=True):
    """A version with its text."""

    version: int
    sha256: str
    note: str
    labels: list[str]
    template: str


class PlaygroundRequest(Request, frozen=True, kw_only=True):
    """Templates to be tried on a file, side by side: versions by number, and one that is not kept."""

    path: Annotated[str, Meta(min_length=1, max_length=PATH_MAX, pattern=ONE_LINE)]
    source: Source
    language: LanguageName | None = None
    style: ReviewStyle = ReviewStyle()
    versions: Annotated[tuple[VersionNumber, ...], Meta(max_length=TRIED_AT_ONCE_MAX)] = ()
    template: TemplateText | None = None


class TriedComment(Answer, frozen=True, kw_only=True):
    """A comment that passed every check."""

    index: int
    type: str
    target: Target
    content: str


class Trial(Answer, frozen=True, kw_only=True):
    """What one template led to; ``code`` and ``message`` say why where it led to nothing."""

    version: int | None
    comments: list[TriedComment]
    refused: list[ShownRefusal]
    usage: ShownUsage | None
    diff: str
    code: str | None = None
    message: str | None = None


class PlaygroundAnswer(Answer, frozen=True, kw_only=True):
    """The trials, in the order that was asked for. Nothing of them is stored but counts."""

    trials: list[Trial]


class ShownScore(Answer, frozen=True, kw_only=True):
    """What people decided on the comments of one version. ``approval`` is the share of approved among decided ones."""

    version: int
    reviews: int
    undecided: int
    approved: int
    edited: int
    discarded: int
    retracted: int
    refused: int
    approval: float | None


class ScoreList(Answer, frozen=True, kw_only=True):
    """The scores of every version that something came from."""

    items: list[ShownScore]


class ScoreRequest(Request, frozen=True, kw_only=True):
    """How many reviews that people have decided on a version is to be held against; the newest whose sources are kept."""

    reviews: Annotated[int, Meta(ge=1, le=SCORED_REVIEWS_MAX)] = 5


class DraftScore(Answer, frozen=True, kw_only=True):
    """A version asked anew about files whose comments people have decided on. A comment meets one of the same kind near its line.

    ``kept`` are approved comments that the version suggests too, ``missed`` those that it does not; ``avoided`` are
    discarded ones that it does not suggest any more, ``repeated`` those that it does; ``new`` meets nothing.
    """

    version: int
    reviews: int
    unanswered: int
    approved: int
    kept: int
    missed: int
    discarded: int
    avoided: int
    repeated: int
    new: int
    refused: int
    input_tokens: int
    output_tokens: int
    cost_micros: int | None


class RecalledComment(Answer, frozen=True, kw_only=True):
    """A comment that came from the version: where it is and what was decided."""

    review_id: UUID
    project_id: UUID
    path: str
    index: int
    type: str
    line: int
    content_sha256: str
    decision: str
    applied: bool


class RecallPage(Answer, frozen=True, kw_only=True):
    """Comments of one version, those of a review together, of the newest reviews first."""

    items: list[RecalledComment]
    next_cursor: str | None


class RecallRequest(Request, frozen=True, kw_only=True):
    """Why every comment of the version is called back."""

    reason: Annotated[str, Meta(min_length=1, max_length=1_000, pattern=ONE_LINE)]


class Recalled(Answer, frozen=True, kw_only=True):
    """What was called back. ``remaining`` says that there is more: ask again."""

    reviews: int
    comments: int
    remaining: bool
