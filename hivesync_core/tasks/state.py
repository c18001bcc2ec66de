"""A task as its rules need it, and how each event changes it."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.tasks.events import (
    HelpCheckedIn,
    HelpClaimed,
    HelpLeaseExpired,
    HelpReleased,
    HelpRequested,
    HelpWithdrawn,
    Priority,
    TaskApproved,
    TaskArchived,
    TaskCommented,
    TaskCompleted,
    TaskCreated,
    TaskDenied,
    TaskEdited,
    TaskImported,
    TaskReassigned,
    TaskRestored,
)
from hivesync_core.tasks.transitions import Status


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task; ``status`` is none before it exists. Who asked, who helps and who completed are none where nobody does."""

    status: Status | None = None
    project_id: ProjectId | None = None
    title: str = ""
    description: str = ""
    labels: tuple[str, ...] = ()
    priority: Priority = Priority.NONE
    due: date | None = None
    assignee_id: AccountId | None = None
    asked_by: AccountId | None = None
    helper_id: AccountId | None = None
    lease_expires_at: datetime | None = None
    completed_by: AccountId | None = None
    archived_from: Status | None = None

    def lease_has_run_out(self, at: datetime) -> bool:
        """Whether somebody helps whose lease is over at ``at``."""
        return self.status is Status.HELPING and self.lease_expires_at is not None and at >= self.lease_expires_at


def evolve(state: Task, event: Event) -> Task:
    """The task after ``event``."""
    match event:
        case TaskCreated() | TaskImported():
            return _first_state(event)
        case TaskCommented():
            return state
        case TaskEdited():
            return _edited(state, event)
        case HelpClaimed() | HelpCheckedIn():
            return replace(
                state, status=Status.HELPING, helper_id=event.helper_id, lease_expires_at=event.lease_expires_at
            )
        case HelpRequested():
            return replace(state, status=Status.HELP_REQUESTED, asked_by=event.requested_by)
        case HelpReleased() | HelpLeaseExpired():
            return replace(state, status=Status.HELP_REQUESTED, helper_id=None, lease_expires_at=None)
        case HelpWithdrawn():
            return replace(state, status=Status.OPEN, asked_by=None)
        case TaskCompleted():
            return replace(
                state,
                status=Status.COMPLETED,
                completed_by=event.completed_by,
                asked_by=None,
                helper_id=None,
                lease_expires_at=None,
            )
        case TaskApproved():
            return replace(state, status=Status.APPROVED)
        case TaskDenied():
            return replace(state, status=Status.OPEN, completed_by=None)
        case TaskReassigned():
            if event.reopens:
                return replace(state, status=Status.OPEN, completed_by=None, assignee_id=event.assignee_id)
            return replace(state, assignee_id=event.assignee_id)
        case TaskArchived():
            return replace(state, status=Status.ARCHIVED, archived_from=state.status)
        case TaskRestored():
            return replace(state, status=event.status, archived_from=None)
        case _:
            raise AssertionError(f"not an event of a task: {event!r}")


def _first_state(event: TaskCreated | TaskImported) -> Task:
    return Task(
        status=Status.OPEN,
        project_id=event.project_id,
        title=event.title,
        description=event.description,
        labels=event.labels,
        priority=event.priority,
        due=event.due,
        assignee_id=event.assignee_id,
    )


def _edited(state: Task, event: TaskEdited) -> Task:
    return replace(
        state,
        title=state.title if event.title is UNSET else event.title,
        description=state.description if event.description is UNSET else event.description,
        labels=state.labels if event.labels is UNSET else event.labels,
        priority=state.priority if event.priority is UNSET else event.priority,
        due=state.due if event.due is UNSET else event.due,
    )
