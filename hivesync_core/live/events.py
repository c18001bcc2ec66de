"""What can happen to a live session. No event holds a file's name or text, an invite's secret or a guest's name (R6)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId


class EndReason(StrEnum):
    """Why a session ended."""

    HOST_ENDED = "host_ended"
    OWNER_ENDED = "owner_ended"
    NO_VIEWERS = "no_viewers"
    HOST_AWAY = "host_away"
    HOST_NOT_MEMBER = "host_not_member"


class LeaveReason(StrEnum):
    """Why a viewer left."""

    LEFT = "left"
    TIMED_OUT = "timed_out"
    NOT_MEMBER = "not_member"


class SessionStarted(Event, frozen=True, kw_only=True, tag="live.session_started.v1"):
    """A host began to show files. ``allow`` are the patterns of what may be shown at all; everything where it is empty."""

    session_id: UUID
    project_id: ProjectId
    host_id: AccountId
    title: str
    allow: tuple[str, ...]
    started_at: datetime


class InviteMade(Event, frozen=True, kw_only=True, tag="live.invite_made.v1"):
    """Whoever shows the token behind this hash (SHA-256, in hex) may join until it expires."""

    invite_id: UUID
    token_sha256: str
    made_by: AccountId
    expires_at: datetime


class InviteRevoked(Event, frozen=True, kw_only=True, tag="live.invite_revoked.v1"):
    """The invite lets nobody in any more."""

    invite_id: UUID
    revoked_by: AccountId


class ViewerJoined(Event, frozen=True, kw_only=True, tag="live.viewer_joined.v1"):
    """Somebody watches: by an invite, or as a member of the project. A guest has no account."""

    viewer_id: UUID
    account_id: AccountId | None
    invite_id: UUID | None


class ViewerLeft(Event, frozen=True, kw_only=True, tag="live.viewer_left.v1"):
    """A viewer watches no more."""

    viewer_id: UUID
    reason: LeaveReason


class ViewerRemoved(Event, frozen=True, kw_only=True, tag="live.viewer_removed.v1"):
    """The host, or an owner of the project, sent a viewer away."""

    viewer_id: UUID
    removed_by: AccountId


class SessionEnded(Event, frozen=True, kw_only=True, tag="live.session_ended.v1"):
    """Nothing is shown any more; ``ended_by`` is none where it ended by itself."""

    reason: EndReason
    ended_by: AccountId | None


LiveEvent = SessionStarted | InviteMade | InviteRevoked | ViewerJoined | ViewerLeft | ViewerRemoved | SessionEnded

EVENTS: tuple[type[Event], ...] = (
    SessionStarted,
    InviteMade,
    InviteRevoked,
    ViewerJoined,
    ViewerLeft,
    ViewerRemoved,
    SessionEnded,
)
"""Every event of this feature, for the catalogue."""
