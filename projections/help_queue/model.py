"""What the help queue keeps of each call for help."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET

from hivesync_core.kernel.event import Recorded
from hivesync_core.tasks.events import (
    HelpCheckedIn,
    HelpClaimed,
    HelpLeaseExpired,
    HelpReleased,
    HelpRequested,
    HelpWithdrawn,
    TaskArchived,
    TaskCompleted,
    TaskCreated,
    TaskEdited,
    TaskImported,
    TaskRestored,
)
from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import Rows, TableRows


class SubjectRow(msgspec.Struct, gc=False):
    """What the queue must know of a task before anybody calls for help on it."""

    task_id: UUID
    project_id: UUID
    title: str


class CallRow(msgspec.Struct, gc=False):
    """A call for help that stands; ``waiting_since`` starts anew when a claim is given back."""

    task_id: UUID
    project_id: UUID
    title: str
    requested_by: UUID
    reason: str
    requested_at: datetime
    waiting_since: datetime
    helper_id: UUID | None
    lease_expires_at: datetime | None
    put_away: bool
    position: int


SUBJECTS = Table("help_subject", SubjectRow, key="task_id", loaded_for=(TaskEdited, HelpRequested))
CALLS = Table(
    "help_call",
    CallRow,
    key="task_id",
    exposed=("project_id", "requested_at", "helper_id", "lease_expires_at", "put_away"),
    history=("project_id",),
    indexes=("(project_id, requested_at, task_id)", "(lease_expires_at)"),
)


class HelpQueue(ReadModel):
    """The calls for help of every project, oldest first."""

    name = "help_queue"
    tables = (SUBJECTS, CALLS)
    events = (
        TaskCreated,
        TaskImported,
        TaskEdited,
        HelpRequested,
        HelpWithdrawn,
        HelpClaimed,
        HelpCheckedIn,
        HelpReleased,
        HelpLeaseExpired,
        TaskCompleted,
        TaskArchived,
        TaskRestored,
    )

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Apply one event of a task."""
        task_id, at, event = recorded.stream_id, recorded.meta.recorded_at, recorded.event
        calls, subjects = rows.of(CALLS), rows.of(SUBJECTS)
        match event:
            case TaskCreated(project_id=project_id, title=title) | TaskImported(project_id=project_id, title=title):
                subjects.insert(SubjectRow(task_id, project_id, title))
            case TaskEdited():
                if event.title is not UNSET:
                    subjects.change(task_id).title = event.title
                    self._change(recorded, calls)
            case HelpRequested(requested_by=account_id, reason=reason):
                subject = subjects.get(task_id)
                if subject is None:
                    raise LookupError(f"the help queue has no task {task_id}")
                calls.insert(
                    CallRow(
                        task_id, subject.project_id, subject.title, account_id, reason, at, at, None, None, False,
                        recorded.position,
                    )
                )  # fmt: skip
            case HelpWithdrawn() | TaskCompleted():
                calls.delete(task_id)
            case _:
                self._change(recorded, calls)

    def _change(self, recorded: Recorded, calls: TableRows[CallRow]) -> None:
        """What an event changes on the call that stands, where one does."""
        if calls.get(recorded.stream_id) is None:
            return
        call = calls.change(recorded.stream_id)
        call.position = recorded.position
        match recorded.event:
            case TaskEdited(title=title) if title is not UNSET:
                call.title = title
            case HelpClaimed(helper_id=helper_id, lease_expires_at=expires_at):
                call.helper_id, call.lease_expires_at = helper_id, expires_at
            case HelpCheckedIn(lease_expires_at=expires_at):
                call.lease_expires_at = expires_at
            case HelpReleased() | HelpLeaseExpired():
                call.helper_id, call.lease_expires_at, call.waiting_since = None, None, recorded.meta.recorded_at
            case TaskArchived():
                call.put_away = True
            case TaskRestored():
                call.put_away = False
