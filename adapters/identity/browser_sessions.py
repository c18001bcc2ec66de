"""Who is signed in on HiveSync's own pages: a cookie that is good for these pages and never for the API.

One random cookie serves before and after the sign-in: the hash that a page's forms carry is made of it, so a form
that another site sends has none that fits; after the sign-in it is a new one, so nobody can plant theirs.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from uuid import UUID

from adapters.identity.settings import IdentitySettings
from adapters.ids import now
from adapters.postgres.connections import Database

COOKIE_LENGTH = 43
BROWSER_SESSIONS_MAX = 50
"""Browsers that one account is signed in with; a further one ends the oldest."""


def new_cookie() -> str:
    """A new value of 256 random bits."""
    return secrets.token_urlsafe(32)


def form_secret(cookie: str) -> str:
    """What the forms of a page carry, so that they can be told from those of another site."""
    return urlsafe_b64encode(sha256(b"hivesync form\0" + cookie.encode()).digest()).rstrip(b"=").decode()


def is_form_secret(cookie: str, shown: str) -> bool:
    """Whether a form carries the secret of this cookie."""
    return compare_digest(form_secret(cookie).encode(), shown.encode())


class BrowserSessions:
    """Reads and writes ``identity.browser_sessions``."""

    def __init__(self, database: Database, settings: IdentitySettings, *, clock: Callable[[], datetime] = now) -> None:
        self._database, self._settings, self._clock = database, settings, clock

    async def begin(self, account_id: UUID) -> str:
        """Sign a browser in; the value of its new cookie."""
        cookie = new_cookie()
        async with self._database.transaction() as connection:
            await connection.execute(
                "DELETE FROM identity.browser_sessions WHERE cookie_hash IN (SELECT cookie_hash "
                "FROM identity.browser_sessions WHERE account_id = %s ORDER BY expires_at DESC OFFSET %s)",
                (account_id, BROWSER_SESSIONS_MAX - 1),
            )
            await connection.execute(
                "INSERT INTO identity.browser_sessions (cookie_hash, account_id, expires_at) "
                "SELECT %s, account_id, %s FROM identity.accounts WHERE account_id = %s AND NOT disabled FOR SHARE",
                (_hash(cookie), self._clock() + timedelta(seconds=self._settings.browser_session_ttl_s), account_id),
            )
        return cookie

    async def account_of(self, cookie: str) -> tuple[UUID, str, str] | None:
        """Id, name and address of who is signed in with this cookie."""
        if len(cookie) != COOKIE_LENGTH or not cookie.isascii():
            return None
        row = await self._database.fetch_one(
            "SELECT a.account_id, a.name, a.email FROM identity.browser_sessions b "
            "JOIN identity.accounts a USING (account_id) "
            "WHERE b.cookie_hash = %s AND b.expires_at > %s AND NOT a.disabled",
            (_hash(cookie), self._clock()),
        )
        return (row[0], row[1], row[2]) if row else None

    async def end(self, cookie: str) -> None:
        """Sign a browser out."""
        await self._database.execute("DELETE FROM identity.browser_sessions WHERE cookie_hash = %s", (_hash(cookie),))


def _hash(cookie: str) -> bytes:
    return sha256(cookie.encode()).digest()
