"""What can be asked of a review."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from hivesync_core.reviews.events import Insertion, RefusedSuggestion, Style, Suggestion, Usage

PATH_MAX: Final = 1_000
"""Characters of a file's path."""
COMMENTS_MAX: Final = 500
"""Comments of one review, refused ones too."""
ATTEMPTS_MAX: Final = 3
"""Generations of one review: another one begins where the worker of the one before died."""
MESSAGE_MAX: Final = 1_000
REASON_MAX: Final = 1_000


class _MembersCommand(msgspec.Struct, frozen=True, kw_only=True):
    """``by`` whom, and what ``role`` they have in the review's project; none for strangers."""

    by: AccountId
    role: Role | None


class RequestReview(_MembersCommand, frozen=True, kw_only=True):
    """Have a file documented; the fields as in ``ReviewRequested``."""

    review_id: UUID
    project_id: ProjectId
    path: str
    language: str
    source_sha256: str
    size_bytes: int
    lines: int
    style: Style = Style()


class StartGeneration(msgspec.Struct, frozen=True, kw_only=True):
    """Begin to ask the model, or begin again after a worker died. The system's own command."""

    prompt_version: int
    prompt_sha256: str
    provider: str
    model: str


class FinishGeneration(msgspec.Struct, frozen=True, kw_only=True):
    """Say what the model suggested and the checks left of it. The system's own command.

    Nothing follows where another attempt has begun since, or the review has ended.
    """

    attempt: int
    answer_sha256: str
    suggestions: tuple[Suggestion, ...]
    refused: tuple[RefusedSuggestion, ...]
    usage: Usage


class RefuseReview(msgspec.Struct, frozen=True, kw_only=True):
    """Say that the file or the model's answer is refused. The system's own command; as ``FinishGeneration``."""

    attempt: int
    code: str
    message: str
    usage: Usage


class FailReview(msgspec.Struct, frozen=True, kw_only=True):
    """Say that no answer could be had. The system's own command; as ``FinishGeneration``."""

    attempt: int
    code: str
    message: str
    usage: Usage


class CancelReview(_MembersCommand, frozen=True, kw_only=True):
    """Stop; who asked for it, or an owner."""


class ApproveComments(_MembersCommand, frozen=True, kw_only=True):
    """Approve these comments, all that are undecided where ``indexes`` is none."""

    indexes: tuple[int, ...] | None = None


class EditComment(_MembersCommand, frozen=True, kw_only=True):
    """Approve a comment in other words, which the door has had checked."""

    index: int
    content_sha256: str
    chars: int


class DiscardComments(_MembersCommand, frozen=True, kw_only=True):
    """Discard these comments, all of them where ``indexes`` is none."""

    indexes: tuple[int, ...] | None = None


class RetractComments(_MembersCommand, frozen=True, kw_only=True):
    """Call comments back, all of them where ``indexes`` is none; an owner, or an admin of the server."""

    reason: str
    indexes: tuple[int, ...] | None = None
    is_admin: bool = False


class RecordApplied(_MembersCommand, frozen=True, kw_only=True):
    """Say that the file was handed out; the fields as in ``ReviewApplied``."""

    base_sha256: str
    after_sha256: str
    tokens_sha256: str
    grammar: str
    insertions: tuple[Insertion, ...]
    drifted: tuple[int, ...] = ()


class CloseReview(_MembersCommand, frozen=True, kw_only=True):
    """Decide nothing more."""


ReviewCommand = (
    RequestReview
    | StartGeneration
    | FinishGeneration
    | RefuseReview
    | FailReview
    | CancelReview
    | ApproveComments
    | EditComment
    | DiscardComments
    | RetractComments
    | RecordApplied
    | CloseReview
)
