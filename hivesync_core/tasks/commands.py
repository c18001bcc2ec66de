"""What can be asked of a task."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import ApprovalPolicy, Role
from hivesync_core.tasks.events import ExternalAssignee, Priority

TITLE_MAX: Final = 300
"""Characters of a title; GitHub's have 256 at most."""
DESCRIPTION_MAX: Final = 65_536
"""Characters of a description, as many as GitHub allows in an issue."""
LABELS_MAX: Final = 50
"""Labels of one task."""
LABEL_MAX: Final = 100
"""Characters of a label; GitHub's have 50 at most."""
REASON_MAX: Final = 10_000
"""Characters of the reason of a call for help or of a denial."""
COMMENT_MAX: Final = 65_536
"""Characters of a comment."""
NAME_MAX: Final = 200
"""Characters of a name, an id or a source in another system."""
URL_MAX: Final = 2_000
"""Characters of an imported task's URL."""
ASSIGNEES_MAX: Final = 50
"""Assignees of an imported task."""

HELP_LEASE_S: Final = 4 * 60 * 60
"""Seconds that a claim for help lasts from the claim or the last check-in, where nothing else is asked for."""
HELP_LEASE_MIN_S: Final = 1
HELP_LEASE_MAX_S: Final = 7 * 24 * 60 * 60


class _MembersCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command of a member: ``by`` whom, what ``role`` the door found them to have in the project, and when."""

    by: AccountId
    role: Role
    at: datetime


class CreateTask(_MembersCommand, frozen=True, kw_only=True):
    """Make the task. ``assignee_role`` is what the assignee is in the project, none for a stranger."""

    project_id: ProjectId
    title: str
    description: str = ""
    labels: tuple[str, ...] = ()
    priority: Priority = Priority.NONE
    due: date | None = None
    assignee_id: AccountId | None = None
    assignee_role: Role | None = None


class ImportTask(_MembersCommand, frozen=True, kw_only=True):
    """Make the task as another system tells it; repeated, it does nothing. Fields as in ``TaskImported``.

    The stream is ``importing.imported_task_id``. ``assignee_id`` and the accounts in ``assignees`` are known to be
    members who may work.
    """

    project_id: ProjectId
    source: str
    external_id: str
    title: str
    description: str = ""
    url: str | None = None
    labels: tuple[str, ...] = ()
    priority: Priority = Priority.NONE
    due: date | None = None
    author: str | None = None
    assignees: tuple[ExternalAssignee, ...] = ()
    assignee_id: AccountId | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    closed: bool = False
    closed_at: datetime | None = None
    closed_reason: str | None = None
    shortened: tuple[str, ...] = ()


class EditTask(_MembersCommand, frozen=True, kw_only=True):
    """Change some of these; what is unset stays. A ``due`` of none takes the date away."""

    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    labels: tuple[str, ...] | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    due: date | UnsetType | None = UNSET


class RequestHelp(_MembersCommand, frozen=True, kw_only=True):
    """Call for help."""

    reason: str


class WithdrawHelp(_MembersCommand, frozen=True, kw_only=True):
    """Take the call for help back: by who asked, the assignee or an owner."""


class ClaimHelp(_MembersCommand, frozen=True, kw_only=True):
    """Help, for ``lease_s`` seconds from ``at``: by another member than who asked, and not by the assignee."""

    lease_s: int = HELP_LEASE_S


class CheckInHelp(_MembersCommand, frozen=True, kw_only=True):
    """Renew the lease, for ``lease_s`` seconds from ``at``: by the helper."""

    lease_s: int = HELP_LEASE_S


class ReleaseHelp(_MembersCommand, frozen=True, kw_only=True):
    """Give the claim back: by the helper or an owner."""


class ExpireHelpLease(msgspec.Struct, frozen=True, kw_only=True):
    """End the claim if its lease has run out by ``at``; nothing otherwise. The system's own command."""

    at: datetime


class CompleteTask(_MembersCommand, frozen=True, kw_only=True):
    """Say that the work is done: any member who may work."""


class ApproveTask(_MembersCommand, frozen=True, kw_only=True):
    """Take the work: by a reviewer, as the project's policy says."""

    policy: ApprovalPolicy


class DenyTask(_MembersCommand, frozen=True, kw_only=True):
    """Do not take the work: by a reviewer, who says why."""

    policy: ApprovalPolicy
    reason: str


class ReassignTask(_MembersCommand, frozen=True, kw_only=True):
    """Give the task to ``assignee_id``, or to nobody: by any member, by a reviewer where it is completed.

    ``assignee_role`` is what the assignee is in the project, none for a stranger.
    """

    policy: ApprovalPolicy
    assignee_id: AccountId | None
    assignee_role: Role | None = None


class CommentTask(_MembersCommand, frozen=True, kw_only=True):
    """Say something about the task."""

    comment_id: UUID
    text: str


class ArchiveTask(_MembersCommand, frozen=True, kw_only=True):
    """Put the task away."""


class RestoreTask(_MembersCommand, frozen=True, kw_only=True):
    """Bring an archived task back as it was."""


TaskCommand = (
    CreateTask
    | ImportTask
    | EditTask
    | RequestHelp
    | WithdrawHelp
    | ClaimHelp
    | CheckInHelp
    | ReleaseHelp
    | ExpireHelpLease
    | CompleteTask
    | ApproveTask
    | DenyTask
    | ReassignTask
    | CommentTask
    | ArchiveTask
    | RestoreTask
)
