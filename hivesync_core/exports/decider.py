"""The rules of exports: who may ask for what, and how one ends (HIST-2)."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

import msgspec
from msgspec.structs import replace

from hivesync_core.exports.commands import (
    CAUSE_MAX,
    CancelExport,
    CompleteExport,
    ExpireExport,
    ExportCommand,
    FailExport,
    RemoveExport,
    RequestExport,
)
from hivesync_core.exports.events import (
    ExportCancelled,
    ExportCompleted,
    ExportEvent,
    ExportFailed,
    ExportRemoved,
    ExportRequested,
    RemovalCause,
)
from hivesync_core.exports.refusals import (
    ExportExists,
    ExportNotFound,
    ExportNotRunning,
    ExportRunning,
    NotAnExporter,
    NotYourExport,
)
from hivesync_core.exports.selection import checked
from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.roles import Role
from hivesync_core.kernel.text import fit_one_line


class ExportStatus(StrEnum):
    """How far an export is."""

    REQUESTED = "requested"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REMOVED = "removed"


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """An export as its rules need it; ``status`` is none before it was asked for."""

    status: ExportStatus | None = None
    requested_by: AccountId | None = None


def may_export(role: Role | None, *, is_admin: bool, whole_history: bool) -> bool:
    """Whether somebody of this role in the project may export it; ``whole_history`` is more than one project."""
    return is_admin or (not whole_history and role in (Role.OWNER, Role.AUDITOR))


def decide(state: Export, command: ExportCommand) -> tuple[ExportEvent, ...]:
    """The events that follow from ``command``, or a refusal."""
    if isinstance(command, RequestExport):
        return _request(state, command)
    if state.status is None:
        raise ExportNotFound
    match command:
        case CancelExport():
            return _cancel(state, command)
        case RemoveExport():
            return _remove(state, command)
        case CompleteExport():
            return _complete(state, command)
        case FailExport(cause=cause):
            return (ExportFailed(cause=fit_one_line(cause, chars_max=CAUSE_MAX)[0]),) if _runs(state) else ()
        case ExpireExport():
            if state.status is not ExportStatus.COMPLETED:
                return ()
            return (ExportRemoved(removed_by=None, cause=RemovalCause.RETENTION),)
        case _:
            assert_never(command)


def _request(state: Export, command: RequestExport) -> tuple[ExportEvent, ...]:
    if state.status is not None:
        raise ExportExists
    project_id = command.selection.project_id
    if not may_export(command.role, is_admin=command.is_admin, whole_history=project_id is None):
        raise NotAnExporter
    requested = ExportRequested(
        export_id=command.export_id,
        project_id=project_id,
        format=command.format,
        selection=checked(command.selection),
        requested_by=command.by,
    )
    return (requested,)


def _cancel(state: Export, command: CancelExport) -> tuple[ExportEvent, ...]:
    _refuse_strangers(state, command)
    if state.status is ExportStatus.CANCELLED:
        return ()
    if not _runs(state):
        raise ExportNotRunning(f"The export is {state.status}: there is nothing to cancel.", status=state.status)
    return (ExportCancelled(cancelled_by=command.by),)


def _remove(state: Export, command: RemoveExport) -> tuple[ExportEvent, ...]:
    _refuse_strangers(state, command)
    if _runs(state):
        raise ExportRunning("Cancel the export instead.")
    if state.status is not ExportStatus.COMPLETED:
        return ()
    return (ExportRemoved(removed_by=command.by, cause=RemovalCause.ASKED),)


def _complete(state: Export, command: CompleteExport) -> tuple[ExportEvent, ...]:
    if not _runs(state):
        return ()
    completed = ExportCompleted(
        rows=command.rows,
        size_bytes=command.size_bytes,
        sha256=command.sha256,
        first_position=command.first_position,
        last_position=command.last_position,
    )
    return (completed,)


def _runs(state: Export) -> bool:
    return state.status is ExportStatus.REQUESTED


def _refuse_strangers(state: Export, command: CancelExport | RemoveExport) -> None:
    if not (command.is_admin or command.role is Role.OWNER or command.by == state.requested_by):
        raise NotYourExport


def evolve(state: Export, event: Event) -> Export:
    """The export after ``event``."""
    match event:
        case ExportRequested():
            return Export(status=ExportStatus.REQUESTED, requested_by=event.requested_by)
        case ExportCompleted():
            return replace(state, status=ExportStatus.COMPLETED)
        case ExportFailed():
            return replace(state, status=ExportStatus.FAILED)
        case ExportCancelled():
            return replace(state, status=ExportStatus.CANCELLED)
        case ExportRemoved():
            return replace(state, status=ExportStatus.REMOVED)
        case _:
            raise AssertionError(f"not an event of an export: {event!r}")


export: Decider[Export, ExportCommand] = Decider(name="export", initial=Export(), decide=decide, evolve=evolve)
"""The rules of the streams of exports."""
