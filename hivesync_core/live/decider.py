"""The rules of live sessions: who may start, join, remove and end, and when one ends by itself (LIVE-1, R3, R5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar, assert_never
from uuid import UUID

import msgspec
from msgspec.structs import replace

from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from hivesync_core.kernel.text import fit_one_line
from hivesync_core.live import commands as c
from hivesync_core.live.events import (
    EndReason,
    InviteMade,
    InviteRevoked,
    LeaveReason,
    LiveEvent,
    SessionEnded,
    SessionStarted,
    ViewerJoined,
    ViewerLeft,
    ViewerRemoved,
)
from hivesync_core.live.names import refuse_bad_patterns
from hivesync_core.live.refusals import (
    MayNotHost,
    NoSuchInvite,
    NoSuchViewer,
    NotTheHost,
    SessionExists,
    SessionNotFound,
    SessionOver,
    TooManyInvites,
    TooManyViewers,
    WasRemoved,
)
from shared.socket.live import END_REASONS

Entry = TypeVar("Entry")


class Invite(msgspec.Struct, frozen=True):
    """An invite that was not revoked."""

    token_sha256: str
    expires_at: datetime


class Watcher(msgspec.Struct, frozen=True):
    """Somebody who has joined and not left."""

    account_id: AccountId | None
    invite_id: UUID | None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A live session as its rules need it; ``host_id`` is none before it was started, ``ended`` while it runs.

    ``gone`` says why viewers are not among ``viewers`` any more: none for those who were removed.
    """

    project_id: ProjectId | None = None
    host_id: AccountId | None = None
    title: str = ""
    allow: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended: EndReason | None = None
    invites: Mapping[UUID, Invite] = {}
    viewers: Mapping[UUID, Watcher] = {}
    removed: frozenset[AccountId] = frozenset()
    revoked: frozenset[UUID] = frozenset()
    gone: Mapping[UUID, LeaveReason | None] = {}

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self.host_id is not None and self.ended is None

    def governed_by(self, account_id: UUID, role: Role | None) -> bool:
        """Whether somebody of this role may invite, remove and end: the host while a member, and owners."""
        return role is Role.OWNER or (account_id == self.host_id and role is not None and role.writes)


def decide(state: Session, command: c.LiveCommand) -> tuple[LiveEvent, ...]:
    """The events that follow from ``command``, or a refusal."""
    if isinstance(command, c.StartSession):
        return _start(state, command)
    if state.host_id is None:
        raise SessionNotFound
    if state.ended is not None:
        return _after_the_end(state, command)
    match command:
        case c.MakeInvite():
            return _make_invite(state, command)
        case c.RevokeInvite():
            _refuse_others(state, command.by, command.role)
            if command.invite_id not in state.invites:
                raise NoSuchInvite
            return (InviteRevoked(invite_id=command.invite_id, revoked_by=command.by),)
        case c.JoinAsMember():
            if command.role is None:
                raise SessionNotFound
            return _join(state, command.viewer_id, command.by, None)
        case c.JoinByInvite():
            return _join_by_invite(state, command)
        case c.LeaveSession(viewer_id=viewer_id, reason=left):
            return (ViewerLeft(viewer_id=viewer_id, reason=left),) if viewer_id in state.viewers else ()
        case c.RemoveViewer():
            return _remove(state, command)
        case c.EndSession():
            _refuse_others(state, command.by, command.role)
            reason = EndReason.HOST_ENDED if command.by == state.host_id else EndReason.OWNER_ENDED
            return (SessionEnded(reason=reason, ended_by=command.by),)
        case c.EndUnwatched() | c.EndAbandoned() | c.EndForStranger():
            return _end_by_itself(state, command)
        case _:
            assert_never(command)


def _start(state: Session, command: c.StartSession) -> tuple[LiveEvent, ...]:
    if state.host_id is not None:
        raise SessionExists
    if command.role is None or not command.role.writes:
        raise MayNotHost
    refuse_bad_patterns(command.allow)
    started = SessionStarted(
        session_id=command.session_id,
        project_id=command.project_id,
        host_id=command.by,
        title=fit_one_line(command.title, chars_max=c.TITLE_CHARS_MAX)[0],
        allow=command.allow,
        started_at=command.at,
    )
    return (started,)


def _after_the_end(state: Session, command: c.LiveCommand) -> tuple[LiveEvent, ...]:
    """Nothing is left to do for whoever only wants it to be over; the rest is refused."""
    match command:
        case c.LeaveSession() | c.EndUnwatched() | c.EndAbandoned() | c.EndForStranger():
            return ()
        case c.EndSession():
            _refuse_others(state, command.by, command.role)
            return ()
        case c.JoinByInvite():
            _refuse_bad_invite(state, command)
    assert state.ended is not None
    raise SessionOver(END_REASONS[state.ended.value], reason=state.ended)


