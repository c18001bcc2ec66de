"""What the board keeps of each task, and how every event of a task changes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from hivesync_core.kernel.event import Event, Recorded
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
    TaskCreated,
    TaskDenied,
    TaskEdited,
    TaskImported,
    TaskReassigned,
    TaskRestored,
)
from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import Rows
from projections.engine.shared_ids import shared


class Help(msgspec.Struct, frozen=True, gc=False):
    """A call for help; a helper and an expiry where somebody has claimed it."""

    requested_by: UUID
    reason: str
    requested_at: datetime
    helper_id: UUID | None = None
    lease_expires_at: datetime | None = None


class Source(msgspec.Struct, frozen=True, gc=False):
    """Where an imported task comes from, as the other system told it."""

    system: str
    external_id: str
    url: str | None
    author: str | None
    created_at: datetime | None
    closed_at: datetime | None
    closed_reason: str | None


class TaskRow(msgspec.Struct, gc=False):
    """A task as its card on the board shows it; ``version`` and ``position`` are those of its last event."""

    task_id: UUID
    project_id: UUID
    title: str
    state: str
    assignee_id: UUID | None
    assignees: list[str]
    labels: list[str]
    priority: str
    due: date | None
    created_at: datetime
    created_by: UUID | None
    updated_at: datetime
    version: int
    position: int
    comments: int = 0
    help: Help | None = None
    completed_at: datetime | None = None
    completed_by: UUID | None = None
    approved_at: datetime | None = None
    approved_by: UUID | None = None
    denied_reason: str | None = None
    archived_from: str | None = None
    source: Source | None = None


class TextRow(msgspec.Struct, gc=False):
    """What a task says: its title and description."""

    task_id: UUID
    project_id: UUID
    title: str
    description: str


class CommentRow(msgspec.Struct, gc=False):
    """One comment on a task."""

    comment_id: UUID
    task_id: UUID
    author_id: UUID
    text: str
    created_at: datetime
    position: int


TASKS = Table(
    "board_task",
    TaskRow,
    key="task_id",
    exposed=("project_id", "title", "state", "assignee_id", "labels", "priority", "due", "created_at", "updated_at"),
    history=(),
    indexes=(
        "(project_id, updated_at DESC, task_id DESC)",
        "(project_id, created_at DESC, task_id DESC)",
        "(project_id, state, updated_at DESC, task_id DESC)",
        "(assignee_id)",
    ),
)
WORDS = "to_tsvector('simple'::regconfig, (doc::json->>'title') || ' ' || (doc::json->>'description'))"
"""The words of a text, in SQL."""

TEXTS = Table(
    "board_text",
    TextRow,
    key="task_id",
    exposed=("project_id",),
    history=(),
    loaded_for=(TaskEdited,),
    # Worked out as the rows come in, by another process than that which folds the log; an index alone would have to be
    # made of all of them at the end.
    generated=(("words", f"tsvector GENERATED ALWAYS AS ({WORDS}) STORED"),),
    indexes=("USING gin (words)", "(project_id)"),
)
COMMENTS = Table(
    "board_comment",
    CommentRow,
    key="position",
    exposed=("task_id",),
    append_only=True,
    indexes=("(task_id, position)",),
)


class Board(ReadModel):
    """Every task, with the versions that it had."""

    name = "board"
    version = 2
    tables = (TASKS, TEXTS, COMMENTS)
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
        TaskApproved,
        TaskDenied,
        TaskReassigned,
        TaskCommented,
        TaskArchived,
        TaskRestored,
    )

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Apply one event of a task."""
        event = recorded.event
        change = _CHANGES.get(type(event))
        if change is None:
            _begin(recorded, event, rows)
            return
        row, at = rows.of(TASKS).change(recorded.stream_id), recorded.meta.recorded_at
        row.version, row.position = recorded.version, recorded.position
        occurred_at = event.occurred_at if type(event) in _DATED else None
        # A task that arrives completed keeps the time of its last change in the other system.
        row.updated_at = at if occurred_at is None else max(row.updated_at, occurred_at)
        change(row, event, at)
        beside = _BESIDE.get(type(event))
        if beside is not None:
            beside(recorded, event, rows)


def _begin(recorded: Recorded, event: TaskCreated | TaskImported, rows: Rows) -> None:
    """A task begins; an imported one with the times that it had in the other system."""
    at, task_id = recorded.meta.recorded_at, recorded.stream_id
    row = TaskRow(
        task_id=task_id,
        project_id=shared(event.project_id),
        title=event.title,
        state="open",
        assignee_id=shared(event.assignee_id),
        assignees=[],
        labels=list(event.labels),
        priority=event.priority,
        due=event.due,
        created_at=at,
        created_by=None,
        updated_at=at,
        version=recorded.version,
        position=recorded.position,
    )
    if isinstance(event, TaskCreated):
        row.created_by = shared(event.created_by)
    else:
        row.assignees = [assignee.name for assignee in event.assignees]
        row.created_at = event.created_at or at
        row.updated_at = event.updated_at or row.created_at
        row.source = Source(
            event.source,
            event.external_id,
            event.url,
            event.author,
            event.created_at,
            event.closed_at,
            event.closed_reason,
        )
    rows.of(TASKS).insert(row)
    rows.of(TEXTS).insert(TextRow(task_id, event.project_id, event.title, event.description))


