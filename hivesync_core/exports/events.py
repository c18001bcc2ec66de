"""What can happen to an export; the file itself is made again from the log at any time."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from hivesync_core.exports.selection import Selection
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId


class ExportFormat(StrEnum):
    """The form of an export's file; its value is the file's ending."""

    CSV = "csv"
    TXT = "txt"
    JSONL = "jsonl"
    OCEL = "jsonocel"


class RemovalCause(StrEnum):
    """Why the file of an export was removed."""

    ASKED = "asked"
    RETENTION = "retention"


class ExportRequested(Event, frozen=True, kw_only=True, tag="export.requested.v1"):
    """Somebody wants a part of the history as a file.

    Where the selection does not say ``through`` which position, it is the last one before this event.
    """

    export_id: UUID
    project_id: ProjectId | None
    format: ExportFormat
    selection: Selection
    requested_by: AccountId


class ExportCompleted(Event, frozen=True, kw_only=True, tag="export.completed.v1"):
    """The file is there. ``sha256`` is of its bytes, in hex; positions are none where it holds no event."""

    rows: int
    size_bytes: int
    sha256: str
    first_position: int | None
    last_position: int | None


class ExportFailed(Event, frozen=True, kw_only=True, tag="export.failed.v1"):
    """The file could not be written; ``cause`` is for people."""

    cause: str


class ExportCancelled(Event, frozen=True, kw_only=True, tag="export.cancelled.v1"):
    """Somebody does not want it any more."""

    cancelled_by: AccountId


class ExportRemoved(Event, frozen=True, kw_only=True, tag="export.removed.v1"):
    """The file was deleted; ``removed_by`` is none where retention did it."""

    removed_by: AccountId | None
    cause: RemovalCause


ExportEvent = ExportRequested | ExportCompleted | ExportFailed | ExportCancelled | ExportRemoved

EVENTS: tuple[type[Event], ...] = (ExportRequested, ExportCompleted, ExportFailed, ExportCancelled, ExportRemoved)
"""Every event of this feature, for the catalogue."""
