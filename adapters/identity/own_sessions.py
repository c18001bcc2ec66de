"""One's own sign-ins: listed, and ended at once on every node (ACC-2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from adapters.identity.caller import Caller, Revoked
from adapters.identity.sessions import SESSIONS_MAX
from adapters.identity.verification import TokenVerifier
from adapters.postgres.connections import Database
from hivesync_core.kernel.refusal import NotFound


class NoSuchSession(NotFound):
    """The account has no sign-in with this id, or none any more."""

    code = "account.no_such_session"
    title = "There is no such sign-in"


class OwnSession(NamedTuple):
    """A sign-in as its owner sees it; ``client_name`` is none where it began with a password over the API."""

    session_id: UUID
    client_id: str
    client_name: str | None
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


class OwnSessions:
    """Lists and ends the sign-ins of the caller.

    Whoever ends one wants that device out. So the account's sign-ins on HiveSync's own pages end too: with one of those
    a browser would get a new session without being asked for the password.
    """

    def __init__(self, database: Database, verifier: TokenVerifier) -> None:
        self._database, self._verifier = database, verifier

    async def of(self, account_id: UUID) -> list[OwnSession]:
        """The account's sign-ins, the one that was used last first."""
        rows = await self._database.fetch_all(_LIST, (account_id, SESSIONS_MAX))
        return [OwnSession(one, client, name, tuple(scopes), *times) for one, client, name, scopes, *times in rows]

    async def end(self, caller: Caller, session_id: UUID) -> None:
        """End one of the caller's sign-ins; raises ``NoSuchSession``."""
        async with self._database.transaction() as connection:
            ended = await _end(connection, caller.account_id, "session_id = %s", session_id)
        if not ended:
            raise NoSuchSession
        self._forget(ended)

    async def end_others(self, caller: Caller) -> int:
        """End all of the caller's sign-ins but the one that asks, and tell how many; personal tokens stay."""
        async with self._database.transaction() as connection:
            ended = await _end(connection, caller.account_id, "session_id <> %s", caller.token_id)
        self._forget(ended)
        return len(ended)

    def _forget(self, ended: list[UUID]) -> None:
        """This node does not wait for the news of it."""
        for session_id in ended:
            self._verifier.forget(Revoked(token_id=session_id))


async def _end(connection: AsyncConnection[Any], account_id: UUID, which: str, session_id: UUID) -> list[UUID]:
    # The account first, as everywhere: a sign-in at the same moment waits, or is ended with the others.
    await connection.execute("SELECT FROM identity.accounts WHERE account_id = %s FOR UPDATE", (account_id,))
    ended = await connection.execute(
        f"DELETE FROM identity.sessions WHERE account_id = %s AND {which} RETURNING session_id",
        (account_id, session_id),
    )
    sessions = [row[0] for row in await ended.fetchall()]
    if sessions:
        await connection.execute("DELETE FROM identity.browser_sessions WHERE account_id = %s", (account_id,))
    return sessions


_LIST = """
    SELECT s.session_id, s.client_id, c.name, s.scopes, s.created_at, s.last_used_at, s.expires_at
    FROM identity.sessions s LEFT JOIN identity.oauth_clients c USING (client_id)
    WHERE s.account_id = %s AND s.expires_at > clock_timestamp()
    ORDER BY s.last_used_at DESC, s.session_id DESC LIMIT %s"""
