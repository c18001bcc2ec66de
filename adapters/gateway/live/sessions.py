"""What is done to live sessions over HTTP: started, joined, left, ended; invites made and taken back."""

from __future__ import annotations

import os
from typing import NamedTuple
from uuid import UUID

from adapters.gateway.live.rows import InviteRow, LiveRows, ViewerRow
from adapters.identity.secrets import LIVE_INVITE, LIVE_VIEWER, digest, is_token, new_token
from adapters.ids import uuid7
from hivesync_core.eventstore.log import Context, Log, Outcome
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from hivesync_core.live import commands as c
from hivesync_core.live.decider import live
from hivesync_core.live.refusals import NoSuchInvite


class MadeInvite(NamedTuple):
    """A new invite with its secret, which is shown here and never again."""

    outcome: Outcome
    invite_id: UUID
    token: str


class Joined(NamedTuple):
    """A new viewer with the secret by which its socket is opened."""

    session_id: UUID
    viewer_id: UUID
    token: str


class LiveSessions:
    """Gives the commands and keeps the rows that go with them; every method raises ``Refusal`` and ``StoreUnavailable``."""

    def __init__(self, log: Log, rows: LiveRows) -> None:
        self._log, self._rows = log, rows

    async def start(
        self,
        context: Context,
        by: AccountId,
        role: Role | None,
        project_id: ProjectId,
        title: str,
        allow: tuple[str, ...],
    ) -> Outcome:
        """Start a session; its id is the command's."""
        command = c.StartSession(
            session_id=context.command_id,
            by=by,
            role=role,
            project_id=project_id,
            at=context.at,
            title=title,
            allow=allow,
        )
        outcome = await self._log.execute(live, context.command_id, command, context)
        await self._rows.add_session(outcome.stream_id, project_id, by, os.urandom(32), context.at)
        return outcome

    async def end(self, session_id: UUID, context: Context, by: AccountId, role: Role | None) -> Outcome:
        """End a session: everybody's socket is closed on every process."""
        outcome = await self._log.execute(live, session_id, c.EndSession(by=by, role=role), context)
        await self._rows.end_session(session_id, context.at)
        return outcome

    async def invite(self, session_id: UUID, context: Context, by: AccountId, role: Role | None) -> MadeInvite:
        """Make an invite: a secret of 256 bits, of which the hash is kept."""
        token, invite_id = new_token(LIVE_INVITE), uuid7()
        command = c.MakeInvite(by=by, role=role, invite_id=invite_id, token_sha256=digest(token).hex(), at=context.at)
        outcome = await self._log.execute(live, session_id, command, context)
        await self._rows.add_invite(digest(token), InviteRow(invite_id, session_id), context.at + c.INVITE_LASTS)
        return MadeInvite(outcome, invite_id, token)

    async def revoke(
        self, session_id: UUID, invite_id: UUID, context: Context, by: AccountId, role: Role | None
    ) -> Outcome:
        """Let nobody in by an invite any more."""
        command = c.RevokeInvite(by=by, role=role, invite_id=invite_id)
        return await self._log.execute(live, session_id, command, context)

    async def join_as_member(self, session_id: UUID, context: Context, by: AccountId, role: Role | None) -> Joined:
        """Watch as a member of the project."""
        viewer_id = uuid7()
        command = c.JoinAsMember(by=by, role=role, viewer_id=viewer_id, at=context.at)
        await self._log.execute(live, session_id, command, context)
        return await self._joined(session_id, viewer_id, by, None, context)

    async def join_by_invite(
        self, invite: str, context: Context, *, account_id: AccountId | None, name: str | None
    ) -> Joined:
        """Watch by an invite, with an account or as a guest with a name."""
        row = await self._rows.invite(digest(invite)) if is_token(invite, LIVE_INVITE) else None
        if row is None:
            raise NoSuchInvite("It is unknown, or expired long ago; ask the host for another one.", reason="unknown")
        viewer_id = uuid7()
        command = c.JoinByInvite(
            viewer_id=viewer_id,
            account_id=account_id,
            invite_id=row.invite_id,
            token_sha256=digest(invite).hex(),
            at=context.at,
        )
        await self._log.execute(live, row.session_id, command, context)
        return await self._joined(row.session_id, viewer_id, account_id, name, context)

    async def remove(
        self,
        session_id: UUID,
        viewer_id: UUID,
        context: Context,
        by: AccountId,
        role: Role | None,
        *,
        revoke_invite: bool,
    ) -> Outcome:
        """Send a viewer away; its socket is closed on whatever process it is."""
        command = c.RemoveViewer(by=by, role=role, viewer_id=viewer_id, revoke_invite=revoke_invite)
        outcome = await self._log.execute(live, session_id, command, context)
        await self._rows.end_viewers([viewer_id], context.at)
        return outcome

    async def _joined(
        self, session_id: UUID, viewer_id: UUID, account_id: AccountId | None, name: str | None, context: Context
    ) -> Joined:
        token = new_token(LIVE_VIEWER)
        row = ViewerRow(viewer_id, session_id, account_id, name, context.at, None)
        await self._rows.add_viewer(row, digest(token))
        return Joined(session_id, viewer_id, token)
