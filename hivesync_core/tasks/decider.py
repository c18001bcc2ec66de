"""The rules of tasks: the transition table of TASK-2, and who may take each transition."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.roles import ApprovalPolicy, Role
from hivesync_core.kernel.text import many_lines
from hivesync_core.tasks import fields
from hivesync_core.tasks.commands import (
    COMMENT_MAX,
    HELP_LEASE_MAX_S,
    HELP_LEASE_MIN_S,
    REASON_MAX,
    ApproveTask,
    ArchiveTask,
    CheckInHelp,
    ClaimHelp,
    CommentTask,
    CompleteTask,
    CreateTask,
    DenyTask,
    EditTask,
    ExpireHelpLease,
    ImportTask,
    ReassignTask,
    ReleaseHelp,
    RequestHelp,
    RestoreTask,
    TaskCommand,
    WithdrawHelp,
)
from hivesync_core.tasks.events import (
    HelpCheckedIn,
    HelpClaimed,
    HelpLeaseExpired,
    HelpReleased,
    HelpRequested,
    HelpWithdrawn,
    TaskApproved,
    TaskArchived,
    TaskCommented,
    TaskCompleted,
    TaskDenied,
    TaskEvent,
    TaskReassigned,
    TaskRestored,
)
from hivesync_core.tasks.refusals import (
    AssigneeMayNotWork,
    LeaseOutOfRange,
    NotAReviewer,
    NotTheAsker,
    NotTheHelper,
    OwnHelpCall,
    OwnWorkNotApprovable,
    RoleOnlyReads,
    TaskNotFound,
    TransitionNotAllowed,
)
from hivesync_core.tasks.state import Task, evolve
from hivesync_core.tasks.transitions import TRANSITIONS, Status, Transition

_HELP_ENDS_WITH_ITS_LEASE = (RequestHelp, WithdrawHelp, ClaimHelp, CheckInHelp, ReleaseHelp, CompleteTask)
"""Commands whose meaning depends on whether somebody helps: the lease's end counts from its very moment."""


def decide(state: Task, command: TaskCommand) -> tuple[TaskEvent, ...]:
    """The events that follow from ``command``, or a refusal.

    A lease that has run out is recorded by the first command that it matters to, so that what is allowed depends on
    the clock alone and not on when the system last looked for leases to expire.
    """
    if isinstance(command, ExpireHelpLease):
        return _lapse(state, command.at)
    if not command.role.writes:
        raise RoleOnlyReads("An auditor reads and changes nothing.")
    if isinstance(command, CreateTask):
        return _create(state, command)
    if isinstance(command, ImportTask):
        return fields.imported(command) if state.status is None else ()
    if state.status is None:
        raise TaskNotFound
    if isinstance(command, _HELP_ENDS_WITH_ITS_LEASE) and (lapsed := _lapse(state, command.at)):
        return (*lapsed, *_change(evolve(state, lapsed[0]), command))
    return _change(state, command)


_ExistingTaskCommand = (
    EditTask
    | RequestHelp
    | WithdrawHelp
    | ClaimHelp
    | CheckInHelp
    | ReleaseHelp
    | CompleteTask
    | ApproveTask
    | DenyTask
    | ReassignTask
    | CommentTask
    | ArchiveTask
    | RestoreTask
)


def _change(state: Task, command: _ExistingTaskCommand) -> tuple[TaskEvent, ...]:
    match command:
        case EditTask():
            _allow(state, Transition.EDIT)
            return fields.edited(state, command)
        case CommentTask():
            return _comment(state, command)
        case RequestHelp():
            _allow(state, Transition.REQUEST_HELP)
            reason = many_lines(command.reason, "reason", chars_max=REASON_MAX)
            return (HelpRequested(requested_by=command.by, reason=reason),)
        case WithdrawHelp():
            return _withdraw_help(state, command)
        case ClaimHelp():
            return _claim_help(state, command)
        case CheckInHelp():
            return _check_in_help(state, command)
        case ReleaseHelp():
            return _release_help(state, command)
        case CompleteTask():
            _allow(state, Transition.COMPLETE)
            return (TaskCompleted(completed_by=command.by),)
        case ApproveTask():
            return _approve(state, command)
        case DenyTask():
            return _deny(state, command)
        case ReassignTask():
            return _reassign(state, command)
        case ArchiveTask():
            _allow(state, Transition.ARCHIVE)
            return (TaskArchived(),)
        case RestoreTask():
            _allow(state, Transition.RESTORE)
            assert state.archived_from is not None, "an archived task was something before"
            return (TaskRestored(status=state.archived_from),)
        case _:
            assert_never(command)


def _create(state: Task, command: CreateTask) -> tuple[TaskEvent, ...]:
    _allow(state, Transition.CREATE)
    _refuse_assignee_who_may_not_work(command.assignee_id, command.assignee_role)
    return fields.created(command)


