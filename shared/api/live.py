"""Live View over the API: sessions, invites, joining, and who was shown what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from shared.api.accounts import PersonName
from shared.api.base import ONE_LINE, Answer, Request
from shared.socket.limits import TOKEN_MAX
from shared.socket.live import EndReason, Viewer

TITLE_MAX = 200
ALLOW_MAX = 200
PATTERN_MAX = 400

_Pattern = Annotated[str, Meta(min_length=1, max_length=PATTERN_MAX, pattern=ONE_LINE)]
_Invite = Annotated[str, Meta(min_length=1, max_length=TOKEN_MAX, description="What stands after `hivesync://live/`.")]


class LiveStart(Request, frozen=True, kw_only=True):
    """A session to start. With ``allow`` only files that one of these patterns names are shown, whoever opens them."""

    title: Annotated[str, Meta(max_length=TITLE_MAX, pattern=r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$")] = ""
    allow: Annotated[
        tuple[_Pattern, ...], Meta(max_length=ALLOW_MAX, description="Patterns as in a .gitignore file.")
    ] = ()


class LiveJoin(Request, frozen=True, kw_only=True):
    """Join by an invite, with one's account."""

    invite: _Invite


class LiveGuest(Request, frozen=True, kw_only=True):
    """Join by an invite without an account, under a name that the host is shown."""

    invite: _Invite
    name: PersonName


class LiveRemoval(Request, frozen=True, kw_only=True):
    """Send a viewer away."""

    revoke_invite: Annotated[
        bool, Meta(description="Let nobody else in by the invite that they came by; a guest could come back by it.")
    ] = True


class LiveSummary(Answer, frozen=True, kw_only=True):
    """A live session."""

    session_id: UUID
    project_id: UUID
    host_id: UUID
    title: str
    allow: tuple[str, ...]
    status: Literal["running", "ended"]
    started_at: datetime
    started_at_position: int
    joined: Annotated[int, Meta(description="How many have joined so far, whoever left again.")]
    reason: Annotated[EndReason | None, Meta(description="Why it ended.")] = None
    ended_at: datetime | None = None


class ShownLive(LiveSummary, frozen=True, kw_only=True):
    """A live session and who watches it now."""

    viewers: list[Viewer]


class LivePage(Answer, frozen=True, kw_only=True):
    """A page of live sessions, the newest first."""

    items: list[LiveSummary]
    next_cursor: str | None
    position: int


class LiveInvite(Answer, frozen=True, kw_only=True):
    """An invite that lets people in until it expires."""

    invite_id: UUID
    expires_at: datetime


class LiveInviteMade(LiveInvite, frozen=True, kw_only=True):
    """A new invite with its secret, which is shown here and never again."""

    token: str
    link: Annotated[str, Meta(description="Opens the desktop client.")]
    web_link: Annotated[str, Meta(description="Opens in a browser; the secret is behind `#` and reaches no server.")]


class LiveInvites(Answer, frozen=True, kw_only=True):
    """The invites of a session that still let people in."""

    items: list[LiveInvite]


class LiveJoined(Answer, frozen=True, kw_only=True):
    """A viewer's place: open `/ws/live` and send `live.view` with ``viewer_token``, which is shown here and never again."""

    session_id: UUID
    viewer_id: UUID
    project_id: UUID
    viewer_token: str
    title: str
    host_name: str


class ExposureLine(Answer, frozen=True, kw_only=True):
    """Lines of a file that a viewer was sent; lines count from one, in the text as it was then."""

    viewer_id: UUID
    account_id: UUID | None
    guest_name: str | None
    file: str
    first_line: int
    last_line: int
    shown_from: datetime
    shown_to: datetime
    by: Literal["snapshot", "edits"]
    certain_until: datetime | None
