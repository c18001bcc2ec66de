"""Changing a password: one's own, whose present value is asked for, or somebody's by an admin."""

from __future__ import annotations

from uuid import UUID

from adapters.identity.account_rows import AccountRow, AccountRows, email_key
from adapters.identity.attempts import AttemptLimits
from adapters.identity.caller import Revoked
from adapters.identity.directory import Directory, refuse_weak
from adapters.identity.passwords import Passwords
from adapters.identity.verification import TokenVerifier
from hivesync_core.accounts.commands import Actor, ChangePassword
from hivesync_core.accounts.decider import account
from hivesync_core.accounts.refusals import WrongPassword
from hivesync_core.eventstore.log import Context, Log


class PasswordChange:
    """Sets new passwords and ends the sessions that began with the old one."""

    def __init__(
        self,
        directory: Directory,
        rows: AccountRows,
        passwords: Passwords,
        attempts: AttemptLimits,
        verifier: TokenVerifier,
        log: Log,
    ) -> None:
        self._directory, self._rows, self._passwords = directory, rows, passwords
        self._attempts, self._verifier, self._log = attempts, verifier, log

    async def change_own(
        self, account_id: UUID, present: str, new: str, context: Context, *, keep_session: UUID | None
    ) -> None:
        """Change a password whose present value is known; every other session ends.

        Raises ``WrongPassword``, ``PasswordRefused``, and ``RateLimited``: who stole a token may not guess on.
        """
        person = await self._directory.existing(account_id)
        await self._attempts.hit("sign_in_by_account", email_key(person.email))
        if not (await self._passwords.verify(person.password_hash, present)).right:
            raise WrongPassword
        await self._attempts.clear("sign_in_by_account", email_key(person.email))
        await self._set(person, new, Actor(person.account_id), context, keep_session)

    async def set_for(self, account_id: UUID, new: str, by: Actor, context: Context) -> None:
        """Set somebody's password as an admin; all their sessions end."""
        await self._set(await self._directory.existing(account_id), new, by, context, None)

    async def _set(self, person: AccountRow, new: str, by: Actor, context: Context, keep_session: UUID | None) -> None:
        refuse_weak(new, person.name, person.email)
        password_hash = await self._passwords.hash(new)
        # The record first: if the row is not written after it, the old password still works and one asks again.
        await self._log.execute(account, person.account_id, ChangePassword(by=by), context)
        await self._rows.set_password(person.account_id, password_hash, keep_session=keep_session)
        self._verifier.forget(Revoked(account_id=person.account_id))
