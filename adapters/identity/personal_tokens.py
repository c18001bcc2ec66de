"""Personal access tokens: made, listed with their last use, revoked (ACC-3)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from adapters.identity.caller import Caller, Revoked
from adapters.identity.secrets import PERSONAL, digest, new_token
from adapters.identity.verification import TokenVerifier
from adapters.ids import uuid7
from adapters.postgres.connections import Database
from hivesync_core.accounts.commands import CreateToken, RevokeToken
from hivesync_core.accounts.decider import account
from hivesync_core.accounts.refusals import AccountIsDisabled, NoSuchToken, ScopeNotHeld
from hivesync_core.accounts.scopes import Scope, in_order
from hivesync_core.eventstore.log import Context, Log
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.refusal import Conflict
from hivesync_core.kernel.text import one_line

PERSONAL_TOKENS_MAX = 100
"""Personal access tokens of one account."""
TOKEN_NAME_MAX = 100
"""Characters of a token's name."""


class TooManyTokens(Conflict):
    """The account has as many personal access tokens as one may have."""

    code = "account.too_many_tokens"
    title = "The account has too many tokens"


class PersonalToken(NamedTuple):
    """A personal access token as its owner sees it in the list; the secret is known to nobody."""

    token_id: UUID
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None


class PersonalTokens:
    """Makes, lists and revokes personal access tokens."""

    def __init__(self, database: Database, verifier: TokenVerifier, log: Log) -> None:
        self._database, self._verifier, self._log = database, verifier, log

    async def create(
        self, caller: Caller, name: str, scopes: frozenset[str], expires_at: datetime | None, context: Context
    ) -> tuple[PersonalToken, str]:
        """A new token and its secret, which is shown here and never again.

        It reaches no further than the token that asks for it. Raises ``ScopeNotHeld``, ``NoScope``,
        ``ExpiryInThePast``, ``TooManyTokens``.
        """
        beyond = scopes - caller.scopes
        if beyond:
            raise ScopeNotHeld(f"The token you use does not have: {', '.join(sorted(beyond))}.", missing=sorted(beyond))
        token = PersonalToken(
            uuid7(), one_line(name, "name", chars_max=TOKEN_NAME_MAX), in_order(scopes), context.at, expires_at
        )
        if await self._count(caller.account_id) >= PERSONAL_TOKENS_MAX:
            raise TooManyTokens("Revoke one that you do not need any more.", tokens_max=PERSONAL_TOKENS_MAX)
        command = CreateToken(
            by=caller.actor, token_id=token.token_id, scopes=token.scopes, expires_at=expires_at, at=context.at
        )
        await self._log.execute(account, caller.account_id, command, context)
        secret = new_token(PERSONAL)
        if not await self._insert(caller.account_id, token, digest(secret)):
            raise AccountIsDisabled
        return token, secret

    async def of(self, account_id: UUID) -> list[PersonalToken]:
        """The account's tokens, the newest first; expired ones are among them until they are revoked."""
        rows = await self._database.fetch_all(
            "SELECT token_id, name, scopes, created_at, expires_at, last_used_at FROM identity.personal_tokens "
            "WHERE account_id = %s ORDER BY token_id DESC LIMIT %s",
            (account_id, PERSONAL_TOKENS_MAX),
        )
        return [PersonalToken(row[0], row[1], tuple(row[2]), *row[3:]) for row in rows]

    async def revoke(self, caller: Caller, token_id: UUID, context: Context) -> None:
        """Make a token void at once, on every node: one's own, or anybody's as an admin. Raises ``NoSuchToken``."""
        owner = await self._owner(token_id) if caller.acts_as_admin else None
        owner = owner or caller.account_id
        # What protects comes first: were the record made before and the row not deleted, the token would live on.
        await self._database.execute(
            "DELETE FROM identity.personal_tokens WHERE account_id = %s AND token_id = %s", (owner, token_id)
        )
        self._verifier.forget(Revoked(token_id=token_id))
        if (await self._log.state(account, owner)).version == 0:
            raise NoSuchToken
        await self._log.execute(account, owner, RevokeToken(by=caller.actor, token_id=token_id), context)

    async def _insert(self, account_id: UUID, token: PersonalToken, token_hash: bytes) -> bool:
        """Keep a new token's hash; false where the account was locked out meanwhile."""
        added = await self._database.execute(
            "INSERT INTO identity.personal_tokens "
            "(token_id, token_hash, account_id, name, scopes, created_at, expires_at) "
            "SELECT %s, %s, account_id, %s, %s, %s, %s FROM identity.accounts "
            "WHERE account_id = %s AND NOT disabled FOR SHARE",
            (
                token.token_id,
                token_hash,
                token.name,
                list(token.scopes),
                token.created_at,
                token.expires_at,
                account_id,
            ),
        )
        return added == 1

    async def _count(self, account_id: UUID) -> int:
        row = await self._database.fetch_one(
            "SELECT count(*) FROM identity.personal_tokens WHERE account_id = %s", (account_id,)
        )
        return int(row[0]) if row else 0

    async def _owner(self, token_id: UUID) -> AccountId | None:
        row = await self._database.fetch_one(
            "SELECT account_id FROM identity.personal_tokens WHERE token_id = %s", (token_id,)
        )
        return AccountId(row[0]) if row else None