def _make_invite(state: Session, command: c.MakeInvite) -> tuple[LiveEvent, ...]:
    _refuse_others(state, command.by, command.role)
    still_good = sum(invite.expires_at > command.at for invite in state.invites.values())
    if still_good >= c.INVITES_MAX:
        raise TooManyInvites("Revoke an invite first.", invites_max=c.INVITES_MAX)
    made = InviteMade(
        invite_id=command.invite_id,
        token_sha256=command.token_sha256,
        made_by=command.by,
        expires_at=command.at + c.INVITE_LASTS,
    )
    return (made,)


def _join_by_invite(state: Session, command: c.JoinByInvite) -> tuple[LiveEvent, ...]:
    _refuse_bad_invite(state, command)
    return _join(state, command.viewer_id, command.account_id, command.invite_id)


def _refuse_bad_invite(state: Session, command: c.JoinByInvite) -> None:
    invite = state.invites.get(command.invite_id)
    if command.invite_id in state.revoked:
        raise NoSuchInvite("It was revoked; ask the host for another one.", reason="revoked")
    if invite is None or invite.token_sha256 != command.token_sha256:
        raise NoSuchInvite("It is unknown; ask the host for another one.", reason="unknown")
    if command.at >= invite.expires_at:
        raise NoSuchInvite(
            "It has expired, as invites do after an hour; ask the host for another one.", reason="expired"
        )


def _join(
    state: Session, viewer_id: UUID, account_id: AccountId | None, invite_id: UUID | None
) -> tuple[LiveEvent, ...]:
    if account_id is not None and account_id in state.removed:
        raise WasRemoved
    if len(state.viewers) >= c.VIEWERS_MAX:
        raise TooManyViewers("Wait until somebody leaves.", viewers_max=c.VIEWERS_MAX)
    return (ViewerJoined(viewer_id=viewer_id, account_id=account_id, invite_id=invite_id),)


def _remove(state: Session, command: c.RemoveViewer) -> tuple[LiveEvent, ...]:
    _refuse_others(state, command.by, command.role)
    watcher = state.viewers.get(command.viewer_id)
    if watcher is None:
        raise NoSuchViewer
    removed = ViewerRemoved(viewer_id=command.viewer_id, removed_by=command.by)
    if command.revoke_invite and watcher.invite_id in state.invites and watcher.invite_id is not None:
        return (removed, InviteRevoked(invite_id=watcher.invite_id, revoked_by=command.by))
    return (removed,)


def _end_by_itself(
    state: Session, command: c.EndUnwatched | c.EndAbandoned | c.EndForStranger
) -> tuple[LiveEvent, ...]:
    match command:
        case c.EndUnwatched(at=at, watched_at=watched_at):
            since = [moment for moment in (state.started_at, watched_at) if moment is not None]
            over, reason = at - max(since) >= c.UNWATCHED_MAX, EndReason.NO_VIEWERS
        case c.EndAbandoned(at=at, host_seen_at=host_seen_at):
            over, reason = at - host_seen_at >= c.AWAY_MAX, EndReason.HOST_AWAY
        case c.EndForStranger():
            over, reason = True, EndReason.HOST_NOT_MEMBER
    return (SessionEnded(reason=reason, ended_by=None),) if over else ()


def _refuse_others(state: Session, by: AccountId, role: Role | None) -> None:
    if not state.governed_by(by, role):
        raise NotTheHost


def evolve(state: Session, event: Event) -> Session:
    """The session after ``event``."""
    match event:
        case SessionStarted():
            return Session(
                project_id=event.project_id,
                host_id=event.host_id,
                title=event.title,
                allow=event.allow,
                started_at=event.started_at,
            )
        case InviteMade():
            return replace(
                state, invites={**state.invites, event.invite_id: Invite(event.token_sha256, event.expires_at)}
            )
        case InviteRevoked():
            return replace(
                state, invites=_without(state.invites, event.invite_id), revoked=state.revoked | {event.invite_id}
            )
        case ViewerJoined():
            return replace(
                state, viewers={**state.viewers, event.viewer_id: Watcher(event.account_id, event.invite_id)}
            )
        case ViewerLeft():
            return replace(
                state,
                viewers=_without(state.viewers, event.viewer_id),
                gone={**state.gone, event.viewer_id: event.reason},
            )
        case ViewerRemoved():
            account_id = state.viewers[event.viewer_id].account_id
            removed = state.removed if account_id is None else state.removed | {account_id}
            return replace(
                state,
                viewers=_without(state.viewers, event.viewer_id),
                removed=removed,
                gone={**state.gone, event.viewer_id: None},
            )
        case SessionEnded():
            return replace(state, ended=event.reason, viewers={}, gone={})
        case _:
            raise AssertionError(f"not an event of a live session: {event!r}")


def _without(entries: Mapping[UUID, Entry], key: UUID) -> dict[UUID, Entry]:
    return {other: entry for other, entry in entries.items() if other != key}


live: Decider[Session, c.LiveCommand] = Decider(name="live", initial=Session(), decide=decide, evolve=evolve)
"""The rules of the streams of live sessions."""
