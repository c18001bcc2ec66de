"""Signing in with an e-mail address and a password, and everything that a session goes through afterwards (ACC-2)."""

from __future__ import annotations

import structlog

from adapters.identity.account_rows import AccountRow, AccountRows, email_key
from adapters.identity.attempts import AttemptLimits
from adapters.identity.caller import Caller, Revoked
from adapters.identity.errors import NotAuthenticated, SignInRefused
from adapters.identity.passwords import Passwords
from adapters.identity.sessions import DIRECT_CLIENT, RefreshTokenReused, Sessions, TokenPair
from adapters.identity.verification import TokenVerifier
from adapters.ids import now, uuid7
from hivesync_core.accounts.commands import RecordTokenReuse
from hivesync_core.accounts.decider import account
from hivesync_core.accounts.scopes import SCOPES
from hivesync_core.eventstore.errors import StoreError
from hivesync_core.eventstore.log import Context, Log
from hivesync_core.kernel.ids import SYSTEM_ACTOR
from hivesync_core.kernel.refusal import Refusal

logger = structlog.get_logger(__name__)


class SignIn:
    """Checks passwords within the limits, and opens, renews and ends sessions."""

    def __init__(
        self,
        rows: AccountRows,
        sessions: Sessions,
        passwords: Passwords,
        attempts: AttemptLimits,
        verifier: TokenVerifier,
        log: Log,
    ) -> None:
        self._rows, self._sessions, self._passwords = rows, sessions, passwords
        self._attempts, self._verifier, self._log = attempts, verifier, log

    async def check(self, email: str, password: str, ip: str) -> AccountRow:
        """The person whom address and password belong to.

        Raises ``SignInRefused`` in the same time whatever is wrong, ``RateLimited``, ``SignInsBusy``.
        """
        key = email_key(email)
        await self._attempts.hit("sign_in_by_ip", ip)
        await self._attempts.hit("sign_in_by_account_and_ip", key, ip)
        await self._attempts.hit("sign_in_by_account", key)
        person = None if "\0" in email else await self._rows.find_by_email(email)
        verdict = await self._passwords.verify(person.password_hash if person else None, password)
        if person is None or not verdict.right:
            raise SignInRefused
        await self._attempts.clear("sign_in_by_account_and_ip", key, ip)
        await self._attempts.clear("sign_in_by_account", key)
        if verdict.new_hash is not None:
            await self._rows.rehash(person, verdict.new_hash)
        if person.disabled:
            raise SignInRefused("This account is disabled; an admin can enable it.")
        return person

    async def sign_in(
        self, email: str, password: str, ip: str, *, scopes: frozenset[str] = frozenset(SCOPES)
    ) -> TokenPair:
        """A new session; its scopes are those asked for that the account may have. Raises as ``check`` does."""
        person = await self.check(email, password, ip)
        return await self._sessions.open(person.account_id, DIRECT_CLIENT, scopes)

    async def refresh(
        self, token: str, ip: str, *, client_id: str = DIRECT_CLIENT, scopes: frozenset[str] | None = None
    ) -> TokenPair:
        """A new pair for a refresh token that is good once; a used one ends its session.

        Raises ``NotAuthenticated``, ``RateLimited``.
        """
        await self._attempts.hit("token_requests_by_ip", ip)
        try:
            return await self._sessions.refresh(token, client_id, scopes)
        except RefreshTokenReused as reused:
            self._verifier.forget(Revoked(token_id=reused.session_id))
            await self._record_reuse(reused)
            raise NotAuthenticated("invalid") from reused

    async def sign_out(self, caller: Caller) -> None:
        """End the session of the caller at once, on every node; a personal access token is revoked, not signed out."""
        await self._sessions.end(caller.token_id)
        self._verifier.forget(Revoked(token_id=caller.token_id))

    async def revoke(self, token: str, client_id: str) -> None:
        """End the session of an access or refresh token of this client; whatever else it is, nothing happens."""
        found = await self._sessions.session_of(token)
        if found is not None and found[1] == client_id:
            await self._sessions.end(found[0])
            self._verifier.forget(Revoked(token_id=found[0]))

    async def _record_reuse(self, reused: RefreshTokenReused) -> None:
        command_id = uuid7()
        context = Context(SYSTEM_ACTOR, now(), command_id, command_id)
        command = RecordTokenReuse(session_id=reused.session_id, client_id=reused.client_id)
        try:
            await self._log.execute(account, reused.account_id, command, context)
        except (Refusal, StoreError):
            # The session is over, which is what protects; that its record is missing must not turn 401 into 503.
            logger.exception("refresh_token_reuse_not_recorded", account_id=str(reused.account_id))
