"""Tasks over the API: what is sent to change one, and how one is shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from shared.api.base import NO_NUL, NOT_BLANK, ONE_LINE, Answer, Request

TITLE_MAX = 300
DESCRIPTION_MAX = 65_536
LABELS_MAX = 50
LABEL_MAX = 100
REASON_MAX = 10_000
COMMENT_MAX = 65_536
HELP_LEASE_S = 4 * 60 * 60
HELP_LEASE_MIN_S = 1
HELP_LEASE_MAX_S = 7 * 24 * 60 * 60

StateName = Literal["open", "help_requested", "helping", "completed", "approved", "archived"]
PriorityName = Literal["none", "low", "medium", "high", "urgent"]

Title = Annotated[str, Meta(min_length=1, max_length=TITLE_MAX, pattern=ONE_LINE)]
Description = Annotated[str, Meta(max_length=DESCRIPTION_MAX, pattern=NO_NUL)]
Label = Annotated[str, Meta(min_length=1, max_length=LABEL_MAX, pattern=ONE_LINE)]
Labels = Annotated[tuple[Label, ...], Meta(max_length=LABELS_MAX)]
Reason = Annotated[str, Meta(min_length=1, max_length=REASON_MAX, pattern=NOT_BLANK)]


class CreateTaskRequest(Request, frozen=True, kw_only=True):
    """A new task."""

    title: Title
    description: Description = ""
    labels: Labels = ()
    priority: PriorityName = "none"
    due: date | None = None
    assignee_id: UUID | None = None


class EditTaskRequest(Request, frozen=True, kw_only=True):
    """What is left out stays as it is; a ``due`` of null takes the date away."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    labels: Labels | UnsetType = UNSET
    priority: PriorityName | UnsetType = UNSET
    due: date | UnsetType | None = UNSET


class ReasonRequest(Request, frozen=True, kw_only=True):
    """Why."""

    reason: Reason


class LeaseRequest(Request, frozen=True, kw_only=True):
    """For how long, in seconds; four hours where nothing is said."""

    lease_s: Annotated[int, Meta(ge=HELP_LEASE_MIN_S, le=HELP_LEASE_MAX_S)] = HELP_LEASE_S


class ReassignRequest(Request, frozen=True, kw_only=True):
    """Whose task it is to be; null for nobody's."""

    assignee_id: UUID | None


class CommentRequest(Request, frozen=True, kw_only=True):
    """What is said about the task."""

    text: Annotated[str, Meta(min_length=1, max_length=COMMENT_MAX, pattern=NOT_BLANK)]


class ShownHelp(Answer, frozen=True, kw_only=True):
    """A call for help; a helper and an expiry where somebody has claimed it."""

    requested_by: UUID
    reason: str
    requested_at: datetime
    helper_id: UUID | None = None
    lease_expires_at: datetime | None = None


class ShownSource(Answer, frozen=True, kw_only=True):
    """Where an imported task comes from, as the other system told it."""

    system: str
    external_id: str
    url: str | None
    author: str | None
    created_at: datetime | None
    closed_at: datetime | None
    closed_reason: str | None


class TaskCard(Answer, frozen=True, kw_only=True):
    """A task as its card on the board shows it; ``version`` and ``position`` are those of its last event."""

    task_id: UUID
    project_id: UUID
    title: str
    state: StateName
    assignee_id: UUID | None
    assignees: list[str]
    labels: list[str]
    priority: PriorityName
    due: date | None
    created_at: datetime
    created_by: UUID | None
    updated_at: datetime
    version: int
    position: int
    comments: int
    help: ShownHelp | None
    completed_at: datetime | None
    completed_by: UUID | None
    approved_at: datetime | None
    approved_by: UUID | None
    denied_reason: str | None
    archived_from: StateName | None
    source: ShownSource | None


class TaskPage(Answer, frozen=True, kw_only=True):
    """Tasks in the order that was asked for, as they stood at ``position``."""

    items: list[TaskCard]
    next_cursor: str | None
    position: int


class ShownText(Answer, frozen=True, kw_only=True):
    """What a task says."""

    task_id: UUID
    project_id: UUID
    title: str
    description: str


class ShownComment(Answer, frozen=True, kw_only=True):
    """One comment on a task."""

    comment_id: UUID
    task_id: UUID
    author_id: UUID
    text: str
    created_at: datetime
    position: int


class CommentPage(Answer, frozen=True, kw_only=True):
    """Comments on a task, the oldest first."""

    items: list[ShownComment]
    next_cursor: str | None
    position: int


class TaskDetail(Answer, frozen=True, kw_only=True):
    """One task with its text, its first comments, and the transitions that its state allows."""

    task: TaskCard
    text: ShownText
    comments: list[ShownComment]
    next_comments: Annotated[str, Meta(description="The cursor of the comments that come after.")] | None
    allowed: list[str]
    position: int


class ShownCall(Answer, frozen=True, kw_only=True):
    """A call for help that stands."""

    task_id: UUID
    project_id: UUID
    title: str
    requested_by: UUID
    reason: str
    requested_at: datetime
    waiting_since: datetime
    helper_id: UUID | None
    lease_expires_at: datetime | None


class QueueEntry(Answer, frozen=True, kw_only=True):
    """A call, its place among those that nobody has claimed (from 1), and how long it has waited."""

    place: int | None
    waiting_s: Annotated[int, Meta(ge=0)]
    call: ShownCall


class HelpQueueAnswer(Answer, frozen=True, kw_only=True):
    """The calls for help of a project, the longest waiting first; claimed ones come last."""

    items: list[QueueEntry]
    position: int


class ChangedTask(Answer, frozen=True, kw_only=True):
    """A task that differs between two moments; null where it did not exist."""

    task_id: UUID
    before: TaskCard | None
    after: TaskCard | None


class ChangesPage(Answer, frozen=True, kw_only=True):
    """The tasks that differ between two positions."""

    from_position: int
    to_position: int
    items: list[ChangedTask]
    next_cursor: str | None


class HistoryEntry(Answer, frozen=True, kw_only=True):
    """One event: what happened, by whose command, when, and because of what."""

    position: int
    version: int
    event_id: UUID
    type: str
    data: dict[str, Any]
    recorded_at: datetime
    actor: Annotated[str, Meta(description="An account id, or `system`.")]
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID | None


class HistoryPage(Answer, frozen=True, kw_only=True):
    """Why a task is as it is: its events, in order."""

    items: list[HistoryEntry]
    next_cursor: str | None
