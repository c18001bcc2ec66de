"""Is this token good? Answered from memory on the hot path, and from the database wherever memory cannot be trusted.

Every process keeps the tokens that it has verified. PostgreSQL tells all of them in the same moment when one ceases to
be good: triggers on the tables notify the channel ``identity``, whoever deletes or changes a row. The memory is only
believed while the listening connection is known to be alive, by an answer to a heartbeat each second; otherwise each
request asks the database. So a revocation acts on the node that made it before its answer leaves, on the others when
the notification arrives, and on a node that was cut off after ``TRUST_S`` at the latest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog

from adapters.identity.caller import Caller, Revoked
from adapters.identity.errors import NotAuthenticated
from adapters.identity.secrets import ACCESS, PERSONAL, TICKET, digest, is_token
from adapters.postgres.connections import Database
from hivesync_core.accounts.scopes import ADMIN_SCOPE
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.kernel.ids import AccountId

logger = structlog.get_logger(__name__)

REMEMBERED_TOKENS_MAX = 50_000
LAST_USE_EVERY_S = 60.0
"""The last use of a personal access token is written at most so often."""

OnRevoked = Callable[[Revoked], None]


class _Known:
    """A verified token: its caller, and the moment from which it has to be looked at again."""

    __slots__ = ("caller", "expires_at", "look_again_at")

    def __init__(self, caller: Caller, expires_at: float, look_again_at: float) -> None:
        self.caller, self.expires_at, self.look_again_at = caller, expires_at, look_again_at


class TokenVerifier:
    """Verifies bearer tokens and remembers the good ones until something is heard against them."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self._keys_of: dict[UUID, set[bytes]] = {}
        self._trusted_until = 0.0
        self._heard = 0
        self._used: dict[UUID, float] = {}
        self._callbacks: list[OnRevoked] = []

    # --- verifying -----------------------------------------------------------------------------------------------

    def remembered(self, token: str) -> Caller | None:
        """The caller of a token that was verified before and of which nothing else was heard; some microseconds."""
        known = self._known.get(digest(token))
        if known is None or time.monotonic() >= self._trusted_until:
            return None
        return known.caller if self._clock() < known.look_again_at else self._look_again(known)

    async def authenticate(self, token: str) -> Caller:
        """The caller behind an access token or a personal access token.

        Raises ``NotAuthenticated`` where the token is not good, ``StoreUnavailable`` where nobody can tell.
        """
        caller = self.remembered(token)
        if caller is not None:
            return caller
        if not is_token(token, ACCESS, PERSONAL):
            raise NotAuthenticated("malformed")
        return await self._ask(digest(token), personal=token.startswith(PERSONAL))

    async def redeem_ticket(self, ticket: str) -> Caller:
        """The caller who asked for this ticket; it is good once. Raises ``NotAuthenticated``."""
        if not is_token(ticket, TICKET):
            raise NotAuthenticated("malformed")
        row = await self._database.fetch_one(
            "DELETE FROM identity.socket_tickets WHERE ticket_hash = %s RETURNING token_hash, expires_at",
            (digest(ticket),),
        )
        if row is None:
            raise NotAuthenticated("invalid")
        token_hash, expires_at = row
        if expires_at.timestamp() <= self._clock():
            raise NotAuthenticated("expired")
        for personal in (False, True):
            try:
                return await self._ask(bytes(token_hash), personal=personal)
            except NotAuthenticated:
                continue
        raise NotAuthenticated("invalid")

    async def is_still_good(self, caller: Caller) -> bool:
        """Whether the session or personal token of an open socket still stands, asked of the database."""
        row = await self._database.fetch_one(_STILL_GOOD, (caller.token_id, caller.token_id))
        if row is None:
            return False
        is_admin, expires_at = row
        return is_admin == caller.is_admin and (expires_at is None or expires_at.timestamp() > self._clock())

    async def _ask(self, token_hash: bytes, *, personal: bool) -> Caller:
        heard = self._heard
        row = await self._database.fetch_one(_PERSONAL if personal else _ACCESS, (token_hash,))
        if row is None:
            raise NotAuthenticated("invalid")
        now = self._clock()
        caller, expires_at = _caller(row)
        if expires_at <= now:
            raise NotAuthenticated("expired")
        if personal:
            self._note_use(caller.token_id, now, row[6])
        # A revocation that was heard while the question was under way may concern this very token.
        if heard == self._heard:
            look_again_at = min(expires_at, now + LAST_USE_EVERY_S) if personal else expires_at
            self._remember(token_hash, _Known(caller, expires_at, look_again_at))
        return caller

    def _remember(self, key: bytes, known: _Known) -> None:
        if len(self._known) >= REMEMBERED_TOKENS_MAX:
            self._drop(next(iter(self._known)))
        self._known[key] = known
        for identifier in (known.caller.token_id, known.caller.account_id):
            self._keys_of.setdefault(identifier, set()).add(key)

    def _drop(self, key: bytes) -> None:
        known = self._known.pop(key)
        for identifier in (known.caller.token_id, known.caller.account_id):
            keys = self._keys_of[identifier]
            keys.discard(key)
            if not keys:
                del self._keys_of[identifier]

    def _look_again(self, known: _Known) -> Caller | None:
        now = self._clock()
        if now >= known.expires_at:
            return None
        known.look_again_at = min(known.expires_at, now + LAST_USE_EVERY_S)
        self._used[known.caller.token_id] = now
        return known.caller

    # --- last use --------------------------------------------------------------------------------------------------

    def _note_use(self, token_id: UUID, now: float, last_written: datetime | None) -> None:
        if last_written is None or now - last_written.timestamp() >= LAST_USE_EVERY_S:
            self._used[token_id] = now

    async def write_last_uses(self) -> None:
        """Write when personal access tokens were last used, all of them in one statement."""
        if not self._used:
            return
        used, self._used = self._used, {}
        times = [datetime.fromtimestamp(seconds, UTC) for seconds in used.values()]
        try:
            await self._database.execute(_WRITE_LAST_USES, (list(used), times))
        except StoreUnavailable:
            self._used = {**used, **self._used}
            raise

    # --- revocation ------------------------------------------------------------------------------------------------

    def on_revoked(self, callback: OnRevoked) -> None:
        """Have ``callback`` called, in this process, when something ceases to be good; it must not block or fail."""
        self._callbacks.append(callback)

    def forget(self, revoked: Revoked) -> None:
        """Believe a token, an account or everything no longer, and tell whoever asked to be told."""
        self._heard += 1
        if revoked.token_id is None and revoked.account_id is None:
            self._known.clear()
            self._keys_of.clear()
        for identifier in (revoked.token_id, revoked.account_id):
            for key in list(self._keys_of.get(identifier, ())) if identifier else ():
                self._drop(key)
        for callback in self._callbacks:
            try:
                callback(revoked)
            except Exception:
                logger.exception("revocation_callback_failed")

    def trust_until(self, moment: float) -> None:
        """Believe the memory until ``moment`` of the monotonic clock: word of revocations gets through."""
        self._trusted_until = moment


