"""The rows of people: name, e-mail address, password hash, and what their streams say of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from adapters.postgres.connections import Database
from hivesync_core.accounts.decider import Account
from hivesync_core.accounts.refusals import EmailTaken
from hivesync_core.kernel.ids import AccountId

PEOPLE_MAX = 200
"""Names that are looked up at once, and accounts on one page."""


class AccountRow(NamedTuple):
    """A person, as far as this installation knows one; all of it is deleted when the account is erased."""

    account_id: AccountId
    email: str
    name: str
    password_hash: str | None
    is_admin: bool
    disabled: bool
    created_at: datetime
    made_by: str | None


_COLUMNS = "account_id, email, name, password_hash, is_admin, disabled, created_at, made_by"


def email_key(email: str) -> str:
    """An address as it is compared: two that differ in case alone are one."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def erased_name(account_id: UUID) -> str:
    """What stands where the name of an erased person stood (ACC-5)."""
    return f"erased-{account_id}"


class AccountRows:
    """Reads and writes ``identity.accounts``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, account_id: UUID) -> AccountRow | None:
        """The person with this id."""
        return await self._one("account_id = %s", account_id)

    async def find_by_email(self, email: str) -> AccountRow | None:
        """The person with this address."""
        return await self._one("email_key = %s", email_key(email))

    async def page(self, after: UUID | None, limit: int, *, containing: str = "") -> list[AccountRow]:
        """Up to ``limit`` people in the order of their ids, those after ``after``; ``containing`` searches in names."""
        pattern = "%" + containing.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        rows = await self._database.fetch_all(
            f"SELECT {_COLUMNS} FROM identity.accounts WHERE account_id > %s AND (name ILIKE %s OR email ILIKE %s) "
            "ORDER BY account_id LIMIT %s",
            (after or UUID(int=0), pattern, pattern, limit),
        )
        return [AccountRow(*row) for row in rows]

    async def insert(
        self,
        account_id: UUID,
        *,
        email: str,
        name: str,
        password_hash: str | None,
        at: datetime,
        made_by: str | None = None,
    ) -> datetime:
        """Add a person whose account is about to be made; nobody can sign in before it is settled with the mark given.

        Raises ``EmailTaken``.
        """
        try:
            row = await self._database.fetch_one(
                "INSERT INTO identity.accounts (account_id, email, email_key, name, password_hash, disabled, "
                "created_at, unsettled_since, made_by) VALUES (%s, %s, %s, %s, %s, true, %s, clock_timestamp(), %s) "
                "RETURNING unsettled_since",
                (account_id, email.strip(), email_key(email), name, password_hash, at, made_by),
            )
        except psycopg.errors.UniqueViolation as error:
            raise EmailTaken from error
        assert row is not None, "an insert returns its row"
        mark: datetime = row[0]
        return mark

    async def change_details(self, account_id: UUID, *, email: str | None = None, name: str | None = None) -> bool:
        """Change address or name; whether there is such a person. Raises ``EmailTaken``."""
        key = None if email is None else email_key(email)
        try:
            changed = await self._database.execute(
                "UPDATE identity.accounts SET email = coalesce(%s, email), email_key = coalesce(%s, email_key), "
                "name = coalesce(%s, name) WHERE account_id = %s",
                (None if email is None else email.strip(), key, name, account_id),
            )
        except psycopg.errors.UniqueViolation as error:
            raise EmailTaken from error
        return changed == 1

    async def rehash(self, row: AccountRow, new_hash: str) -> None:
        """Replace the hash of the same password, unless the password was changed meanwhile."""
        await self._database.execute(
            "UPDATE identity.accounts SET password_hash = %s WHERE account_id = %s AND password_hash = %s",
            (new_hash, row.account_id, row.password_hash),
        )

    async def set_password(self, account_id: UUID, password_hash: str, *, keep_session: UUID | None) -> None:
        """Set another password and end every session but one."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE identity.accounts SET password_hash = %s WHERE account_id = %s", (password_hash, account_id)
            )
            await connection.execute(
                "DELETE FROM identity.sessions WHERE account_id = %s AND session_id IS DISTINCT FROM %s::uuid",
                (account_id, keep_session),
            )
            await connection.execute("DELETE FROM identity.browser_sessions WHERE account_id = %s", (account_id,))
            await connection.execute("DELETE FROM identity.authorization_codes WHERE account_id = %s", (account_id,))

    async def mark_unsettled(self, account_id: UUID) -> datetime | None:
        """Note that a command is about to change the account's stream; the mark to settle with."""
        row = await self._database.fetch_one(
            "UPDATE identity.accounts SET unsettled_since = clock_timestamp() WHERE account_id = %s "
            "RETURNING unsettled_since",
            (account_id,),
        )
        return row[0] if row else None

    async def unsettled(self, *, older_than_s: float) -> list[tuple[UUID, datetime]]:
        """The accounts, and their marks, of which a process left something undone."""
        rows = await self._database.fetch_all(
            "SELECT account_id, unsettled_since FROM identity.accounts "
            "WHERE unsettled_since < clock_timestamp() - make_interval(secs => %s) ORDER BY unsettled_since LIMIT 100",
            (older_than_s,),
        )
        return [(row[0], row[1]) for row in rows]

    async def settle(self, account_id: UUID, state: Account, version: int, mark: datetime | None) -> None:
        """Make the row say what the stream says at ``version``; who may not come in any more loses every secret."""
        async with self._database.transaction() as connection:
            # The account's row is the lock: whoever opens a session takes it too, so none slips in behind a lock-out.
            await connection.execute("SELECT 1 FROM identity.accounts WHERE account_id = %s FOR UPDATE", (account_id,))
            if state.erased:
                await connection.execute("DELETE FROM identity.invitations WHERE invited_by = %s", (account_id,))
                await connection.execute("DELETE FROM identity.accounts WHERE account_id = %s", (account_id,))
                return
            await connection.execute(
                "UPDATE identity.accounts SET is_admin = %s, disabled = %s, settled_version = %s "
                "WHERE account_id = %s AND settled_version < %s",
                (state.is_admin, state.disabled, version, account_id, version),
            )
            await connection.execute(
                "UPDATE identity.accounts SET unsettled_since = NULL WHERE account_id = %s AND unsettled_since = %s",
                (account_id, mark),
            )
            if state.disabled:
                await _end_everything(connection, account_id)
            if not state.may_administer:
                await connection.execute(
                    "DELETE FROM identity.invitations WHERE invited_by = %s AND (project_id IS NULL OR %s)",
                    (account_id, state.disabled),
                )

    async def delete_never_made(self, account_id: UUID) -> None:
        """Remove a person whose account was refused."""
        await self._database.execute(
            "DELETE FROM identity.accounts WHERE account_id = %s AND settled_version = 0", (account_id,)
        )

    async def display_names(self, account_ids: Iterable[UUID]) -> dict[UUID, str]:
        """A name for every id: the person's, or ``erased-<id>``."""
        wanted = list(dict.fromkeys(account_ids))
        rows = await self._database.fetch_all(
            "SELECT account_id, name FROM identity.accounts WHERE account_id = ANY(%s)", (wanted,)
        )
        known: dict[UUID, str] = {row[0]: row[1] for row in rows}
        return {account_id: known.get(account_id, erased_name(account_id)) for account_id in wanted}

    async def _one(self, condition: str, value: object) -> AccountRow | None:
        row = await self._database.fetch_one(f"SELECT {_COLUMNS} FROM identity.accounts WHERE {condition}", (value,))
        return AccountRow(*row) if row else None


async def _end_everything(connection: psycopg.AsyncConnection[Any], account_id: UUID) -> None:
    """Delete every secret of an account; the triggers tell every node."""
    for table in ("sessions", "personal_tokens", "socket_tickets", "authorization_codes", "browser_sessions"):
        await connection.execute(f"DELETE FROM identity.{table} WHERE account_id = %s".encode(), (account_id,))
    await connection.execute("DELETE FROM identity.device_codes WHERE account_id = %s", (account_id,))
