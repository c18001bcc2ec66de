"""Makes, changes and erases accounts: the row with the person's data and the stream with what happened, kept in step.

A row is written, then the stream, then the row is settled from the stream. Whatever dies in between leaves the row
marked, and ``settle_leftovers`` makes it say what the stream says; until then nobody gets more than before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from adapters.identity.account_rows import AccountRow, AccountRows
from adapters.identity.caller import Revoked
from adapters.identity.password_policy import objection
from adapters.identity.passwords import Passwords
from adapters.identity.verification import TokenVerifier
from adapters.ids import uuid7
from hivesync_core.accounts.admins import ADMINS_STREAM, admins, seat_command
from hivesync_core.accounts.commands import (
    Actor,
    ChangeRole,
    DisableAccount,
    EnableAccount,
    EraseAccount,
    RegisterAccount,
    TakeFirstSeat,
    TakeSeat,
)
from hivesync_core.accounts.decider import Account, account
from hivesync_core.accounts.refusals import EmailTaken, NoSuchAccount, NotAnAdmin, PasswordRefused
from hivesync_core.eventstore.errors import StoreUnavailable, UnexpectedVersion, VersionConflict
from hivesync_core.eventstore.log import Context, Log, Outcome, Submission
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.refusal import Invalid
from hivesync_core.kernel.text import one_line

NAME_MAX = 120
"""Characters of a person's name."""
EMAIL_MAX = 254
"""Characters of an e-mail address (RFC 5321, section 4.5.3.1.3, less the angle brackets)."""

OPERATOR = Actor(AccountId(UUID(int=0)), is_admin=True)
"""Whoever has a shell on the machine and works with ``hivesync-admin``; stored as the actor ``system``."""

_LEFTOVER_AGE_S = 30.0
_ATTEMPTS_MAX = 5

StatusCommand = ChangeRole | DisableAccount | EnableAccount | EraseAccount


class EmailRefused(Invalid):
    """An address that no mail could go to."""

    code = "account.email_refused"
    title = "This is not an e-mail address"


class NewPerson:
    """The data of a person who gets an account, checked; ``password`` is none where it is set by other means."""

    __slots__ = ("email", "name", "password")

    def __init__(self, email: str, name: str, password: str) -> None:
        self.email, self.name, self.password = (
            checked_email(email),
            one_line(name, "name", chars_max=NAME_MAX),
            password,
        )
        refuse_weak(password, name, email)


