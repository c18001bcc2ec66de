"""What is kept of each export: the request, and how it ended."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from hivesync_core.exports.events import (
    ExportCancelled,
    ExportCompleted,
    ExportFailed,
    ExportRemoved,
    ExportRequested,
)
from hivesync_core.exports.selection import Selection
from hivesync_core.kernel.event import Recorded
from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import Rows


class ExportRow(msgspec.Struct):
    """An export. ``through`` is the last position that it looks at, ``requested_at_position`` that of the request.

    What is known only of a completed one is none before: rows, size, hash, first and last position.
    """

    export_id: UUID
    project_id: UUID | None
    format: str
    selection: Selection
    status: str
    requested_by: UUID
    requested_at: datetime
    requested_at_position: int
    through: int
    ended_at: datetime | None = None
    cause: str | None = None
    rows: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    first_position: int | None = None
    last_position: int | None = None
    version: int = 1


EXPORTS = Table(
    "export_job",
    ExportRow,
    key="export_id",
    exposed=("project_id", "status", "requested_by", "requested_at_position", "ended_at"),
    indexes=("(project_id, requested_at_position)", "(status, requested_at_position)"),
)


class ExportJobs(ReadModel):
    """Every export."""

    name = "export_jobs"
    tables = (EXPORTS,)
    events = (ExportRequested, ExportCompleted, ExportFailed, ExportCancelled, ExportRemoved)

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Apply one event of an export."""
        exports, at, event = rows.of(EXPORTS), recorded.meta.recorded_at, recorded.event
        if isinstance(event, ExportRequested):
            exports.insert(_requested(event, at, recorded.position))
            return
        row = exports.change(recorded.stream_id)
        row.version, row.ended_at = recorded.version, at
        match event:
            case ExportCompleted():
                row.status = "completed"
                row.rows, row.size_bytes, row.sha256 = event.rows, event.size_bytes, event.sha256
                row.first_position, row.last_position = event.first_position, event.last_position
            case ExportFailed(cause=cause):
                row.status, row.cause = "failed", cause
            case ExportCancelled():
                row.status = "cancelled"
            case ExportRemoved(cause=removal):
                row.status, row.cause = "removed", str(removal)


def _requested(event: ExportRequested, at: datetime, position: int) -> ExportRow:
    last = position - 1
    wanted = event.selection.through
    return ExportRow(
        export_id=event.export_id,
        project_id=event.project_id,
        format=str(event.format),
        selection=event.selection,
        status="requested",
        requested_by=event.requested_by,
        requested_at=at,
        requested_at_position=position,
        through=last if wanted is None else min(wanted, last),
    )
