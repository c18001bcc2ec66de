"""Invitations: made by admins and by owners of projects, used once to make an account (ACC-1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from adapters.identity.account_rows import AccountRow, email_key
from adapters.identity.attempts import AttemptLimits
from adapters.identity.caller import Caller
from adapters.identity.directory import Directory, EmailRefused, NewPerson, checked_email
from adapters.identity.invitation_rows import InvitationRow, InvitationRows
from adapters.identity.secrets import INVITATION, digest, is_token, new_token
from adapters.identity.settings import IdentitySettings
from adapters.ids import uuid7
from hivesync_core.accounts.commands import (
    AcceptInvitation,
    MakeInvitation,
    RegisterAccount,
    RevokeInvitation,
)
from hivesync_core.accounts.invitation import invitation
from hivesync_core.accounts.refusals import NoSuchInvitation
from hivesync_core.eventstore.log import Context, Log, Submission
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from hivesync_core.projects.commands import AddMember
from hivesync_core.projects.decider import project


class Invitations:
    """Makes, lists, takes back and accepts invitations."""

    def __init__(
        self,
        rows: InvitationRows,
        directory: Directory,
        attempts: AttemptLimits,
        settings: IdentitySettings,
        log: Log,
    ) -> None:
        self._rows, self._directory, self._attempts = rows, directory, attempts
        self._settings, self._log = settings, log

    async def make(
        self,
        caller: Caller,
        context: Context,
        *,
        email: str | None = None,
        project_id: ProjectId | None = None,
        role: Role | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[InvitationRow, str]:
        """A new invitation and its secret, which is shown here and never again.

        Raises ``NotAnAdmin``, ``MayNotInvite``, ``RoleWithoutProject``, ``ExpiryInThePast``.
        """
        by_role = None
        if project_id is not None:
            by_role = (await self._log.state(project, project_id)).state.members.get(caller.account_id)
        row = InvitationRow(
            invitation_id=uuid7(),
            email=None if email is None else checked_email(email),
            invited_by=caller.account_id,
            project_id=project_id,
            role=role,
            created_at=context.at,
            expires_at=expires_at or context.at + timedelta(seconds=self._settings.invitation_ttl_s),
        )
        command = MakeInvitation(
            by=caller.actor,
            by_role=by_role,
            at=context.at,
            expires_at=row.expires_at,
            project_id=project_id,
            role=role,
        )
        await self._log.execute(invitation, row.invitation_id, command, context)
        secret = new_token(INVITATION)
        await self._rows.insert(row, digest(secret))
        return row, secret

    def link(self, secret: str) -> str:
        """The address that an invited person opens in the browser."""
        return f"{self._settings.public_url}/invitation?token={secret}"

    async def open_one(self, secret: str, ip: str) -> InvitationRow:
        """The open invitation that a secret belongs to. Raises ``NoSuchInvitation``, ``RateLimited``."""
        await self._attempts.hit("invitation_attempts", ip)
        row = await self._rows.find_by_token(digest(secret)) if is_token(secret, INVITATION) else None
        if row is None:
            raise NoSuchInvitation("The invitation was used or taken back, or has expired; ask for another one.")
        return row

    async def accept(
        self, secret: str, ip: str, context: Context, *, email: str, name: str, password: str
    ) -> AccountRow:
        """Make the account, use the invitation up and join its project: all of it, or nothing.

        Raises what ``open_one`` and the rules raise, ``EmailTaken``, ``EmailRefused``, ``PasswordRefused``.
        """
        row = await self.open_one(secret, ip)
        if row.email is not None and email and email_key(email) != email_key(row.email):
            raise EmailRefused("The invitation was made for another e-mail address.")
        person = NewPerson(row.email or email, name, password)
        account_id = AccountId(uuid7())
        others = [
            Submission(invitation, row.invitation_id, AcceptInvitation(account_id=account_id, at=context.at)),
            *await self._joining(row, account_id),
        ]
        command = RegisterAccount(account_id=account_id, origin="invitation", invitation_id=row.invitation_id)
        made = await self._directory.register(
            person, command, others, context._replace(actor=str(account_id), idempotency=None)
        )
        await self._rows.delete(row.invitation_id)
        return made

    async def revoke(self, caller: Caller, invitation_id: UUID, context: Context) -> None:
        """Take an invitation back. Raises ``NoSuchInvitation``, ``NotAnAdmin``, ``InvitationNotOpen``."""
        await self._log.execute(invitation, invitation_id, RevokeInvitation(by=caller.actor), context)
        await self._rows.delete(invitation_id)

    async def page(self, caller: Caller, after: UUID | None, limit: int) -> list[InvitationRow]:
        """Open invitations: the caller's own, or everybody's for an admin."""
        return await self._rows.page(None if caller.acts_as_admin else caller.account_id, after, limit)

    async def _joining(self, row: InvitationRow, account_id: AccountId) -> list[Submission]:
        """The command that lets the new account into the project, in the name of whoever invited it.

        The project's own rules decide again: an inviter who may no longer add members lets nobody in.
        """
        if row.project_id is None or row.role is None:
            return []
        inviter = await self._directory.existing(row.invited_by)
        command = AddMember(
            by=AccountId(row.invited_by), is_admin=inviter.is_admin, account_id=account_id, role=row.role
        )
        return [Submission(project, row.project_id, command)]
