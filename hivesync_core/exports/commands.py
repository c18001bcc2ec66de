"""What can be asked of an export."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from hivesync_core.exports.events import ExportFormat
from hivesync_core.exports.selection import Selection
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.roles import Role

CAUSE_MAX: Final = 1_000
"""Characters of the cause of a failure."""


class _PersonsCommand(msgspec.Struct, frozen=True, kw_only=True):
    """``by`` whom, what ``role`` they have in the export's project (none for strangers), and whether they act as admin."""

    by: AccountId
    role: Role | None = None
    is_admin: bool = False


class RequestExport(_PersonsCommand, frozen=True, kw_only=True):
    """Write this part of the history into a file: an owner or auditor of one project, an admin of anything."""

    export_id: UUID
    format: ExportFormat
    selection: Selection = Selection()


class CancelExport(_PersonsCommand, frozen=True, kw_only=True):
    """Stop writing it."""


class RemoveExport(_PersonsCommand, frozen=True, kw_only=True):
    """Delete the file of an export that has ended."""


class CompleteExport(msgspec.Struct, frozen=True, kw_only=True):
    """Say that the file is there. The system's own command; the fields as in ``ExportCompleted``."""

    rows: int
    size_bytes: int
    sha256: str
    first_position: int | None
    last_position: int | None


class FailExport(msgspec.Struct, frozen=True, kw_only=True):
    """Say why the file could not be written. The system's own command."""

    cause: str


class ExpireExport(msgspec.Struct, frozen=True, kw_only=True):
    """Delete the file because it is older than files are kept. The system's own command."""


ExportCommand = RequestExport | CancelExport | RemoveExport | CompleteExport | FailExport | ExpireExport