_ACCESS = """
    SELECT s.account_id, s.session_id, s.scopes, t.expires_at, a.is_admin, s.expires_at
    FROM identity.access_tokens t JOIN identity.sessions s USING (session_id)
    JOIN identity.accounts a USING (account_id)
    WHERE t.token_hash = %s AND NOT a.disabled"""

_PERSONAL = """
    SELECT p.account_id, p.token_id, p.scopes, p.expires_at, a.is_admin, p.expires_at, p.last_used_at
    FROM identity.personal_tokens p JOIN identity.accounts a USING (account_id)
    WHERE p.token_hash = %s AND NOT a.disabled"""

_STILL_GOOD = """
    SELECT a.is_admin, s.expires_at FROM identity.sessions s JOIN identity.accounts a USING (account_id)
    WHERE s.session_id = %s AND NOT a.disabled
    UNION ALL
    SELECT a.is_admin, p.expires_at FROM identity.personal_tokens p JOIN identity.accounts a USING (account_id)
    WHERE p.token_id = %s AND NOT a.disabled"""

_WRITE_LAST_USES = """
    UPDATE identity.personal_tokens p SET last_used_at = u.at
    FROM unnest(%s::uuid[], %s::timestamptz[]) AS u(token_id, at)
    WHERE p.token_id = u.token_id AND (p.last_used_at IS NULL OR p.last_used_at < u.at)"""


def _caller(row: tuple[Any, ...]) -> tuple[Caller, float]:
    account_id, token_id, scopes, token_expires_at, is_admin, ends_at = row[:6]
    reach = frozenset(scopes) if is_admin else frozenset(scopes) - {ADMIN_SCOPE}
    ends = [end.timestamp() for end in (token_expires_at, ends_at) if end is not None]
    valid_until = min(ends, default=None)
    expires_at = float("inf") if valid_until is None else valid_until
    return Caller(AccountId(account_id), reach, is_admin, token_id, valid_until), expires_at
