"""The rules of one invitation: it lets one person in, once, for a while, and into at most one project."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, assert_never

import msgspec

from hivesync_core.accounts.commands import (
    AcceptInvitation,
    InvitationCommand,
    MakeInvitation,
    RevokeInvitation,
)
from hivesync_core.accounts.events import (
    InvitationAccepted,
    InvitationEvent,
    InvitationMade,
    InvitationRevoked,
)
from hivesync_core.accounts.refusals import (
    ExpiryInThePast,
    InvitationNotOpen,
    MayNotInvite,
    NoSuchInvitation,
    NotAnAdmin,
    RoleWithoutProject,
)
from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Where an invitation stands; ``invited_by`` is none where there is no such invitation."""

    status: Literal["none", "open", "accepted", "revoked"] = "none"
    invited_by: AccountId | None = None
    expires_at: datetime | None = None
    project_id: ProjectId | None = None
    role: Role | None = None


def decide(state: Invitation, command: InvitationCommand) -> tuple[InvitationEvent, ...]:
    """The events that follow from a command, ``()`` where it asks for what is so already; raises a ``Refusal``."""
    match command:
        case MakeInvitation():
            return _make(state, command)
        case AcceptInvitation():
            return _accept(state, command)
        case RevokeInvitation():
            return _revoke(state, command)
        case _:
            assert_never(command)


def evolve(state: Invitation, event: Event) -> Invitation:
    """The invitation after an event of its stream."""
    match event:
        case InvitationMade():
            return Invitation(
                status="open",
                invited_by=event.invited_by,
                expires_at=event.expires_at,
                project_id=event.project_id,
                role=event.role,
            )
        case InvitationAccepted():
            return msgspec.structs.replace(state, status="accepted")
        case InvitationRevoked():
            return msgspec.structs.replace(state, status="revoked")
        case _:
            raise AssertionError(f"{type(event).__name__} does not belong to an invitation")


invitation: Decider[Invitation, InvitationCommand] = Decider(
    name="invitation", initial=Invitation(), decide=decide, evolve=evolve
)
"""The rules of one invitation; its stream is named by the invitation's id."""


def _make(state: Invitation, command: MakeInvitation) -> tuple[InvitationEvent, ...]:
    if state.status != "none":
        return ()
    if (command.project_id is None) != (command.role is None):
        raise RoleWithoutProject
    if command.project_id is None and not command.by.is_admin:
        raise NotAnAdmin("Without a project, only an admin may invite.")
    if command.project_id is not None and command.by_role is not Role.OWNER and not command.by.is_admin:
        raise MayNotInvite
    if command.expires_at <= command.at:
        raise ExpiryInThePast
    return (
        InvitationMade(
            invited_by=command.by.account_id,
            expires_at=command.expires_at,
            project_id=command.project_id,
            role=command.role,
        ),
    )


def _accept(state: Invitation, command: AcceptInvitation) -> tuple[InvitationEvent, ...]:
    if state.status == "none":
        raise NoSuchInvitation
    if state.status != "open":
        raise InvitationNotOpen(f"The invitation was {state.status} before.", status=state.status)
    assert state.expires_at is not None, "an open invitation has an end"
    if command.at >= state.expires_at:
        raise InvitationNotOpen("The invitation has expired; ask for another one.", status="expired")
    return (InvitationAccepted(account_id=command.account_id),)


def _revoke(state: Invitation, command: RevokeInvitation) -> tuple[InvitationEvent, ...]:
    if state.status == "none":
        raise NoSuchInvitation
    if not command.by.is_admin and command.by.account_id != state.invited_by:
        raise NotAnAdmin("An invitation is taken back by whoever made it, or by an admin.")
    if state.status == "accepted":
        raise InvitationNotOpen("The invitation was accepted before.", status="accepted")
    return (InvitationRevoked(),) if state.status == "open" else ()
