"""Sessions: what one sign-in began. A family of refresh tokens, each good once, and the access tokens made with them.

The reuse of a refresh token ends the family (OAuth 2.1, section 4.3.1). There is no grace for a repetition: a client
that lost an answer and a thief with a copy look the same, and only the client can sign in again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection

from adapters.identity.errors import NotAuthenticated, OAuthError
from adapters.identity.secrets import ACCESS, REFRESH, TICKET, digest, is_token, new_token
from adapters.identity.settings import IdentitySettings
from adapters.ids import now, uuid7
from adapters.postgres.connections import Database
from hivesync_core.accounts.scopes import allowed_scopes, in_order
from hivesync_core.kernel.ids import AccountId

DIRECT_CLIENT = "direct"
"""The client of a session that began with an e-mail address and a password over the API, not with OAuth."""

SESSIONS_MAX = 200
"""Sessions of one account; a further one ends the one that was not used for the longest time."""


class TokenPair(NamedTuple):
    """What a sign-in or a renewal gives; both tokens are shown here and never again."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    scopes: tuple[str, ...]
    account_id: AccountId
    session_id: UUID


class RefreshTokenReused(Exception):
    """A used refresh token came back; its session is over."""

    def __init__(self, account_id: AccountId, session_id: UUID, client_id: str) -> None:
        super().__init__("The refresh token was used before; the session has ended.")
        self.account_id, self.session_id, self.client_id = account_id, session_id, client_id


