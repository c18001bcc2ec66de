"""Completing, reviewing and reassigning tasks, one sentence each."""

from __future__ import annotations

import pytest

from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.text import TextRefused
from hivesync_core.tasks import commands as c
from hivesync_core.tasks import refusals as r
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.events import (
    TaskApproved,
    TaskCompleted,
    TaskDenied,
    TaskReassigned,
)
from hivesync_core.tasks.transitions import Status
from tests.core.cast import (
    ACCEPTED,
    ASKER,
    CREATED,
    DONE,
    FOUR_EYES,
    HELPER,
    HELPING,
    HOUR,
    MEMBER,
    MEMBERS_APPROVE,
    NOW,
    OPEN,
    OWNER,
    OWNERS_APPROVE,
    approve,
    deny,
    reassign,
    who,
)
from tests.core.given import Given

# completing and reviewing


@pytest.mark.parametrize("by", [OWNER, MEMBER, HELPER, ASKER])
def test_any_member_completes_and_that_ends_the_help(by: AccountId) -> None:
    Given(task, *HELPING).when(c.CompleteTask(**who(by))).then(TaskCompleted(completed_by=by)).then_state(
        status=Status.COMPLETED, completed_by=by, helper_id=None, asked_by=None, lease_expires_at=None
    )


def test_an_owner_approves() -> None:
    Given(task, *DONE).when(approve(OWNER, OWNERS_APPROVE)).then(TaskApproved(approved_by=OWNER))


def test_a_member_approves_only_where_the_policy_lets_members() -> None:
    Given(task, *DONE).when(approve(HELPER, MEMBERS_APPROVE)).then(TaskApproved(approved_by=HELPER))
    Given(task, *DONE).when(approve(HELPER, OWNERS_APPROVE)).then_refused(r.NotAReviewer)


def test_only_a_reviewer_may_deny() -> None:
    Given(task, *DONE).when(deny(MEMBER, OWNERS_APPROVE)).then_refused(r.NotAReviewer)
    Given(task, *DONE).when(deny(MEMBER, MEMBERS_APPROVE)).then(
        TaskDenied(denied_by=MEMBER, reason="It still squeaks.")
    )


@pytest.mark.parametrize("reason", ["", " \n\t"])
def test_a_denial_says_why(reason: str) -> None:
    Given(task, *DONE).when(deny(OWNER, OWNERS_APPROVE, reason)).then_refused(
        TextRefused, field="reason", reason="blank"
    )


def test_who_is_no_reviewer_hears_so_whatever_the_state() -> None:
    Given(task, *OPEN).when(approve(MEMBER, OWNERS_APPROVE)).then_refused(r.NotAReviewer)
    Given(task, *OPEN).when(approve(OWNER, OWNERS_APPROVE)).then_refused(r.TransitionNotAllowed)


def test_ones_own_work_is_approved_only_where_the_policy_lets_one() -> None:
    Given(task, *DONE).when(approve(MEMBER, MEMBERS_APPROVE)).then(TaskApproved(approved_by=MEMBER))
    Given(task, *DONE).when(approve(MEMBER, FOUR_EYES)).then_refused(r.OwnWorkNotApprovable)
    Given(task, *DONE).when(approve(HELPER, FOUR_EYES)).then(TaskApproved(approved_by=HELPER))


def test_own_work_is_what_was_completed_last() -> None:
    denied = TaskDenied(denied_by=OWNER, reason="It still squeaks.")
    again = TaskCompleted(completed_by=HELPER)
    Given(task, *DONE, denied, again).when(approve(MEMBER, FOUR_EYES)).then(TaskApproved(approved_by=MEMBER))
    Given(task, *DONE, denied, again).when(approve(HELPER, FOUR_EYES)).then_refused(r.OwnWorkNotApprovable)


def test_ones_own_work_may_be_denied() -> None:
    Given(task, *DONE).when(deny(MEMBER, FOUR_EYES)).then_state(status=Status.OPEN, completed_by=None)


# reassigning


def test_a_task_is_given_to_another_or_to_nobody() -> None:
    given = TaskReassigned(assignee_id=HELPER, reopens=False)
    Given(task, *OPEN).when(reassign(MEMBER, HELPER)).then(given).then_state(assignee_id=HELPER)
    Given(task, CREATED, given).when(reassign(MEMBER, None, None)).then_state(assignee_id=None)


def test_giving_a_task_to_who_has_it_is_nothing() -> None:
    Given(task, *OPEN).when(reassign(MEMBER, None, None)).then_nothing()


def test_a_claim_outlives_a_reassignment() -> None:
    Given(task, *HELPING).when(reassign(MEMBER, ASKER)).then_state(
        status=Status.HELPING, helper_id=HELPER, lease_expires_at=NOW + HOUR
    )


def test_a_completed_task_that_is_reassigned_is_open_again() -> None:
    reopened = TaskReassigned(assignee_id=HELPER, reopens=True)
    Given(task, *DONE).when(reassign(OWNER, HELPER)).then(reopened).then_state(status=Status.OPEN, completed_by=None)


def test_a_completed_task_is_reopened_even_for_the_same_assignee() -> None:
    Given(task, *DONE).when(reassign(OWNER, None, None)).then(TaskReassigned(assignee_id=None, reopens=True))


def test_only_a_reviewer_reassigns_a_completed_task() -> None:
    Given(task, *DONE).when(reassign(MEMBER, HELPER)).then_refused(r.NotAReviewer)
    Given(task, *ACCEPTED).when(reassign(MEMBER, HELPER)).then_state(status=Status.APPROVED, assignee_id=HELPER)
