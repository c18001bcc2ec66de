"""One node of HiveSync as far as accounts go: a database pool, the log, and what proves who people are."""

from __future__ import annotations

import asyncio
from typing import Any, Self
from uuid import UUID

import msgspec

from adapters.identity.account_rows import AccountRow
from adapters.identity.caller import Caller
from adapters.identity.directory import OPERATOR, NewPerson
from adapters.identity.errors import NotAuthenticated
from adapters.identity.identity import Identity
from adapters.identity.sessions import TokenPair
from adapters.identity.settings import IdentitySettings, PasswordCost
from adapters.ids import now, uuid7
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.reader import PostgresStreamReader
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.log import Context, Log
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.records import Idempotency
from hivesync_core.kernel.event import Event

PASSWORD = "seven quiet lanterns"
ADMIN_EMAIL = "ada@example.org"
CHEAP = PasswordCost(memory_kib=64, passes=1, lanes=1)
"""A hash that costs nothing: what it protects in tests is nothing."""

IP = "192.0.2.1"
PATIENCE_S = 30.0
"""How long a test waits for what takes milliseconds; shorter than anything stays remembered."""

WINDOW_S = 86_400
"""A window that attempts are counted in: one that does not end while a test counts, where the counters begin anew."""


class Node:
    """A node; several on one database are several processes as far as their memory is concerned."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.database = Database(url, size=4)
        self.commit = GroupCommit(self.database)
        reader = PostgresStreamReader(self.database, the_catalogue())
        self.reader = reader
        self.log = Log(self.commit, reader, MsgspecMapper(the_catalogue()), uuid7)
        defaults = IdentitySettings(password_cost=CHEAP, public_url="http://hivesync.test")
        self.settings = msgspec.structs.replace(defaults, **settings)
        self.identity = Identity(self.database, self.log, self.settings)

    async def __aenter__(self) -> Self:
        await self.database.open()
        await self.commit.start()
        await self.identity.start()
        await asyncio.wait_for(self.identity.listening(), PATIENCE_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.identity.stop()
        await self.commit.stop()
        await self.database.close()

    async def first_admin(self) -> AccountRow:
        """Make the first admin."""
        return await self.identity.set_up.create_first_admin(
            context(), email=ADMIN_EMAIL, name="Ada", password=PASSWORD
        )

    async def person(self, email: str, name: str = "Grace", *, is_admin: bool = False) -> AccountRow:
        """Make an account as the operator does."""
        return await self.identity.directory.make(
            NewPerson(email, name, PASSWORD), OPERATOR, context(), is_admin=is_admin
        )

    async def sign_in(self, email: str = ADMIN_EMAIL, ip: str = IP) -> TokenPair:
        """Sign in with the password that everybody has here."""
        return await self.identity.sign_in.sign_in(email, PASSWORD, ip)

    async def caller(self, email: str = ADMIN_EMAIL) -> Caller:
        """The caller behind a new session."""
        return await self.identity.verifier.authenticate((await self.sign_in(email)).access_token)

    async def knows(self, token: str) -> bool:
        """Whether a token is good on this node."""
        try:
            await self.identity.verifier.authenticate(token)
        except NotAuthenticated:
            return False
        return True

    async def events(self, stream_id: UUID) -> list[Event]:
        """What happened on a stream."""
        return [recorded.event for recorded in await self.reader.read_stream(stream_id)]

    async def rows_with(self, text: str) -> list[str]:
        """The tables of the whole database in which a row, as text, holds ``text``."""
        tables = await self.database.fetch_all(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname IN ('eventlog', 'identity', 'readmodel')"
        )
        found = []
        for (table,) in tables:
            try:
                row = await self.database.fetch_one(
                    f"SELECT 1 FROM {table} r WHERE position(lower(%s) IN lower(r::text)) > 0 LIMIT 1", (text,)
                )
            except Exception as error:
                raise AssertionError(f"{table} cannot be searched") from error
            if row:
                found.append(table)
        return found


def context(*, key: str | None = None, fingerprint: bytes = bytes(32)) -> Context:
    """A command's circumstances; with a key it is idempotent."""
    command_id = uuid7()
    idempotency = None if key is None else Idempotency("tests", key, fingerprint)
    return Context("system", now(), command_id, command_id, idempotency=idempotency)
