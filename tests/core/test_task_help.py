"""Help with tasks: calls, claims, and the leases that run out, one sentence each."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.text import TextRefused
from hivesync_core.tasks import commands as c
from hivesync_core.tasks import refusals as r
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.events import (
    HelpCheckedIn,
    HelpClaimed,
    HelpLeaseExpired,
    HelpReleased,
    HelpRequested,
    HelpWithdrawn,
    TaskArchived,
    TaskRestored,
)
from hivesync_core.tasks.transitions import Status
from tests.core.cast import (
    ASKED,
    ASKER,
    CLAIMED,
    CREATED,
    HELP_REQUESTED,
    HELPER,
    HELPING,
    HOUR,
    MEMBER,
    NOW,
    OPEN,
    OWNER,
    who,
)
from tests.core.given import Given

EXPIRED = HelpLeaseExpired(helper_id=HELPER, lease_expires_at=NOW + HOUR)


# help


def test_who_calls_for_help_says_why() -> None:
    Given(task, *OPEN).when(c.RequestHelp(**who(ASKER), reason="Which oil?")).then(ASKED)
    Given(task, *OPEN).when(c.RequestHelp(**who(ASKER), reason=" ")).then_refused(TextRefused, field="reason")


def test_another_member_claims_the_call_for_the_length_of_a_lease() -> None:
    claim = c.ClaimHelp(**who(HELPER), lease_s=3600)
    Given(task, *HELP_REQUESTED).when(claim).then(CLAIMED).then_state(helper_id=HELPER, lease_expires_at=NOW + HOUR)


def test_nobody_claims_their_own_call() -> None:
    refused = Given(task, *HELP_REQUESTED).when(c.ClaimHelp(**who(ASKER)))
    refused.then_refused(r.OwnHelpCall, transition="claim_help", state="help_requested")


def test_an_owner_does_not_claim_their_own_call_either() -> None:
    asked = HelpRequested(requested_by=OWNER, reason="Which oil?")
    Given(task, CREATED, asked).when(c.ClaimHelp(**who(OWNER))).then_refused(r.OwnHelpCall)


def test_the_assignee_does_not_claim_a_call_about_their_own_task() -> None:
    assigned = replace(CREATED, assignee_id=HELPER)
    Given(task, assigned, ASKED).when(c.ClaimHelp(**who(HELPER))).then_refused(r.OwnHelpCall)


def test_what_is_allowed_instead_of_claiming_ones_own_call_leaves_claiming_out() -> None:
    allowed = ["withdraw_help", "reassign", "edit", "comment", "archive"]
    Given(task, *HELP_REQUESTED).when(c.ClaimHelp(**who(ASKER))).then_refused(r.OwnHelpCall, allowed=allowed)


def test_a_call_that_is_claimed_is_not_claimed_again() -> None:
    Given(task, *HELPING).when(c.ClaimHelp(**who(MEMBER))).then_refused(r.TransitionNotAllowed, state="helping")


@pytest.mark.parametrize("lease_s", [-1, 0, c.HELP_LEASE_MAX_S + 1])
def test_a_lease_lasts_longer_than_nothing_and_shorter_than_for_ever(lease_s: int) -> None:
    claim, check_in = c.ClaimHelp(**who(HELPER), lease_s=lease_s), c.CheckInHelp(**who(HELPER), lease_s=lease_s)
    Given(task, *HELP_REQUESTED).when(claim).then_refused(r.LeaseOutOfRange, lease_max_s=c.HELP_LEASE_MAX_S)
    Given(task, *HELPING).when(check_in).then_refused(r.LeaseOutOfRange)


def test_a_check_in_renews_the_lease() -> None:
    later = NOW + HOUR / 2
    check_in = c.CheckInHelp(**who(HELPER, later), lease_s=3600)
    Given(task, *HELPING).when(check_in).then(HelpCheckedIn(helper_id=HELPER, lease_expires_at=later + HOUR))


def test_a_check_in_never_makes_a_lease_shorter() -> None:
    Given(task, *HELPING).when(c.CheckInHelp(**who(HELPER), lease_s=60)).then_nothing()


@pytest.mark.parametrize("by", [MEMBER, OWNER, ASKER])
def test_only_the_helper_checks_in(by: AccountId) -> None:
    Given(task, *HELPING).when(c.CheckInHelp(**who(by))).then_refused(r.NotTheHelper)


@pytest.mark.parametrize("by", [HELPER, OWNER])
def test_the_helper_and_an_owner_release_a_claim(by: AccountId) -> None:
    Given(task, *HELPING).when(c.ReleaseHelp(**who(by))).then(HelpReleased(helper_id=HELPER)).then_state(
        status=Status.HELP_REQUESTED, helper_id=None, lease_expires_at=None, asked_by=ASKER
    )


@pytest.mark.parametrize("by", [MEMBER, ASKER])
def test_nobody_else_releases_a_claim(by: AccountId) -> None:
    Given(task, *HELPING).when(c.ReleaseHelp(**who(by))).then_refused(r.NotTheHelper)


@pytest.mark.parametrize("by", [ASKER, OWNER, MEMBER])
def test_who_asked_an_owner_and_the_assignee_take_a_call_back(by: AccountId) -> None:
    assigned = replace(CREATED, assignee_id=MEMBER)
    Given(task, assigned, ASKED).when(c.WithdrawHelp(**who(by))).then(HelpWithdrawn()).then_state(asked_by=None)


def test_nobody_else_takes_a_call_back() -> None:
    Given(task, *HELP_REQUESTED).when(c.WithdrawHelp(**who(MEMBER))).then_refused(r.NotTheAsker)


# leases that run out


def test_a_lease_runs_out_at_its_very_end() -> None:
    Given(task, *HELPING).when(c.ExpireHelpLease(at=NOW + HOUR)).then(EXPIRED).then_state(status=Status.HELP_REQUESTED)


def test_a_lease_does_not_run_out_a_microsecond_earlier() -> None:
    Given(task, *HELPING).when(c.ExpireHelpLease(at=NOW + HOUR - HOUR.resolution)).then_nothing()


def test_a_renewed_lease_does_not_run_out_at_its_first_end() -> None:
    renewed = HelpCheckedIn(helper_id=HELPER, lease_expires_at=NOW + 2 * HOUR)
    Given(task, *HELPING, renewed).when(c.ExpireHelpLease(at=NOW + HOUR)).then_nothing()


@pytest.mark.parametrize("by", [HELPER, MEMBER])
def test_a_call_whose_claim_ran_out_is_claimed_again_without_waiting_for_the_system(by: AccountId) -> None:
    claim = c.ClaimHelp(**who(by, NOW + HOUR), lease_s=3600)
    Given(task, *HELPING).when(claim).then(EXPIRED, HelpClaimed(helper_id=by, lease_expires_at=NOW + 2 * HOUR))


def test_a_call_whose_claim_ran_out_is_taken_back_without_waiting_for_the_system() -> None:
    Given(task, *HELPING).when(c.WithdrawHelp(**who(ASKER, NOW + HOUR))).then(EXPIRED, HelpWithdrawn())


@pytest.mark.parametrize("command", [c.CheckInHelp, c.ReleaseHelp, c.CompleteTask])
def test_after_its_end_a_claim_is_good_for_nothing(command: Any) -> None:
    late = command(**who(HELPER, NOW + HOUR))
    Given(task, *HELPING).when(late).then_refused(r.TransitionNotAllowed, state="help_requested")


def test_a_lease_that_ran_out_in_the_archive_runs_out_after_the_restoring() -> None:
    archived = (*HELPING, TaskArchived())
    restored = TaskRestored(status=Status.HELPING)
    Given(task, *archived).when(c.ExpireHelpLease(at=NOW + 9 * HOUR)).then_nothing()
    Given(task, *archived).when(c.RestoreTask(**who(MEMBER, NOW + 9 * HOUR))).then(restored)
    Given(task, *archived, restored).when(c.ExpireHelpLease(at=NOW + 9 * HOUR)).then(EXPIRED)
