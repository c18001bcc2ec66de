"""Why a task refuses a command."""

from __future__ import annotations

from hivesync_core.kernel.refusal import Conflict, Forbidden, Invalid, NotFound
from hivesync_core.tasks.transitions import Status, Transition, allowed_now


class TaskNotFound(NotFound):
    """No task has this id."""

    code = "task.not_found"
    title = "There is no such task"


class TransitionNotAllowed(Conflict):
    """The table (TASK-2) has no such transition from the task's state.

    The facts are ``transition``, ``state`` and ``allowed``: the names of the transitions that the state has.
    """

    code = "task.transition_not_allowed"
    title = "The task's state does not allow this transition"

    def __init__(self, transition: Transition, status: Status | None) -> None:
        allowed = list(allowed_now(status))
        super().__init__(
            f"{transition} is not possible while the task is {status}; possible now: {', '.join(allowed)}.",
            transition=str(transition),
            state=str(status),
            allowed=allowed,
        )


class OwnHelpCall(Conflict):
    """Help comes from another member than who asked for it or who has the task; facts as in the refusal above."""

    code = "task.own_help_call"
    title = "Another member has to claim this call for help"

    def __init__(self) -> None:
        others = [name for name in allowed_now(Status.HELP_REQUESTED) if name != Transition.CLAIM_HELP]
        super().__init__(
            "Help is claimed by another member than the one who asked and the one who has the task.",
            transition=str(Transition.CLAIM_HELP),
            state=str(Status.HELP_REQUESTED),
            allowed=others,
        )


class RoleOnlyReads(Forbidden):
    """An auditor reads and changes nothing."""

    code = "task.role_only_reads"
    title = "This role only reads"


class NotAReviewer(Forbidden):
    """Approving, denying and reopening are for owners, and for members where the policy says so."""

    code = "task.not_a_reviewer"
    title = "Only a reviewer may do that"


class OwnWorkNotApprovable(Forbidden):
    """The policy wants a second person: who completed a task may not approve it."""

    code = "task.own_work_not_approvable"
    title = "Somebody else has to approve this work"


class NotTheHelper(Forbidden):
    """Only who claimed the call may check in; only they and owners may release it."""

    code = "task.not_the_helper"
    title = "Only the helper may do that"


class NotTheAsker(Forbidden):
    """Only who called for help, the assignee and owners may take the call back."""

    code = "task.not_the_asker"
    title = "Only who asked for help may take that back"


class AssigneeMayNotWork(Invalid):
    """A task is given to members who may work on it: no strangers, no auditors."""

    code = "task.assignee_may_not_work"
    title = "The assignee may not work in this project"


class TooManyLabels(Invalid):
    """More labels than a task can have; the facts name the limit."""

    code = "task.too_many_labels"
    title = "The task would have too many labels"


class LeaseOutOfRange(Invalid):
    """A claim lasts longer than nothing and shorter than for ever; the facts name the limits in seconds."""

    code = "task.lease_out_of_range"
    title = "The lease is too short or too long"


class TooManyAssignees(Invalid):
    """More assignees than an imported task can have; the facts name the limit."""

    code = "task.too_many_assignees"
    title = "The imported task has too many assignees"
