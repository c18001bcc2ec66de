"""What can be asked of the upkeep of a read model."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from hivesync_core.kernel.ids import AccountId

REASON_MAX: Final = 2_000
"""Characters of the reason for leaving an event out."""


class SkipEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Leave out an event that the read model cannot process; whoever asks has seen that it is parked there."""

    projection: str
    stream_id: UUID
    position: int
    reason: str
    by: AccountId | None


class NoteRebuild(msgspec.Struct, frozen=True, kw_only=True):
    """Say that a rebuilt read model serves now. The system's own command; the fields as in ``ProjectionRebuilt``."""

    projection: str
    version: int
    position: int
    events: int
    by: AccountId | None


OperationsCommand = SkipEvent | NoteRebuild
