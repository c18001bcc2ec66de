"""The device authorization grant (RFC 8628): a program without a browser shows a code that a person types elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

from adapters.identity.attempts import AttemptLimits
from adapters.identity.authorization import requested_scopes
from adapters.identity.errors import NotAuthenticated, OAuthError
from adapters.identity.oauth_clients import Clients
from adapters.identity.secrets import DEVICE, digest, is_token, new_token, new_user_code, typed_user_code
from adapters.identity.sessions import Sessions, TokenPair
from adapters.identity.settings import IdentitySettings
from adapters.ids import now
from adapters.postgres.connections import Database
from hivesync_core.accounts.scopes import Scope, in_order

SLOW_DOWN_S = 5
"""A device that asks too soon has to wait for so much longer from then on (RFC 8628, section 3.5)."""

INTERVAL_MAX_S = 60
_USER_CODE_ATTEMPTS_MAX = 5


class DeviceStart(NamedTuple):
    """What a device is given to begin with."""

    device_code: str
    user_code: str
    expires_in_s: int
    interval_s: int


class PendingDevice(NamedTuple):
    """A device that waits for a person's consent."""

    user_code: str
    client_name: str
    scopes: tuple[Scope, ...]


class DeviceGrant:
    """Starts, shows, decides and answers requests of devices."""

    def __init__(
        self,
        database: Database,
        clients: Clients,
        sessions: Sessions,
        attempts: AttemptLimits,
        settings: IdentitySettings,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._database, self._clients, self._sessions = database, clients, sessions
        self._attempts, self._settings, self._clock = attempts, settings, clock

    async def start(self, client_id: str, scope: str, ip: str) -> DeviceStart:
        """Begin for a device. Raises ``OAuthError``, ``RateLimited``."""
        await self._attempts.hit("token_requests_by_ip", ip)
        client = await self._clients.find(client_id)
        if client is None:
            raise OAuthError("invalid_client", "There is no such client")
        scopes = requested_scopes(client, scope)
        ttl_s, interval_s = self._settings.device_code_ttl_s, self._settings.device_poll_interval_s
        device_code = new_token(DEVICE)
        for attempt in range(_USER_CODE_ATTEMPTS_MAX):
            user_code = new_user_code()
            try:
                await self._database.execute(
                    "INSERT INTO identity.device_codes "
                    "(device_hash, user_code, client_id, scopes, interval_s, expires_at) "
                    "VALUES (%s, %s, %s, %s, %s, %s)",
                    (
                        digest(device_code),
                        user_code,
                        client_id,
                        list(scopes),
                        interval_s,
                        self._clock() + timedelta(seconds=ttl_s),
                    ),
                )
                return DeviceStart(device_code, user_code, ttl_s, interval_s)
            except psycopg.errors.UniqueViolation:
                if attempt == _USER_CODE_ATTEMPTS_MAX - 1:
                    raise
        raise AssertionError("the loop returns or raises")

    async def pending(self, typed: str, account_id: UUID, ip: str) -> PendingDevice | None:
        """The device whose code somebody typed, none where there is none. Raises ``RateLimited``."""
        await self._attempts.hit("device_code_entries", "account", account_id.hex)
        await self._attempts.hit("device_code_entries", "ip", ip)
        row = await self._database.fetch_one(
            "SELECT d.user_code, c.name, d.scopes FROM identity.device_codes d "
            "JOIN identity.oauth_clients c USING (client_id) "
            "WHERE d.user_code = %s AND d.status = 'pending' AND d.expires_at > %s",
            (typed_user_code(typed), self._clock()),
        )
        return PendingDevice(row[0], row[1], in_order(row[2])) if row else None

    async def decide(self, user_code: str, account_id: UUID, *, approved: bool) -> bool:
        """Let the device in, in the account's name, or not; false where it no longer waits."""
        changed = await self._database.execute(
            "UPDATE identity.device_codes SET status = %s, account_id = %s "
            "WHERE user_code = %s AND status = 'pending' AND expires_at > %s",
            ("approved" if approved else "denied", account_id, typed_user_code(user_code), self._clock()),
        )
        return changed == 1

    async def poll(self, device_code: str, client_id: str) -> TokenPair:
        """The session for a device that was let in, once.

        Raises ``OAuthError``: ``authorization_pending``, ``slow_down``, ``access_denied``, ``expired_token``,
        ``invalid_grant``.
        """
        if not is_token(device_code, DEVICE):
            raise OAuthError("invalid_grant", "The device code is not known")
        async with self._database.transaction() as connection:
            answer = await self._answer(connection, digest(device_code), client_id)
        if isinstance(answer, OAuthError):
            raise answer
        return answer

    async def _answer(
        self, connection: AsyncConnection[Any], device_hash: bytes, client_id: str
    ) -> TokenPair | OAuthError:
        """The session, or the error; errors are not raised, because what a poll changes must be stored."""
        # The account before what belongs to it: the order in which locks are taken everywhere.
        await connection.execute(_LOCK_ACCOUNT, (device_hash,))
        found = await connection.execute(_DEVICE, (device_hash, client_id), binary=True)
        row = await found.fetchone()
        if row is None:
            return OAuthError("invalid_grant", "The device code is not known")
        account_id, scopes, status, interval_s, last_polled_at, expires_at = row
        at = self._clock()
        if expires_at <= at:
            return OAuthError("expired_token", "The code has expired; begin again")
        if last_polled_at is not None and at < last_polled_at + timedelta(seconds=interval_s):
            await connection.execute(
                "UPDATE identity.device_codes SET last_polled_at = %s, interval_s = least(interval_s + %s, %s) "
                "WHERE device_hash = %s",
                (at, SLOW_DOWN_S, INTERVAL_MAX_S, device_hash),
            )
            return OAuthError("slow_down", f"Wait {SLOW_DOWN_S} seconds longer between two requests")
        if status == "pending":
            await connection.execute(
                "UPDATE identity.device_codes SET last_polled_at = %s WHERE device_hash = %s", (at, device_hash)
            )
            return OAuthError("authorization_pending", "Nobody has typed the code and agreed yet")
        await connection.execute("DELETE FROM identity.device_codes WHERE device_hash = %s", (device_hash,))
        if status == "denied":
            return OAuthError("access_denied", "The person said no")
        try:
            return await self._sessions.open_in(connection, account_id, client_id, frozenset(scopes))
        except NotAuthenticated:
            return OAuthError("access_denied", "The account cannot sign in any more")


_LOCK_ACCOUNT = """
    SELECT 1 FROM identity.accounts
    WHERE account_id = (SELECT account_id FROM identity.device_codes WHERE device_hash = %s) FOR SHARE"""

_DEVICE = """
    SELECT account_id, scopes, status, interval_s, last_polled_at, expires_at
    FROM identity.device_codes WHERE device_hash = %s AND client_id = %s FOR UPDATE"""
