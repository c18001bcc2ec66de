"""Who may start, join, remove and end a live session, and when one ends by itself."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.roles import Role
from hivesync_core.live import commands as c
from hivesync_core.live import refusals as r
from hivesync_core.live.decider import live
from hivesync_core.live.events import (
    EndReason,
    InviteMade,
    InviteRevoked,
    LeaveReason,
    SessionEnded,
    SessionStarted,
    ViewerJoined,
    ViewerLeft,
    ViewerRemoved,
)
from tests.core.cast import HELPER, HOUR, MEMBER, NOW, OWNER, PROJECT, ROLES, STRANGER
from tests.core.given import Given

SESSION, INVITE, VIEWER, GUEST = (UUID(int=number) for number in (900, 901, 902, 903))
HASH = "ab" * 32
MINUTE = timedelta(minutes=1)

STARTED = SessionStarted(
    session_id=SESSION, project_id=PROJECT, host_id=MEMBER, title="Pairing", allow=(), started_at=NOW
)
INVITED = InviteMade(invite_id=INVITE, token_sha256=HASH, made_by=MEMBER, expires_at=NOW + HOUR)
JOINED = ViewerJoined(viewer_id=VIEWER, account_id=HELPER, invite_id=None)
GUEST_JOINED = ViewerJoined(viewer_id=GUEST, account_id=None, invite_id=INVITE)
ENDED = SessionEnded(reason=EndReason.HOST_ENDED, ended_by=MEMBER)


def start(by: AccountId, role: Role | None, **more: object) -> c.StartSession:
    """A command to start the session."""
    return c.StartSession(session_id=SESSION, project_id=PROJECT, by=by, role=role, at=NOW, title=" Pairing ", **more)  # type: ignore[arg-type]


def join(at: timedelta, token: str = HASH, account_id: AccountId | None = None) -> c.JoinByInvite:
    """A command to join by the invite, some time after it was made."""
    return c.JoinByInvite(viewer_id=GUEST, account_id=account_id, invite_id=INVITE, token_sha256=token, at=NOW + at)


def test_members_and_owners_start_sessions() -> None:
    Given(live).when(start(MEMBER, Role.MEMBER)).then(STARTED)
    Given(live).when(start(MEMBER, Role.AUDITOR)).then_refused(r.MayNotHost)
    Given(live).when(start(MEMBER, None)).then_refused(r.MayNotHost)
    Given(live, STARTED).when(start(MEMBER, Role.MEMBER)).then_refused(r.SessionExists)
    Given(live).when(start(MEMBER, Role.MEMBER, allow=("!x",))).then_refused(r.PatternRefused)


def test_an_invite_lets_people_in_for_an_hour_and_only_with_its_token() -> None:
    made = c.MakeInvite(by=MEMBER, role=Role.MEMBER, invite_id=INVITE, token_sha256=HASH, at=NOW)
    Given(live, STARTED).when(made).then(INVITED)
    invited = Given(live, STARTED, INVITED)
    invited.when(join(HOUR - timedelta(microseconds=1))).then(GUEST_JOINED)
    invited.when(join(HOUR)).then_refused(r.NoSuchInvite, reason="expired")
    invited.when(join(MINUTE, token="cd" * 32)).then_refused(r.NoSuchInvite, reason="unknown")
    revoked = InviteRevoked(invite_id=INVITE, revoked_by=OWNER)
    invited.when(c.RevokeInvite(by=OWNER, role=Role.OWNER, invite_id=INVITE)).then(revoked)
    Given(live, STARTED, INVITED, revoked).when(join(MINUTE)).then_refused(r.NoSuchInvite, reason="revoked")
    over = Given(live, STARTED, INVITED, ENDED)
    over.when(join(MINUTE)).then_refused(r.SessionOver, reason=EndReason.HOST_ENDED)
    over.when(join(MINUTE, token="cd" * 32)).then_refused(r.NoSuchInvite, reason="unknown")
    over.when(join(HOUR)).then_refused(r.NoSuchInvite, reason="expired")


def test_an_expired_or_revoked_invite_evicts_nobody() -> None:
    Given(live, STARTED, INVITED, GUEST_JOINED).when(
        c.RevokeInvite(by=MEMBER, role=Role.MEMBER, invite_id=INVITE)
    ).then_state(viewers=live.fold([STARTED, INVITED, GUEST_JOINED]).viewers)


@pytest.mark.parametrize(
    "command",
    [
        c.MakeInvite(by=HELPER, role=Role.MEMBER, invite_id=INVITE, token_sha256=HASH, at=NOW),
        c.RevokeInvite(by=HELPER, role=Role.MEMBER, invite_id=INVITE),
        c.RemoveViewer(by=HELPER, role=Role.MEMBER, viewer_id=VIEWER),
        c.EndSession(by=HELPER, role=Role.MEMBER),
        c.EndSession(by=MEMBER, role=None),
        c.EndSession(by=MEMBER, role=Role.AUDITOR),
        c.EndSession(by=STRANGER, role=None),
    ],
)
def test_only_the_host_and_owners_govern_a_session(command: c.LiveCommand) -> None:
    Given(live, STARTED, INVITED, JOINED).when(command).then_refused(r.NotTheHost)


def test_members_join_and_leave_and_strangers_find_nothing() -> None:
    session = Given(live, STARTED)
    session.when(c.JoinAsMember(by=HELPER, role=ROLES[HELPER], viewer_id=VIEWER, at=NOW)).then(JOINED)
    session.when(c.JoinAsMember(by=STRANGER, role=None, viewer_id=VIEWER, at=NOW)).then_refused(r.SessionNotFound)
    left = c.LeaveSession(viewer_id=VIEWER, reason=LeaveReason.LEFT)
    Given(live, STARTED, JOINED).when(left).then(ViewerLeft(viewer_id=VIEWER, reason=LeaveReason.LEFT))
    session.when(left).then_nothing()


def test_who_was_removed_does_not_come_back_and_their_invite_lets_nobody_in() -> None:
    removed = ViewerRemoved(viewer_id=VIEWER, removed_by=MEMBER)
    remove = c.RemoveViewer(by=MEMBER, role=Role.MEMBER, viewer_id=VIEWER)
    Given(live, STARTED, JOINED).when(remove).then(removed)
    again = c.JoinAsMember(by=HELPER, role=Role.MEMBER, viewer_id=GUEST, at=NOW)
    Given(live, STARTED, JOINED, removed).when(again).then_refused(r.WasRemoved)
    Given(live, STARTED, INVITED, JOINED, removed).when(join(MINUTE, account_id=HELPER)).then_refused(r.WasRemoved)
    Given(live, STARTED, JOINED, removed).when(remove).then_refused(r.NoSuchViewer)
    guest = Given(live, STARTED, INVITED, GUEST_JOINED)
    gone = ViewerRemoved(viewer_id=GUEST, removed_by=OWNER)
    revoked = InviteRevoked(invite_id=INVITE, revoked_by=OWNER)
    guest.when(c.RemoveViewer(by=OWNER, role=Role.OWNER, viewer_id=GUEST)).then(gone, revoked)
    guest.when(c.RemoveViewer(by=OWNER, role=Role.OWNER, viewer_id=GUEST, revoke_invite=False)).then(gone)


def test_invites_and_viewers_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c, "INVITES_MAX", 1)
    monkeypatch.setattr(c, "VIEWERS_MAX", 1)
    another = c.MakeInvite(by=MEMBER, role=Role.MEMBER, invite_id=VIEWER, token_sha256=HASH, at=NOW + MINUTE)
    Given(live, STARTED, INVITED).when(another).then_refused(r.TooManyInvites, invites_max=1)
    Given(live, STARTED, INVITED, JOINED).when(join(MINUTE)).then_refused(r.TooManyViewers, viewers_max=1)


def test_a_session_ends_after_an_hour_without_viewers_counted_from_its_start_too() -> None:
    for watched_at, at, ends in (
        (None, HOUR - MINUTE, False),
        (None, HOUR, True),
        (NOW + MINUTE, HOUR, False),
        (NOW + MINUTE, HOUR + MINUTE, True),
        (NOW - MINUTE, HOUR - MINUTE, False),
    ):
        then = Given(live, STARTED).when(c.EndUnwatched(at=NOW + at, watched_at=watched_at))
        if ends:
            then.then(SessionEnded(reason=EndReason.NO_VIEWERS, ended_by=None))
        else:
            then.then_nothing()


def test_a_session_ends_when_its_host_has_been_away_for_ten_minutes() -> None:
    abandoned = Given(live, STARTED)
    abandoned.when(c.EndAbandoned(at=NOW + 10 * MINUTE, host_seen_at=NOW + MINUTE)).then_nothing()
    abandoned.when(c.EndAbandoned(at=NOW + 11 * MINUTE, host_seen_at=NOW + MINUTE)).then(
        SessionEnded(reason=EndReason.HOST_AWAY, ended_by=None)
    )
    abandoned.when(c.EndForStranger()).then(SessionEnded(reason=EndReason.HOST_NOT_MEMBER, ended_by=None))


def test_the_end_says_who_ended_it_and_is_the_end() -> None:
    Given(live, STARTED).when(c.EndSession(by=MEMBER, role=Role.MEMBER)).then(ENDED)
    Given(live, STARTED).when(c.EndSession(by=OWNER, role=Role.OWNER)).then(
        SessionEnded(reason=EndReason.OWNER_ENDED, ended_by=OWNER)
    )
    over = Given(live, STARTED, JOINED, ENDED)
    over.when(c.EndSession(by=MEMBER, role=Role.MEMBER)).then_nothing()
    over.when(c.EndAbandoned(at=NOW + HOUR, host_seen_at=NOW)).then_nothing()
    over.when(c.JoinAsMember(by=HELPER, role=Role.MEMBER, viewer_id=GUEST, at=NOW)).then_refused(
        r.SessionOver, reason=EndReason.HOST_ENDED
    )
    Given(live).when(c.EndSession(by=MEMBER, role=Role.MEMBER)).then_refused(r.SessionNotFound)
