"""The rules of reviews: each ends once, and comments are decided on one by one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.reviews import commands as c
from hivesync_core.reviews import events as e
from hivesync_core.reviews import refusals as r
from hivesync_core.reviews.decider import review
from hivesync_core.reviews.state import Decision, Review, ReviewStatus
from tests.core.cast import AUDITOR, MEMBER, OWNER, PROJECT, ROLES, STRANGER
from tests.core.given import Given

REVIEW = UUID(int=300)
SHA, OTHER_SHA = "a" * 64, "b" * 64
USAGE = e.Usage(tries=1)


def by(account: Any) -> dict[str, Any]:
    """Who gives a command, and as what."""
    return {"by": account, "role": ROLES.get(account)}


def suggestion(index: int) -> e.Suggestion:
    return e.Suggestion(index=index, type="inline", line=index + 1, content_sha256=f"{index:064x}", chars=10)


ASK = {
    "review_id": REVIEW, "project_id": PROJECT, "path": "a.py", "language": "python",
    "source_sha256": SHA, "size_bytes": 12, "lines": 3,
}  # fmt: skip
REQUESTED = e.ReviewRequested(**ASK, style=e.Style(), requested_by=MEMBER)
ASKED_MODEL = {"prompt_version": 1, "prompt_sha256": SHA, "provider": "openai", "model": "gpt-4.1"}
STARTED = e.GenerationStarted(attempt=1, **ASKED_MODEL)
READY = e.ReviewReady(
    attempt=1, answer_sha256=SHA, suggestions=(suggestion(0), suggestion(1), suggestion(2)), refused=(), usage=USAGE
)
OPEN: tuple[Event, ...] = (REQUESTED, STARTED, READY)
REFUSED_ONE = e.RefusedSuggestion(index=3, code="text.directive")
FINISH = c.FinishGeneration(attempt=1, answer_sha256=SHA, suggestions=READY.suggestions, refused=(), usage=USAGE)
FAIL = c.FailReview(attempt=1, code="provider.busy", message="Busy.", usage=USAGE)


def applied(*indexes: int, drifted: tuple[int, ...] = ()) -> c.RecordApplied:
    insertions = tuple(e.Insertion(index=n, offset=0, size_bytes=4, line=1) for n in indexes)
    return c.RecordApplied(
        **by(MEMBER), base_sha256=SHA, after_sha256=OTHER_SHA, tokens_sha256=SHA, grammar="python@1",
        insertions=insertions, drifted=drifted,
    )  # fmt: skip


def test_members_ask_for_reviews_and_auditors_and_strangers_do_not() -> None:
    Given(review).when(c.RequestReview(**by(MEMBER), **ASK)).then(REQUESTED)
    Given(review).when(c.RequestReview(**by(AUDITOR), **ASK)).then_refused(r.ReviewsReadOnly)
    Given(review).when(c.RequestReview(**by(STRANGER), **ASK)).then_refused(r.ReviewsReadOnly)
    Given(review, REQUESTED).when(c.RequestReview(**by(MEMBER), **ASK)).then_refused(r.ReviewExists)
    odd = {**ASK, "style": e.Style(comments_max=0)}
    Given(review).when(c.RequestReview(**by(MEMBER), **odd)).then_refused(r.StyleRefused, field="comments_max")


def test_what_does_not_exist_takes_no_command() -> None:
    for command in (c.StartGeneration(**ASKED_MODEL), FINISH, c.CloseReview(**by(OWNER))):
        Given(review).when(command).then_refused(r.ReviewNotFound)


def test_a_worker_that_died_is_followed_by_another_and_the_third_is_the_last() -> None:
    start = c.StartGeneration(**ASKED_MODEL)
    Given(review, REQUESTED).when(start).then(STARTED)
    Given(review, REQUESTED, STARTED).when(start).then(e.GenerationStarted(attempt=2, **ASKED_MODEL))
    third = e.GenerationStarted(attempt=3, **ASKED_MODEL)
    Given(review, REQUESTED, third).when(start).then_state(status=ReviewStatus.FAILED)


def test_only_the_latest_attempt_ends_a_review_and_only_once() -> None:
    second = e.GenerationStarted(attempt=2, **ASKED_MODEL)
    Given(review, REQUESTED, STARTED).when(FINISH).then(READY)
    Given(review, REQUESTED, STARTED, second).when(FINISH).then_nothing()
    for event in (READY, e.ReviewCancelled(cancelled_by=MEMBER)):
        for command in (FINISH, FAIL, c.StartGeneration(**ASKED_MODEL)):
            Given(review, REQUESTED, STARTED, event).when(command).then_nothing()


def test_a_review_with_nothing_but_refused_comments_is_refused() -> None:
    finish = c.FinishGeneration(attempt=1, answer_sha256=SHA, suggestions=(), refused=(REFUSED_ONE,), usage=USAGE)
    Given(review, REQUESTED, STARTED).when(finish).then_state(status=ReviewStatus.REFUSED)
    nothing = c.FinishGeneration(attempt=1, answer_sha256=SHA, suggestions=(), refused=(), usage=USAGE)
    Given(review, REQUESTED, STARTED).when(nothing).then_state(status=ReviewStatus.READY)


def test_who_asked_or_an_owner_cancels_while_it_runs() -> None:
    for account in (MEMBER, OWNER):
        Given(review, REQUESTED).when(c.CancelReview(**by(account))).then(e.ReviewCancelled(cancelled_by=account))
    other = {**by(MEMBER), "by": STRANGER}
    Given(review, REQUESTED).when(c.CancelReview(**other)).then_refused(r.NotYourReview)
    Given(review, *OPEN).when(c.CancelReview(**by(OWNER))).then_refused(r.ReviewNotRunning, status="ready")


def test_comments_are_approved_edited_and_discarded_one_by_one_or_all_at_once() -> None:
    at = Given(review, *OPEN)
    at.when(c.ApproveComments(**by(MEMBER), indexes=(2, 0, 2))).then(
        e.CommentsApproved(indexes=(0, 2), approved_by=MEMBER)
    )
    at.when(c.ApproveComments(**by(MEMBER))).then(e.CommentsApproved(indexes=(0, 1, 2), approved_by=MEMBER))
    at.when(c.DiscardComments(**by(MEMBER))).then(e.CommentsDiscarded(indexes=(0, 1, 2), discarded_by=MEMBER))
    at.when(c.ApproveComments(**by(MEMBER), indexes=(9,))).then_refused(r.CommentNotFound, index=9)
    at.when(c.ApproveComments(**by(AUDITOR))).then_refused(r.ReviewsReadOnly)
    edit = c.EditComment(**by(MEMBER), index=1, content_sha256=OTHER_SHA, chars=3)
    edited = e.CommentEdited(index=1, content_sha256=OTHER_SHA, chars=3, edited_by=MEMBER)
    at.when(edit).then(edited)
    Given(review, *OPEN, edited).when(edit).then_nothing()
    Given(review, *OPEN, edited).when(c.ApproveComments(**by(MEMBER), indexes=(1,))).then_nothing()


def test_approving_all_leaves_what_was_decided_as_it_is() -> None:
    discarded = e.CommentsDiscarded(indexes=(1,), discarded_by=OWNER)
    approve = c.ApproveComments(**by(MEMBER))
    Given(review, *OPEN, discarded).when(approve).then(e.CommentsApproved(indexes=(0, 2), approved_by=MEMBER))


@pytest.mark.parametrize("closed", [True, False])
def test_owners_and_admins_retract_whatever_was_decided(closed: bool) -> None:
    events = (*OPEN, e.CommentsApproved(indexes=(0,), approved_by=MEMBER))
    events = (*events, e.ReviewClosed(closed_by=MEMBER)) if closed else events
    retract = c.RetractComments(**by(OWNER), reason="Wrong.", indexes=(0,))
    retracted = e.CommentsRetracted(indexes=(0,), reason="Wrong.", retracted_by=OWNER)
    Given(review, *events).when(retract).then(retracted)
    Given(review, *events, retracted).when(retract).then_nothing()
    as_admin = c.RetractComments(by=STRANGER, role=None, is_admin=True, reason="Wrong.")
    Given(review, *events).when(as_admin).then_state(approved=())
    Given(review, *events).when(c.RetractComments(**by(MEMBER), reason="Wrong.")).then_refused(r.NotARecaller)


def test_a_retracted_comment_is_not_approved_again() -> None:
    retracted = e.CommentsRetracted(indexes=(0,), reason="Wrong.", retracted_by=OWNER)
    at = Given(review, *OPEN, retracted)
    at.when(c.ApproveComments(**by(MEMBER), indexes=(0,))).then_refused(r.CommentIsRetracted, index=0)
    at.when(c.ApproveComments(**by(MEMBER))).then(e.CommentsApproved(indexes=(1, 2), approved_by=MEMBER))


def test_what_is_applied_is_what_is_approved_at_that_moment() -> None:
    at = Given(review, *OPEN, e.CommentsApproved(indexes=(0, 2), approved_by=MEMBER))
    at.when(applied(0, 2)).then_state(status=ReviewStatus.READY)
    at.when(applied(0, drifted=(2,))).then_state(status=ReviewStatus.READY)
    at.when(applied(0)).then_refused(r.ReviewNotOpen)
    at.when(applied(0, 1, 2)).then_refused(r.ReviewNotOpen)
    Given(review, *OPEN).when(applied()).then_refused(r.NothingApproved)


def test_a_closed_review_takes_no_decision() -> None:
    at = Given(review, *OPEN, e.ReviewClosed(closed_by=MEMBER))
    at.when(c.CloseReview(**by(MEMBER))).then_nothing()
    at.when(c.ApproveComments(**by(MEMBER))).then_refused(r.ReviewNotOpen, status="closed")


class ReviewMachine(RuleBasedStateMachine):
    """Commands in any order, against a model of plain sets."""

    def __init__(self) -> None:
        super().__init__()
        self.state = Review()
        self.ends = 0
        self.approved: set[int] = set()
        self.retracted: set[int] = set()

    def give(self, command: c.ReviewCommand) -> tuple[Event, ...]:
        """Decide and fold; a refusal changes nothing."""
        try:
            events = review.decide(self.state, command)
        except Refusal:
            return ()
        self.ends += sum(
            isinstance(one, e.ReviewReady | e.ReviewRefused | e.ReviewFailed | e.ReviewCancelled) for one in events
        )
        self.state = review.fold(events, self.state)
        return events

    @initialize()
    def request(self) -> None:
        self.give(c.RequestReview(**by(MEMBER), **ASK))

    @rule()
    def start(self) -> None:
        self.give(c.StartGeneration(**ASKED_MODEL))

    @rule(attempt=st.integers(1, 4), command=st.sampled_from(("finish", "fail", "refuse")))
    def end(self, attempt: int, command: str) -> None:
        made: dict[str, c.ReviewCommand] = {
            "finish": c.FinishGeneration(
                attempt=attempt, answer_sha256=SHA, suggestions=READY.suggestions, refused=(REFUSED_ONE,), usage=USAGE
            ),
            "fail": c.FailReview(attempt=attempt, code="x", message="x", usage=USAGE),
            "refuse": c.RefuseReview(attempt=attempt, code="x", message="x", usage=USAGE),
        }
        running, current = self.state.status is ReviewStatus.GENERATING, self.state.attempt
        events = self.give(made[command])
        assert bool(events) == (running and attempt == current)

    @rule()
    def cancel(self) -> None:
        self.give(c.CancelReview(**by(OWNER)))

    @precondition(lambda self: self.state.status is ReviewStatus.READY)
    @rule(index=st.integers(0, 2), what=st.sampled_from(("approve", "edit", "discard", "retract")))
    def decide(self, index: int, what: str) -> None:
        match what:
            case "approve":
                self.give(c.ApproveComments(**by(MEMBER), indexes=(index,)))
            case "edit":
                self.give(c.EditComment(**by(MEMBER), index=index, content_sha256=OTHER_SHA, chars=1))
            case "discard":
                self.give(c.DiscardComments(**by(MEMBER), indexes=(index,)))
            case _:
                self.give(c.RetractComments(**by(OWNER), reason="x", indexes=(index,)))
                self.retracted.add(index)
        if index in self.retracted:
            self.approved.discard(index)
        elif what in ("approve", "edit"):
            self.approved.add(index)
        else:
            self.approved.discard(index)

    @rule()
    def close(self) -> None:
        self.give(c.CloseReview(**by(MEMBER)))

    @invariant()
    def ends_at_most_once(self) -> None:
        assert self.ends <= 1
        assert self.ends == (not self.state.is_running and self.state.status is not None)

    @invariant()
    def agrees_with_the_sets(self) -> None:
        assert set(self.state.approved) == self.approved
        retracted = {n for n, one in self.state.comments.items() if one.decision is Decision.RETRACTED}
        assert retracted == self.retracted


ReviewMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_reviews_agree_with_their_model = ReviewMachine.TestCase
