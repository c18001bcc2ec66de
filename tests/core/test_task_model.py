"""Tasks under random commands, people and a moving clock agree with a model that was written from TASK-2's table.

In the model a lease simply is over when the clock says so. The rules record that end by an event, sooner or later;
what may be done must be the same at every moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.kernel.roles import ApprovalPolicy, Approvers
from hivesync_core.tasks import commands as c
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.transitions import Status
from tests.core.cast import ASKER, AUDITOR, HELPER, MEMBER, NOW, OWNER, PROJECT, ROLES, who

people = st.sampled_from([OWNER, ASKER, HELPER, MEMBER, AUDITOR])
workers = st.sampled_from([OWNER, ASKER, HELPER, MEMBER])
leases = st.sampled_from([60, 600, 3600])
policies = st.builds(ApprovalPolicy, approvers=st.sampled_from(Approvers), may_approve_own_work=st.booleans())
titles = st.sampled_from(["Mend the gate", "Paint the gate", "Close the gate"])

DONE, NOTHING, WRONG_STATE = "done", "nothing", "task.transition_not_allowed"


@dataclass
class Model:
    """What the task should be; ``helper`` and ``lease_end`` mean something only while ``state`` is helping."""

    state: str = "open"
    before_archive: str = ""
    title: str = "Mend the gate"
    assignee: AccountId | None = None
    asker: AccountId | None = None
    helper: AccountId | None = None
    lease_end: datetime = NOW
    worker: AccountId | None = None

    def pass_time(self, now: datetime) -> None:
        if self.state == "helping" and now >= self.lease_end:
            self.state, self.helper = "help_requested", None

    def reviewer(self, by: AccountId, policy: ApprovalPolicy) -> bool:
        return by == OWNER or (by != AUDITOR and policy.approvers == "members")


class TaskMachine(RuleBasedStateMachine):
    """Every command is given to the rules and to the model; both must refuse, do nothing, or change alike."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.now = NOW
        self.events: list[Event] = []
        self.state = task.initial

    @initialize(assignee=st.none() | workers)
    def create(self, assignee: AccountId | None) -> None:
        command = c.CreateTask(
            **who(MEMBER), project_id=PROJECT, title="Mend the gate", assignee_id=assignee, assignee_role=ROLES[MEMBER]
        )
        assert self.give(command) == DONE
        self.model.assignee = assignee

    def give(self, command: c.TaskCommand) -> str:
        """``done``, ``nothing``, or the code of the refusal."""
        try:
            events = task.decide(self.state, command)
        except Refusal as refusal:
            return refusal.code
        self.events += events
        self.state = task.fold(events, self.state)
        return DONE if events else NOTHING

    def expect(self, command: Any, expected: str, then: Callable[[], None] = lambda: None) -> None:
        """Give ``command``; an auditor is always refused, anybody else as the model says."""
        if getattr(command, "by", None) == AUDITOR:
            expected = "task.role_only_reads"
        assert self.give(command) == expected
        if expected == DONE:
            then()

    def within(self, *states: str) -> str:
        return DONE if self.model.state in states else WRONG_STATE

    def becomes(self, state: str, **fields: Any) -> Callable[[], None]:
        def change() -> None:
            self.model.state = state
            for name, value in fields.items():
                setattr(self.model, name, value)

        return change

    @rule(seconds=st.sampled_from([1, 59, 60, 600, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.model.pass_time(self.now)

    @precondition(lambda self: self.model.state == "helping")
    @rule()
    def time_passes_to_the_end_of_the_lease(self) -> None:
        self.now = self.model.lease_end
        self.model.pass_time(self.now)

    @rule()
    def the_system_looks_for_leases(self) -> None:
        """It may only record what the model has known since the clock passed the end."""
        before = self.state
        given = self.give(c.ExpireHelpLease(at=self.now))
        ran_out = before.status is Status.HELPING and self.model.state == "help_requested"
        assert given == (DONE if ran_out else NOTHING)

    @rule(by=people)
    def request_help(self, by: AccountId) -> None:
        command = c.RequestHelp(**who(by, self.now), reason="Which oil?")
        self.expect(command, self.within("open"), self.becomes("help_requested", asker=by))

    @rule(by=people, lease_s=leases)
    def claim(self, by: AccountId, lease_s: int) -> None:
        expected = self.within("help_requested")
        if expected == DONE and by in (self.model.asker, self.model.assignee):
            expected = "task.own_help_call"
        end = self.now + timedelta(seconds=lease_s)
        command = c.ClaimHelp(**who(by, self.now), lease_s=lease_s)
        self.expect(command, expected, self.becomes("helping", helper=by, lease_end=end))

    @precondition(lambda self: self.model.state == "help_requested")
    @rule(lease_s=leases, of_the_rest=st.integers(0, 9))
    def somebody_else_claims(self, lease_s: int, of_the_rest: int) -> None:
        """The same as above by somebody who may, so that the machine often gets as far as helping."""
        others = [a for a in (OWNER, ASKER, HELPER, MEMBER) if a not in (self.model.asker, self.model.assignee)]
        self.claim(others[of_the_rest % len(others)], lease_s)

    @precondition(lambda self: self.model.state == "help_requested" and self.model.assignee is not None)
    @rule(lease_s=leases)
    def the_assignee_claims(self, lease_s: int) -> None:
        assert self.model.assignee is not None
        self.claim(self.model.assignee, lease_s)

    @rule(by=people, lease_s=leases)
    def check_in(self, by: AccountId, lease_s: int) -> None:
        end = self.now + timedelta(seconds=lease_s)
        expected = self.within("helping")
        if expected == DONE and by != self.model.helper:
            expected = "task.not_the_helper"
        elif expected == DONE and end <= self.model.lease_end:
            expected = NOTHING
        command = c.CheckInHelp(**who(by, self.now), lease_s=lease_s)
        self.expect(command, expected, self.becomes("helping", lease_end=end))

    @rule(by=people)
    def release(self, by: AccountId) -> None:
        expected = self.within("helping")
        if expected == DONE and by not in (self.model.helper, OWNER):
            expected = "task.not_the_helper"
        self.expect(c.ReleaseHelp(**who(by, self.now)), expected, self.becomes("help_requested", helper=None))

    @rule(by=people)
    def withdraw(self, by: AccountId) -> None:
        expected = self.within("help_requested")
        if expected == DONE and by not in (self.model.asker, self.model.assignee, OWNER):
            expected = "task.not_the_asker"
        self.expect(c.WithdrawHelp(**who(by, self.now)), expected, self.becomes("open", asker=None))

    @rule(by=people)
    def complete(self, by: AccountId) -> None:
        self.expect(
            c.CompleteTask(**who(by, self.now)),
            self.within("open", "helping"),
            self.becomes("completed", worker=by, asker=None, helper=None),
        )

    @rule(by=people, policy=policies)
    def approve(self, by: AccountId, policy: ApprovalPolicy) -> None:
        expected = self.within("completed")
        if not self.model.reviewer(by, policy):
            expected = "task.not_a_reviewer"
        elif expected == DONE and by == self.model.worker and not policy.may_approve_own_work:
            expected = "task.own_work_not_approvable"
        self.expect(c.ApproveTask(**who(by, self.now), policy=policy), expected, self.becomes("approved"))

    @rule(by=people, policy=policies, reason=st.sampled_from(["No tests", " "]))
    def deny(self, by: AccountId, policy: ApprovalPolicy, reason: str) -> None:
        expected = self.within("completed")
        if not self.model.reviewer(by, policy):
            expected = "task.not_a_reviewer"
        elif expected == DONE and reason == " ":
            expected = "text.refused"
        command = c.DenyTask(**who(by, self.now), policy=policy, reason=reason)
        self.expect(command, expected, self.becomes("open", worker=None))

    @rule(by=people, policy=policies, to=st.none() | people)
    def reassign(self, by: AccountId, policy: ApprovalPolicy, to: AccountId | None) -> None:
        expected = WRONG_STATE if self.model.state == "archived" else DONE
        if self.model.state == "completed" and not self.model.reviewer(by, policy):
            expected = "task.not_a_reviewer"
        elif expected == DONE and self.model.state != "completed" and to == self.model.assignee:
            expected = NOTHING
        elif expected == DONE and to == AUDITOR:
            expected = "task.assignee_may_not_work"
        reopened = {"state": "open", "worker": None} if self.model.state == "completed" else {"state": self.model.state}
        command = c.ReassignTask(
            **who(by, self.now), policy=policy, assignee_id=to, assignee_role=None if to is None else ROLES[to]
        )
        self.expect(command, expected, self.becomes(**reopened, assignee=to))

    @rule(by=people, title=titles)
    def edit(self, by: AccountId, title: str) -> None:
        expected = WRONG_STATE if self.model.state == "archived" else DONE
        if expected == DONE and title == self.model.title:
            expected = NOTHING
        command = c.EditTask(**who(by, self.now), title=title)
        self.expect(command, expected, self.becomes(self.model.state, title=title))

    @rule(by=people)
    def comment(self, by: AccountId) -> None:
        expected = WRONG_STATE if self.model.state == "archived" else DONE
        self.expect(c.CommentTask(**who(by, self.now), comment_id=UUID(int=9), text="Soon."), expected)

    @rule(by=people)
    def archive(self, by: AccountId) -> None:
        expected = WRONG_STATE if self.model.state == "archived" else DONE
        put_away = self.becomes("archived", before_archive=self.model.state)
        self.expect(c.ArchiveTask(**who(by, self.now)), expected, put_away)

    @rule(by=people)
    def restore(self, by: AccountId) -> None:
        back = self.becomes(self.model.before_archive)
        self.expect(c.RestoreTask(**who(by, self.now)), self.within("archived"), back)
        self.model.pass_time(self.now)

    @invariant()
    def agrees(self) -> None:
        if not self.events:
            return
        assert self.state == task.fold(self.events)
        ran_out = self.state.lease_has_run_out(self.now)
        status = "help_requested" if ran_out else str(self.state.status)
        assert (status, self.state.title, self.state.assignee_id) == (
            self.model.state,
            self.model.title,
            self.model.assignee,
        )
        if status == "helping":
            assert (self.state.helper_id, self.state.lease_expires_at) == (self.model.helper, self.model.lease_end)
        if status in ("help_requested", "helping"):
            assert self.state.asked_by == self.model.asker
        if status == "completed":
            assert self.state.completed_by == self.model.worker


TestTaskMachine = TaskMachine.TestCase
TestTaskMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