class Sessions:
    """Opens, renews and ends sessions."""

    def __init__(self, database: Database, settings: IdentitySettings, *, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def open(self, account_id: UUID, client_id: str, scopes: frozenset[str]) -> TokenPair:
        """Begin a session; its scopes are those asked for that the account may have now.

        Raises ``NotAuthenticated`` where the account was locked out in this very moment.
        """
        async with self._database.transaction() as connection:
            return await self.open_in(connection, account_id, client_id, scopes)

    async def open_in(
        self, connection: AsyncConnection[Any], account_id: UUID, client_id: str, scopes: frozenset[str]
    ) -> TokenPair:
        """Begin a session in a transaction that does more."""
        account = await _locked(connection, account_id)
        if account is None:
            raise NotAuthenticated("invalid")
        at = self._clock()
        session_id, granted = uuid7(), in_order(scopes & allowed_scopes(is_admin=account))
        await connection.execute(
            "DELETE FROM identity.sessions WHERE session_id IN (SELECT session_id FROM identity.sessions "
            "WHERE account_id = %s ORDER BY last_used_at DESC OFFSET %s)",
            (account_id, SESSIONS_MAX - 1),
        )
        await connection.execute(
            "INSERT INTO identity.sessions "
            "(session_id, account_id, client_id, scopes, created_at, last_used_at, expires_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (session_id, account_id, client_id, list(granted), at, at, at + _s(self._settings.session_ttl_s)),
        )
        return await self._issue(connection, AccountId(account_id), session_id, granted, at)

    async def refresh(self, token: str, client_id: str, scopes: frozenset[str] | None = None) -> TokenPair:
        """Exchange a refresh token for a new pair.

        Raises ``NotAuthenticated`` where it is not good for this client, ``RefreshTokenReused`` where it was used,
        ``OAuthError`` where other ``scopes`` are asked for than the session has.
        """
        if not is_token(token, REFRESH):
            raise NotAuthenticated("malformed")
        async with self._database.transaction() as connection:
            answer = await self._rotate(connection, digest(token), client_id, scopes)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _rotate(
        self, connection: AsyncConnection[Any], token_hash: bytes, client_id: str, wanted: frozenset[str] | None
    ) -> TokenPair | Exception:
        """The new pair, or what is wrong; what is wrong is not raised, because the end of a session must be stored."""
        found = await connection.execute(_SESSION_OF_REFRESH_TOKEN, (token_hash,), binary=True)
        row = await found.fetchone()
        at = self._clock()
        if row is None or row[3] != client_id:
            return NotAuthenticated("invalid")
        session_id, account_id, scopes, _, ends_at, expires_at, used_at, is_admin, disabled = row
        if used_at is not None:
            await connection.execute("DELETE FROM identity.sessions WHERE session_id = %s", (session_id,))
            return RefreshTokenReused(AccountId(account_id), session_id, client_id)
        if disabled:
            return NotAuthenticated("invalid")
        if min(ends_at, expires_at) <= at:
            return NotAuthenticated("expired")
        granted = in_order(frozenset(scopes) & allowed_scopes(is_admin=is_admin))
        if wanted is not None and wanted != frozenset(scopes):
            # A narrower token would have to stay narrower in every later renewal: no client of ours needs it.
            return OAuthError("invalid_scope", f"The session has the scopes: {' '.join(in_order(scopes))}.")
        await connection.execute(
            "UPDATE identity.refresh_tokens SET used_at = %s WHERE token_hash = %s", (at, token_hash)
        )
        await connection.execute(
            "UPDATE identity.sessions SET last_used_at = %s WHERE session_id = %s", (at, session_id)
        )
        return await self._issue(connection, AccountId(account_id), session_id, granted, at)

    async def _issue(
        self,
        connection: AsyncConnection[Any],
        account_id: AccountId,
        session_id: UUID,
        scopes: tuple[str, ...],
        at: datetime,
    ) -> TokenPair:
        access, refresh, ttl_s = new_token(ACCESS), new_token(REFRESH), self._settings.access_token_ttl_s
        await connection.execute(
            "INSERT INTO identity.access_tokens (token_hash, session_id, expires_at) VALUES (%s, %s, %s)",
            (digest(access), session_id, at + _s(ttl_s)),
        )
        await connection.execute(
            "INSERT INTO identity.refresh_tokens (token_hash, session_id, issued_at, expires_at) "
            "VALUES (%s, %s, %s, %s)",
            (digest(refresh), session_id, at, at + _s(self._settings.refresh_token_ttl_s)),
        )
        return TokenPair(access, refresh, ttl_s, scopes, account_id, session_id)

    async def end(self, session_id: UUID) -> bool:
        """End a session at once, on every node; whether there was one."""
        return await self._database.execute("DELETE FROM identity.sessions WHERE session_id = %s", (session_id,)) > 0

    async def session_of(self, token: str) -> tuple[UUID, str] | None:
        """The session that an access or refresh token belongs to, used and expired ones too, and its client."""
        table = "access_tokens" if token.startswith(ACCESS) else "refresh_tokens"
        if not is_token(token, ACCESS, REFRESH):
            return None
        row = await self._database.fetch_one(
            f"SELECT s.session_id, s.client_id FROM identity.{table} t JOIN identity.sessions s USING (session_id) "
            "WHERE t.token_hash = %s",
            (digest(token),),
        )
        return (row[0], row[1]) if row else None

    async def new_ticket(self, account_id: UUID, token: str) -> tuple[str, datetime]:
        """A ticket that opens one socket in the name of ``token``, and when it expires."""
        ticket, expires_at = new_token(TICKET), self._clock() + _s(self._settings.socket_ticket_ttl_s)
        await self._database.execute(
            "INSERT INTO identity.socket_tickets (ticket_hash, token_hash, account_id, expires_at) "
            "VALUES (%s, %s, %s, %s)",
            (digest(ticket), digest(token), account_id, expires_at),
        )
        return ticket, expires_at


_SESSION_OF_REFRESH_TOKEN = """
    SELECT s.session_id, s.account_id, s.scopes, s.client_id, s.expires_at, t.expires_at, t.used_at,
           a.is_admin, a.disabled
    FROM identity.refresh_tokens t JOIN identity.sessions s USING (session_id)
    JOIN identity.accounts a USING (account_id)
    WHERE t.token_hash = %s
    FOR SHARE OF a FOR UPDATE OF s FOR UPDATE OF t"""
# Locks are taken in one order everywhere, account before session before token, so that a renewal and a lock-out at the
# same moment wait for each other and not in a ring.


async def _locked(connection: AsyncConnection[Any], account_id: UUID) -> bool | None:
    """Whether an account that may sign in is an admin, none where it may not; it cannot be locked out meanwhile."""
    found = await connection.execute(
        "SELECT is_admin FROM identity.accounts WHERE account_id = %s AND NOT disabled FOR SHARE", (account_id,)
    )
    row = await found.fetchone()
    return bool(row[0]) if row else None


def _s(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)
