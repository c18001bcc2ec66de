"""The rules of reviews: how one comes about, who decides on its comments, and that it ends exactly once (AI-1, AI-4)."""

from __future__ import annotations

from typing import assert_never

from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.roles import Role
from hivesync_core.kernel.text import fit_one_line, one_line
from hivesync_core.reviews.commands import (
    ATTEMPTS_MAX,
    COMMENTS_MAX,
    MESSAGE_MAX,
    PATH_MAX,
    REASON_MAX,
    ApproveComments,
    CancelReview,
    CloseReview,
    DiscardComments,
    EditComment,
    FailReview,
    FinishGeneration,
    RecordApplied,
    RefuseReview,
    RequestReview,
    RetractComments,
    ReviewCommand,
    StartGeneration,
)
from hivesync_core.reviews.events import (
    CommentEdited,
    CommentsApproved,
    CommentsDiscarded,
    CommentsRetracted,
    GenerationStarted,
    ReviewApplied,
    ReviewCancelled,
    ReviewClosed,
    ReviewEvent,
    ReviewFailed,
    ReviewReady,
    ReviewRefused,
    ReviewRequested,
    Usage,
)
from hivesync_core.reviews.refusals import (
    CommentIsRetracted,
    CommentNotFound,
    NotARecaller,
    NothingApproved,
    NotYourReview,
    ReviewExists,
    ReviewNotFound,
    ReviewNotOpen,
    ReviewNotRunning,
    ReviewsReadOnly,
    StyleRefused,
)
from hivesync_core.reviews.state import Decision, Review, ReviewStatus, evolve


def decide(state: Review, command: ReviewCommand) -> tuple[ReviewEvent, ...]:
    """The events that follow from ``command``, or a refusal."""
    if isinstance(command, RequestReview):
        return _request(state, command)
    if state.status is None:
        raise ReviewNotFound
    match command:
        case StartGeneration():
            return _start(state, command)
        case FinishGeneration() | RefuseReview() | FailReview():
            return _end(state, command)
        case RetractComments():
            return _retract(state, command)
        case _:
            return _decide_as_member(state, command)


def _decide_as_member(
    state: Review,
    command: CancelReview | ApproveComments | EditComment | DiscardComments | RecordApplied | CloseReview,
) -> tuple[ReviewEvent, ...]:
    if command.role is None or not command.role.writes:
        raise ReviewsReadOnly
    if isinstance(command, CancelReview):
        return _cancel(state, command)
    if isinstance(command, CloseReview) and state.status is ReviewStatus.CLOSED:
        return ()
    if state.status is not ReviewStatus.READY:
        raise ReviewNotOpen(f"The review is {state.status}: nothing can be decided on it.", status=state.status)
    match command:
        case ApproveComments(indexes=indexes):
            wanted = _named(state, indexes, undecided_only=True)
            changed = tuple(n for n in wanted if state.comments[n].decision not in _APPROVED)
            return (CommentsApproved(indexes=changed, approved_by=command.by),) if changed else ()
        case DiscardComments(indexes=indexes):
            wanted = _named(state, indexes)
            changed = tuple(n for n in wanted if state.comments[n].decision is not Decision.DISCARDED)
            return (CommentsDiscarded(indexes=changed, discarded_by=command.by),) if changed else ()
        case EditComment():
            return _edit(state, command)
        case RecordApplied():
            return _apply(state, command)
        case CloseReview():
            return (ReviewClosed(closed_by=command.by),)
        case _:
            assert_never(command)


_APPROVED = (Decision.APPROVED, Decision.EDITED)


def _request(state: Review, command: RequestReview) -> tuple[ReviewEvent, ...]:
    if state.status is not None:
        raise ReviewExists
    if command.role is None or not command.role.writes:
        raise ReviewsReadOnly
    style = command.style
    if not 1 <= style.comments_max <= COMMENTS_MAX:
        raise StyleRefused(f"comments_max must be from 1 to {COMMENTS_MAX}.", field="comments_max")
    requested = ReviewRequested(
        review_id=command.review_id,
        project_id=command.project_id,
        path=one_line(command.path, "path", chars_max=PATH_MAX),
        language=command.language,
        source_sha256=command.source_sha256,
        size_bytes=command.size_bytes,
        lines=command.lines,
        style=style,
        requested_by=command.by,
    )
    return (requested,)


def _start(state: Review, command: StartGeneration) -> tuple[ReviewEvent, ...]:
    if not state.is_running:
        return ()
    if state.attempt >= ATTEMPTS_MAX:
        message = f"The work on it was interrupted {ATTEMPTS_MAX} times. Submit the file again."
        usage = Usage(tries=0)
        return (ReviewFailed(attempt=state.attempt, code="review.interrupted", message=message, usage=usage),)
    started = GenerationStarted(
        attempt=state.attempt + 1,
        prompt_version=command.prompt_version,
        prompt_sha256=command.prompt_sha256,
        provider=command.provider,
        model=command.model,
    )
    return (started,)


