"""What can happen to a task."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.tasks.transitions import Status


class Priority(StrEnum):
    """How urgent a task is, from not at all to most."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class TaskCreated(Event, frozen=True, kw_only=True, tag="task.created.v1"):
    """A task exists and is open. ``labels`` are sorted and without doubles."""

    project_id: ProjectId
    title: str
    description: str
    labels: tuple[str, ...]
    priority: Priority
    due: date | None
    assignee_id: AccountId | None
    created_by: AccountId


class ExternalAssignee(msgspec.Struct, frozen=True, kw_only=True):
    """An assignee as the other system named them, with the account they are here where one is known."""

    name: str
    account_id: AccountId | None = None


class TaskImported(Event, frozen=True, kw_only=True, tag="task.imported.v1"):
    """A task exists and is open, as another system told it; the times are that system's.

    ``source`` is that system (``github``, ``csv``), ``external_id`` its name for the task, unique in the project and
    source. ``author`` is a name there, not an account here. ``shortened`` names the fields that did not fit as they
    were. A task that was closed there is completed and approved by the events that follow in the same append.
    """

    project_id: ProjectId
    source: str
    external_id: str
    url: str | None
    title: str
    description: str
    labels: tuple[str, ...]
    priority: Priority
    due: date | None
    author: str | None
    assignees: tuple[ExternalAssignee, ...]
    assignee_id: AccountId | None
    created_at: datetime | None
    updated_at: datetime | None
    closed_at: datetime | None
    closed_reason: str | None
    shortened: tuple[str, ...]
    imported_by: AccountId


class TaskEdited(Event, frozen=True, kw_only=True, tag="task.edited.v1"):
    """Some of these changed; what did not change is unset. A ``due`` of none took the date away."""

    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    labels: tuple[str, ...] | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    due: date | UnsetType | None = UNSET


class HelpRequested(Event, frozen=True, kw_only=True, tag="task.help_requested.v1"):
    """A member called for help; the task waits in the help queue."""

    requested_by: AccountId
    reason: str


class HelpWithdrawn(Event, frozen=True, kw_only=True, tag="task.help_withdrawn.v1"):
    """The call for help was taken back; the task is open."""


class HelpClaimed(Event, frozen=True, kw_only=True, tag="task.help_claimed.v1"):
    """Another member helps until the lease runs out, or longer if they check in."""

    helper_id: AccountId
    lease_expires_at: datetime


class HelpCheckedIn(Event, frozen=True, kw_only=True, tag="task.help_checked_in.v1"):
    """The helper is still at it: the lease runs out later."""

    helper_id: AccountId
    lease_expires_at: datetime


class HelpReleased(Event, frozen=True, kw_only=True, tag="task.help_released.v1"):
    """The claim was given back; the call for help stands again. ``helper_id`` is who had claimed it."""

    helper_id: AccountId


class HelpLeaseExpired(Event, frozen=True, kw_only=True, tag="task.help_lease_expired.v1"):
    """The claim's lease ran out at ``lease_expires_at``; the call for help stands again."""

    helper_id: AccountId
    lease_expires_at: datetime


class TaskCompleted(Event, frozen=True, kw_only=True, tag="task.completed.v1"):
    """The work is done and waits for a reviewer; help, if there was any, has ended.

    ``completed_by`` is none and ``occurred_at`` the original time where another system told it.
    """

    completed_by: AccountId | None
    occurred_at: datetime | None = None


class TaskApproved(Event, frozen=True, kw_only=True, tag="task.approved.v1"):
    """A reviewer took the work. None and the original time as in ``TaskCompleted``."""

    approved_by: AccountId | None
    occurred_at: datetime | None = None


class TaskDenied(Event, frozen=True, kw_only=True, tag="task.denied.v1"):
    """A reviewer did not take the work; the task is open again."""

    denied_by: AccountId
    reason: str


class TaskReassigned(Event, frozen=True, kw_only=True, tag="task.reassigned.v1"):
    """Somebody else has the task, or nobody. ``reopens`` where it was completed: it is open again."""

    assignee_id: AccountId | None
    reopens: bool


class TaskCommented(Event, frozen=True, kw_only=True, tag="task.commented.v1"):
    """Somebody said something about the task."""

    comment_id: UUID
    author_id: AccountId
    text: str


class TaskArchived(Event, frozen=True, kw_only=True, tag="task.archived.v1"):
    """The task is put away."""


class TaskRestored(Event, frozen=True, kw_only=True, tag="task.restored.v1"):
    """The task is back in ``status``, the state it was archived in, with its helper and lease as they were."""

    status: Status


TaskEvent = (
    TaskCreated
    | TaskImported
    | TaskEdited
    | HelpRequested
    | HelpWithdrawn
    | HelpClaimed
    | HelpCheckedIn
    | HelpReleased
    | HelpLeaseExpired
    | TaskCompleted
    | TaskApproved
    | TaskDenied
    | TaskReassigned
    | TaskCommented
    | TaskArchived
    | TaskRestored
)

EVENTS: tuple[type[Event], ...] = (
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
"""Every event of this feature, for the catalogue."""
