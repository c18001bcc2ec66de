"""The first admin of a new installation: by command, or through a link that the first start prints (ACC-1)."""

from __future__ import annotations

from hmac import compare_digest

from adapters.identity.account_rows import AccountRow
from adapters.identity.attempts import AttemptLimits
from adapters.identity.directory import Directory, NewPerson
from adapters.identity.secrets import SET_UP, digest, is_token, new_token
from adapters.identity.settings import IdentitySettings
from adapters.postgres.connections import Database
from hivesync_core.accounts.refusals import AdminExists
from hivesync_core.eventstore.log import Context
from hivesync_core.kernel.refusal import Forbidden


class SetUpLinkRefused(Forbidden):
    """The link is not the one that the server printed last."""

    code = "account.set_up_link_refused"
    title = "The set-up link is not valid"


class SetUp:
    """Makes the first admin, while there is none."""

    def __init__(
        self, database: Database, directory: Directory, attempts: AttemptLimits, settings: IdentitySettings
    ) -> None:
        self._database, self._directory, self._attempts, self._settings = database, directory, attempts, settings

    async def link(self) -> str | None:
        """A new set-up link, none where there is an admin; links from earlier starts cease to work."""
        if await self._directory.has_admin():
            return None
        token = new_token(SET_UP)
        await self._database.execute(
            "INSERT INTO identity.set_up_link (token_hash) VALUES (%s) "
            "ON CONFLICT (only_one) DO UPDATE SET token_hash = excluded.token_hash, created_at = clock_timestamp()",
            (digest(token),),
        )
        return f"{self._settings.public_url}/setup?token={token}"

    async def check(self, token: str, ip: str) -> None:
        """Raise ``AdminExists`` where the set-up is over, ``SetUpLinkRefused``, ``RateLimited``."""
        await self._attempts.hit("set_up_attempts", ip)
        if await self._directory.has_admin():
            raise AdminExists
        row = await self._database.fetch_one("SELECT token_hash FROM identity.set_up_link")
        if row is None or not is_token(token, SET_UP) or not compare_digest(bytes(row[0]), digest(token)):
            raise SetUpLinkRefused("Use the link that the server printed when it was started last.")

    async def complete(
        self, token: str, ip: str, context: Context, *, email: str, name: str, password: str
    ) -> AccountRow:
        """Make the first admin with the link. Raises as ``check``, ``PasswordRefused``, ``EmailRefused``."""
        await self.check(token, ip)
        return await self.create_first_admin(context, email=email, name=name, password=password)

    async def create_first_admin(self, context: Context, *, email: str, name: str, password: str) -> AccountRow:
        """Make the first admin; for whoever has a shell on the machine. Raises ``AdminExists``."""
        if await self._directory.has_admin():
            raise AdminExists("There is an admin already; admins make further accounts.")
        made = await self._directory.make_first_admin(NewPerson(email, name, password), context)
        await self._database.execute("DELETE FROM identity.set_up_link")
        return made