class Directory:
    """The accounts of this installation, and the people behind them."""

    def __init__(self, rows: AccountRows, passwords: Passwords, verifier: TokenVerifier, log: Log) -> None:
        self._rows, self._passwords, self._verifier, self._log = rows, passwords, verifier, log

    async def make(self, person: NewPerson, by: Actor, context: Context, *, is_admin: bool = False) -> AccountRow:
        """Make an account by an admin's hand. Raises ``NotAnAdmin``, ``EmailTaken``."""
        if not by.is_admin:
            raise NotAnAdmin("Accounts are made by an admin or through an invitation.")
        account_id = AccountId(uuid7())
        command = RegisterAccount(account_id=account_id, origin="admin", by=by, is_admin=is_admin)
        others = [Submission(admins, ADMINS_STREAM, TakeSeat(account_id=account_id))] if is_admin else []
        return await self.register(person, command, others, context)

    async def make_first_admin(self, person: NewPerson, context: Context) -> AccountRow:
        """Make the first admin's account. Raises ``AdminExists`` where there is one: only one of many can win."""
        account_id = AccountId(uuid7())
        command = RegisterAccount(account_id=account_id, origin="set_up", is_admin=True)
        seat = Submission(admins, ADMINS_STREAM, TakeFirstSeat(account_id=account_id))
        return await self.register(person, command, [seat], context)

    async def has_admin(self) -> bool:
        """Whether the set-up is over."""
        return bool((await self._log.state(admins, ADMINS_STREAM, fresh=True)).state.seats)

    async def register(
        self, person: NewPerson, command: RegisterAccount, others: Sequence[Submission], context: Context
    ) -> AccountRow:
        """Keep a person's data and make the account, together with ``others``, or nothing of it."""
        account_id, made_by = command.account_id, _made_by(context)
        mark: datetime | None
        password_hash = await self._passwords.hash(person.password)
        try:
            mark = await self._keep(account_id, person, password_hash, context)
        except EmailTaken:
            earlier = await self._rows.find_by_email(person.email)
            if made_by is None or earlier is None or earlier.made_by != made_by:
                raise
            account_id = earlier.account_id  # The same request came before: it is answered as it was then.
            mark = await self._rows.mark_unsettled(account_id)
        try:
            await self._log.execute_all([Submission(account, account_id, command), *others], context)
        except StoreUnavailable:
            raise  # Nobody knows whether it is stored: the leftovers are settled when the database is back.
        except Exception:
            if account_id == command.account_id:
                await self._rows.delete_never_made(account_id)
            raise
        await self.settle(account_id, mark)
        kept = await self._rows.find(account_id)
        if kept is None:  # This process stood still for so long that another took the person for a leftover.
            await self.settle(account_id, await self._keep(account_id, person, password_hash, context))
            kept = await self.existing(account_id)
        return kept

    async def _keep(self, account_id: UUID, person: NewPerson, password_hash: str, context: Context) -> datetime:
        return await self._rows.insert(
            account_id,
            email=person.email,
            name=person.name,
            password_hash=password_hash,
            at=context.at,
            made_by=_made_by(context),
        )

    async def change_status(self, account_id: UUID, command: StatusCommand, context: Context) -> Outcome:
        """Promote, demote, disable, enable or erase; what the account may no longer do ends at once on every node.

        Raises ``LastAdmin`` where nobody would be left to administer the installation.
        """
        mark = await self._rows.mark_unsettled(account_id)
        try:
            return await self._change_status(account_id, command, context)
        finally:
            await self.settle(account_id, mark)

    async def _change_status(self, account_id: UUID, command: StatusCommand, context: Context) -> Outcome:
        for _ in range(_ATTEMPTS_MAX):
            loaded = await self._log.state(account, account_id, fresh=True)
            after: Account = account.fold(account.decide(loaded.state, command), loaded.state)
            seat = seat_command(AccountId(account_id), may_administer=after.may_administer)
            submissions = [
                Submission(account, account_id, command, loaded.version),
                Submission(admins, ADMINS_STREAM, seat),
            ]
            try:
                return (await self._log.execute_all(submissions, context))[0]
            except UnexpectedVersion:
                continue
        raise VersionConflict("others changed the same account at the same time; try again")

    async def settle(self, account_id: UUID, mark: datetime | None) -> None:
        """Make the row, the tokens and every node's memory say what the account's stream says."""
        loaded = await self._log.state(account, account_id, fresh=True)
        if loaded.version == 0:
            return
        await self._rows.settle(account_id, loaded.state, loaded.version, mark)
        self._verifier.forget(Revoked(account_id=account_id))

    async def settle_leftovers(self) -> int:
        """Settle what a process that died left undone; the number of accounts."""
        leftovers = await self._rows.unsettled(older_than_s=_LEFTOVER_AGE_S)
        for account_id, mark in leftovers:
            if (await self._log.state(account, account_id, fresh=True)).version == 0:
                await self._rows.delete_never_made(account_id)
            else:
                await self.settle(account_id, mark)
        return len(leftovers)

    async def change_details(
        self, account_id: UUID, *, email: str | None = None, name: str | None = None
    ) -> AccountRow:
        """Change address or name: personal data, so nothing of it reaches the log. Raises ``EmailTaken``."""
        changed = await self._rows.change_details(
            account_id,
            email=None if email is None else checked_email(email),
            name=None if name is None else one_line(name, "name", chars_max=NAME_MAX),
        )
        if not changed:
            raise NoSuchAccount
        return await self.existing(account_id)

    async def existing(self, account_id: UUID) -> AccountRow:
        """The person behind an account. Raises ``NoSuchAccount``, also where the person was erased."""
        person = await self._rows.find(account_id)
        if person is None:
            raise NoSuchAccount
        return person


def checked_email(email: str) -> str:
    """An address that looks like one; whether it exists only a mail to it could tell. Raises ``EmailRefused``."""
    address = one_line(email, "email", chars_max=EMAIL_MAX)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or any(character.isspace() for character in address) or "@" in local:
        raise EmailRefused("An e-mail address has a name, an @ and a domain, and no spaces.")
    return address


def refuse_weak(password: str, *about: str) -> None:
    """Raise ``PasswordRefused`` with the reason where a new password would be guessed."""
    reason = objection(password, about=about)
    if reason is not None:
        raise PasswordRefused(reason)


def _made_by(context: Context) -> str | None:
    key = context.idempotency
    return None if key is None else f"{key.scope}\n{key.key}"
