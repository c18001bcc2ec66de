"""What can be asked of a live session."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from hivesync_core.live.events import LeaveReason

TITLE_CHARS_MAX: Final = 200
ALLOW_MAX: Final = 200
"""Patterns that a session's allow-list may have."""

PATTERN_CHARS_MAX: Final = 400
INVITES_MAX: Final = 100
"""Invites of one session that still let people in."""

VIEWERS_MAX: Final = 12_000
"""Viewers of one session at a time."""

INVITE_LASTS: Final = timedelta(hours=1)
"""How long an invite lets people in (R5)."""

UNWATCHED_MAX: Final = timedelta(hours=1)
"""How long a session lasts without viewers, counted from its start too (R3)."""

AWAY_MAX: Final = timedelta(minutes=10)
"""How long a host or viewer that dropped may resume (R3)."""


class _PersonsCommand(msgspec.Struct, frozen=True, kw_only=True):
    """``by`` whom, and what ``role`` they have in the project of the session (none for strangers)."""

    by: AccountId
    role: Role | None


class StartSession(_PersonsCommand, frozen=True, kw_only=True):
    """Begin to show files to others."""

    session_id: UUID
    project_id: ProjectId
    at: datetime
    title: str = ""
    allow: tuple[str, ...] = ()


class MakeInvite(_PersonsCommand, frozen=True, kw_only=True):
    """Let whoever has the token behind this hash join for an hour."""

    invite_id: UUID
    token_sha256: str
    at: datetime


class RevokeInvite(_PersonsCommand, frozen=True, kw_only=True):
    """Let nobody in by this invite any more; who is in stays."""

    invite_id: UUID


class JoinAsMember(_PersonsCommand, frozen=True, kw_only=True):
    """Watch as a member of the project."""

    viewer_id: UUID
    at: datetime


class JoinByInvite(msgspec.Struct, frozen=True, kw_only=True):
    """Watch by an invite; ``account_id`` is none for a guest."""

    viewer_id: UUID
    account_id: AccountId | None
    invite_id: UUID
    token_sha256: str
    at: datetime


class LeaveSession(msgspec.Struct, frozen=True, kw_only=True):
    """Watch no more: the viewer's own wish, or the system's, as the reason says."""

    viewer_id: UUID
    reason: LeaveReason


class RemoveViewer(_PersonsCommand, frozen=True, kw_only=True):
    """Send a viewer away, and with ``revoke_invite`` let nobody else in by the invite that they came by."""

    viewer_id: UUID
    revoke_invite: bool = True


class EndSession(_PersonsCommand, frozen=True, kw_only=True):
    """Show nothing any more."""


class EndUnwatched(msgspec.Struct, frozen=True, kw_only=True):
    """End it if nobody has watched for an hour. The system's own command; ``watched_at`` is none where nobody ever did."""

    at: datetime
    watched_at: datetime | None


class EndAbandoned(msgspec.Struct, frozen=True, kw_only=True):
    """End it if the host has been away for ten minutes. The system's own command."""

    at: datetime
    host_seen_at: datetime


class EndForStranger(msgspec.Struct, frozen=True, kw_only=True):
    """End it because its host is no member of the project any more. The system's own command."""


LiveCommand = (
    StartSession
    | MakeInvite
    | RevokeInvite
    | JoinAsMember
    | JoinByInvite
    | LeaveSession
    | RemoveViewer
    | EndSession
    | EndUnwatched
    | EndAbandoned
    | EndForStranger
)