def _commented(row: TaskRow, event: TaskCommented, at: datetime) -> None:
    row.comments += 1


def _completed(row: TaskRow, event: TaskCompleted, at: datetime) -> None:
    row.state, row.help, row.denied_reason = "completed", None, None
    row.completed_by, row.completed_at = shared(event.completed_by), event.occurred_at or at


def _approved(row: TaskRow, event: TaskApproved, at: datetime) -> None:
    row.state, row.approved_by, row.approved_at = "approved", shared(event.approved_by), event.occurred_at or at


def _denied(row: TaskRow, event: TaskDenied, at: datetime) -> None:
    row.state, row.denied_reason = "open", event.reason
    row.completed_by = row.completed_at = None


def _help_requested(row: TaskRow, event: HelpRequested, at: datetime) -> None:
    row.state, row.help = "help_requested", Help(shared(event.requested_by), event.reason, at)


def _help_withdrawn(row: TaskRow, event: HelpWithdrawn, at: datetime) -> None:
    row.state, row.help = "open", None


def _help_claimed(row: TaskRow, event: HelpClaimed, at: datetime) -> None:
    assert row.help is not None, "somebody called for help"
    row.state = "helping"
    row.help = replace(row.help, helper_id=shared(event.helper_id), lease_expires_at=event.lease_expires_at)


def _help_checked_in(row: TaskRow, event: HelpCheckedIn, at: datetime) -> None:
    assert row.help is not None, "somebody called for help"
    row.help = replace(row.help, lease_expires_at=event.lease_expires_at)


def _help_given_back(row: TaskRow, event: HelpReleased | HelpLeaseExpired, at: datetime) -> None:
    assert row.help is not None, "somebody called for help"
    row.state = "help_requested"
    row.help = replace(row.help, helper_id=None, lease_expires_at=None)


def _reassigned(row: TaskRow, event: TaskReassigned, at: datetime) -> None:
    row.assignee_id, row.assignees = shared(event.assignee_id), []
    if event.reopens:
        row.state = "open"
        row.completed_by = row.completed_at = None


def _archived(row: TaskRow, event: TaskArchived, at: datetime) -> None:
    row.state, row.archived_from = "archived", row.state


def _restored(row: TaskRow, event: TaskRestored, at: datetime) -> None:
    row.state, row.archived_from = str(event.status), None


def _edited(row: TaskRow, event: TaskEdited, at: datetime) -> None:
    if event.title is not UNSET:
        row.title = event.title
    if event.labels is not UNSET:
        row.labels = list(event.labels)
    if event.priority is not UNSET:
        row.priority = event.priority
    if event.due is not UNSET:
        row.due = event.due


def _keep_comment(recorded: Recorded, event: TaskCommented, rows: Rows) -> None:
    """A comment is a row of its own."""
    at, position = recorded.meta.recorded_at, recorded.position
    rows.of(COMMENTS).insert(
        CommentRow(event.comment_id, recorded.stream_id, event.author_id, event.text, at, position)
    )


def _edit_text(recorded: Recorded, event: TaskEdited, rows: Rows) -> None:
    """An edit of the title or the description gives a new version of the text."""
    if event.title is UNSET and event.description is UNSET:
        return
    text = rows.of(TEXTS).change(recorded.stream_id)
    if event.title is not UNSET:
        text.title = event.title
    if event.description is not UNSET:
        text.description = event.description


_CHANGES: dict[type[Event], Callable[[TaskRow, Any, datetime], None]] = {
    TaskCommented: _commented,
    TaskCompleted: _completed,
    TaskApproved: _approved,
    TaskDenied: _denied,
    HelpRequested: _help_requested,
    HelpWithdrawn: _help_withdrawn,
    HelpClaimed: _help_claimed,
    HelpCheckedIn: _help_checked_in,
    HelpReleased: _help_given_back,
    HelpLeaseExpired: _help_given_back,
    TaskReassigned: _reassigned,
    TaskArchived: _archived,
    TaskRestored: _restored,
    TaskEdited: _edited,
}
"""What each event changes on the card, beside its version, position and time."""

_DATED = frozenset(event for event in _CHANGES if "occurred_at" in event.__struct_fields__)
"""Those that may say when they happened in another system."""

_BESIDE: dict[type[Event], Callable[[Recorded, Any, Rows], None]] = {
    TaskCommented: _keep_comment,
    TaskEdited: _edit_text,
}
"""What some events change in other tables than that of the cards."""
