"""What admins can have done to a read model."""

from __future__ import annotations

from uuid import UUID

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId


class ProjectionEventSkipped(Event, frozen=True, kw_only=True, tag="projection.event_skipped.v1"):
    """A read model leaves out the event at ``position`` of ``stream_id``, now and in every rebuild.

    ``skipped_by`` is none where it was done on the command line.
    """

    projection: str
    stream_id: UUID
    position: int
    reason: str
    skipped_by: AccountId | None


class ProjectionRebuilt(Event, frozen=True, kw_only=True, tag="projection.rebuilt.v1"):
    """A read model was rebuilt from ``events`` events up to ``position`` and put in the place of the one before."""

    projection: str
    version: int
    position: int
    events: int
    rebuilt_by: AccountId | None


OperationsEvent = ProjectionEventSkipped | ProjectionRebuilt

EVENTS: tuple[type[Event], ...] = (ProjectionEventSkipped, ProjectionRebuilt)
"""Every event of this feature, for the catalogue."""