def _comment(state: Task, command: CommentTask) -> tuple[TaskEvent, ...]:
    _allow(state, Transition.COMMENT)
    text = many_lines(command.text, "text", chars_max=COMMENT_MAX)
    return (TaskCommented(comment_id=command.comment_id, author_id=command.by, text=text),)


def _withdraw_help(state: Task, command: WithdrawHelp) -> tuple[TaskEvent, ...]:
    _allow(state, Transition.WITHDRAW_HELP)
    if command.by not in (state.asked_by, state.assignee_id) and command.role is not Role.OWNER:
        raise NotTheAsker
    return (HelpWithdrawn(),)


def _claim_help(state: Task, command: ClaimHelp) -> tuple[TaskEvent, ...]:
    _allow(state, Transition.CLAIM_HELP)
    if command.by in (state.asked_by, state.assignee_id):
        raise OwnHelpCall
    return (HelpClaimed(helper_id=command.by, lease_expires_at=_lease_end(command)),)


def _check_in_help(state: Task, command: CheckInHelp) -> tuple[TaskEvent, ...]:
    _allow(state, Transition.CHECK_IN_HELP)
    assert state.lease_expires_at is not None, "who helps has a lease"
    if command.by != state.helper_id:
        raise NotTheHelper
    lease_end = _lease_end(command)
    if lease_end <= state.lease_expires_at:
        return ()
    return (HelpCheckedIn(helper_id=command.by, lease_expires_at=lease_end),)


def _release_help(state: Task, command: ReleaseHelp) -> tuple[TaskEvent, ...]:
    _allow(state, Transition.RELEASE_HELP)
    assert state.helper_id is not None, "somebody helps"
    if command.by != state.helper_id and command.role is not Role.OWNER:
        raise NotTheHelper
    return (HelpReleased(helper_id=state.helper_id),)


def _lapse(state: Task, at: datetime) -> tuple[HelpLeaseExpired, ...]:
    if not state.lease_has_run_out(at):
        return ()
    assert state.helper_id is not None, "somebody helps"
    assert state.lease_expires_at is not None, "who helps has a lease"
    return (HelpLeaseExpired(helper_id=state.helper_id, lease_expires_at=state.lease_expires_at),)


def _approve(state: Task, command: ApproveTask) -> tuple[TaskEvent, ...]:
    _refuse_who_is_no_reviewer(command.role, command.policy)
    _allow(state, Transition.APPROVE)
    if command.by == state.completed_by and not command.policy.may_approve_own_work:
        raise OwnWorkNotApprovable("The project's policy wants another reviewer than the one who completed the task.")
    return (TaskApproved(approved_by=command.by),)


def _deny(state: Task, command: DenyTask) -> tuple[TaskEvent, ...]:
    _refuse_who_is_no_reviewer(command.role, command.policy)
    _allow(state, Transition.DENY)
    return (TaskDenied(denied_by=command.by, reason=many_lines(command.reason, "reason", chars_max=REASON_MAX)),)


def _reassign(state: Task, command: ReassignTask) -> tuple[TaskEvent, ...]:
    _allow(state, Transition.REASSIGN)
    reopens = state.status is Status.COMPLETED
    if reopens:
        # Otherwise anyone could undo a completion that only a reviewer may deny.
        _refuse_who_is_no_reviewer(command.role, command.policy)
    elif command.assignee_id == state.assignee_id:
        return ()
    _refuse_assignee_who_may_not_work(command.assignee_id, command.assignee_role)
    return (TaskReassigned(assignee_id=command.assignee_id, reopens=reopens),)


def _allow(state: Task, transition: Transition) -> None:
    if transition not in TRANSITIONS[state.status]:
        raise TransitionNotAllowed(transition, state.status)


def _refuse_who_is_no_reviewer(role: Role, policy: ApprovalPolicy) -> None:
    if not policy.reviews(role):
        raise NotAReviewer(f"The project's policy leaves this to its {policy.approvers}.")


def _refuse_assignee_who_may_not_work(assignee_id: AccountId | None, role: Role | None) -> None:
    if assignee_id is not None and (role is None or not role.writes):
        raise AssigneeMayNotWork("A task is given to an owner or a member of its project.")


def _lease_end(command: ClaimHelp | CheckInHelp) -> datetime:
    if not HELP_LEASE_MIN_S <= command.lease_s <= HELP_LEASE_MAX_S:
        raise LeaseOutOfRange(
            f"A lease lasts from {HELP_LEASE_MIN_S} to {HELP_LEASE_MAX_S} seconds.",
            lease_min_s=HELP_LEASE_MIN_S,
            lease_max_s=HELP_LEASE_MAX_S,
        )
    return command.at + timedelta(seconds=command.lease_s)


task: Decider[Task, TaskCommand] = Decider(name="task", initial=Task(), decide=decide, evolve=evolve)
"""The rules of the streams of tasks."""