def _end(state: Review, command: FinishGeneration | RefuseReview | FailReview) -> tuple[ReviewEvent, ...]:
    if state.status is not ReviewStatus.GENERATING or command.attempt != state.attempt:
        return ()
    if isinstance(command, FinishGeneration):
        return _finish(command)
    message = fit_one_line(command.message, chars_max=MESSAGE_MAX)[0]
    if isinstance(command, FailReview):
        return (ReviewFailed(attempt=command.attempt, code=command.code, message=message, usage=command.usage),)
    refused = ReviewRefused(
        attempt=command.attempt, code=command.code, message=message, refused=(), usage=command.usage
    )
    return (refused,)


def _finish(command: FinishGeneration) -> tuple[ReviewEvent, ...]:
    assert len(command.suggestions) + len(command.refused) <= COMMENTS_MAX, "the worker takes no more"
    if command.refused and not command.suggestions:
        every = ReviewRefused(
            attempt=command.attempt,
            code="review.every_comment_refused",
            message=f"Each of the {len(command.refused)} comments that the model wrote was refused.",
            refused=command.refused,
            usage=command.usage,
            answer_sha256=command.answer_sha256,
        )
        return (every,)
    ready = ReviewReady(
        attempt=command.attempt,
        answer_sha256=command.answer_sha256,
        suggestions=command.suggestions,
        refused=command.refused,
        usage=command.usage,
    )
    return (ready,)


def _cancel(state: Review, command: CancelReview) -> tuple[ReviewEvent, ...]:
    if command.role is not Role.OWNER and command.by != state.requested_by:
        raise NotYourReview
    if state.status is ReviewStatus.CANCELLED:
        return ()
    if not state.is_running:
        raise ReviewNotRunning(f"The review is {state.status}: there is nothing to cancel.", status=state.status)
    return (ReviewCancelled(cancelled_by=command.by),)


def _named(state: Review, indexes: tuple[int, ...] | None, *, undecided_only: bool = False) -> tuple[int, ...]:
    """The comments that a command is about, in order; raises where one of them cannot be decided on."""
    if indexes is None:
        open_ones = (Decision.SUGGESTED,) if undecided_only else (Decision.SUGGESTED, *_APPROVED)
        return tuple(sorted(n for n, comment in state.comments.items() if comment.decision in open_ones))
    for index in indexes:
        _refuse_unless_there(state, index)
        if state.comments[index].decision is Decision.RETRACTED:
            raise CommentIsRetracted(index=index)
    return tuple(sorted(set(indexes)))


def _refuse_unless_there(state: Review, index: int) -> None:
    if index not in state.comments:
        raise CommentNotFound(f"The review has no comment {index} that could be decided on.", index=index)


def _edit(state: Review, command: EditComment) -> tuple[ReviewEvent, ...]:
    _named(state, (command.index,))
    comment = state.comments[command.index]
    if comment.decision in _APPROVED and comment.content_sha256 == command.content_sha256:
        return ()
    edited = CommentEdited(
        index=command.index,
        content_sha256=command.content_sha256,
        chars=command.chars,
        edited_by=command.by,
    )
    return (edited,)


def _retract(state: Review, command: RetractComments) -> tuple[ReviewEvent, ...]:
    if not command.is_admin and command.role is not Role.OWNER:
        raise NotARecaller
    for index in command.indexes or ():
        _refuse_unless_there(state, index)
    wanted = sorted(set(state.comments if command.indexes is None else command.indexes))
    changed = tuple(n for n in wanted if state.comments[n].decision is not Decision.RETRACTED)
    if not changed:
        return ()
    reason = one_line(command.reason, "reason", chars_max=REASON_MAX)
    return (CommentsRetracted(indexes=changed, reason=reason, retracted_by=command.by),)


def _apply(state: Review, command: RecordApplied) -> tuple[ReviewEvent, ...]:
    approved = set(state.approved)
    if not approved:
        raise NothingApproved
    told = {insertion.index for insertion in command.insertions} | set(command.drifted)
    if told != approved:
        raise ReviewNotOpen("Somebody decided otherwise in this moment; apply again.", status=state.status)
    applied = ReviewApplied(
        base_sha256=command.base_sha256,
        after_sha256=command.after_sha256,
        tokens_sha256=command.tokens_sha256,
        grammar=command.grammar,
        insertions=command.insertions,
        drifted=command.drifted,
        applied_by=command.by,
    )
    return () if applied == state.applied else (applied,)


review: Decider[Review, ReviewCommand] = Decider(name="review", initial=Review(), decide=decide, evolve=evolve)
"""The rules of the streams of reviews."""
