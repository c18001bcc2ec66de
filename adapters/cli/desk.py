"""The write side as commands use it: the log, the accounts and the projects, beside a server that may be running."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg

from adapters.cli.console import CommandFailed, Output, is_container
from adapters.cli.database import database_of
from adapters.cli.ending import Exit
from adapters.identity.account_rows import AccountRow
from adapters.identity.identity import Identity
from adapters.identity.settings import IdentitySettings
from adapters.ids import now, uuid7
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.reader import PostgresStreamReader
from adapters.postgres.schema import SchemaTooNew, create_schema
from hivesync_core.eventstore.errors import StoreError
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.log import Context, Log
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.kernel.ids import SYSTEM_ACTOR, ProjectId
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.projects.decider import Project, project
from shared.settings import Settings, SettingsInvalid, from_environment

CONNECTIONS = 8

_PROJECTS = "SELECT originator_id FROM eventlog.events WHERE topic = 'project.created.v1' ORDER BY notification_id"


class NoSuchProject(CommandFailed):
    """There is no project of this name or id."""


class Desk:
    """Everything that a command needs of the write side."""

    def __init__(self, url: str, settings: Settings, database: Database, log: Log) -> None:
        self.url, self.settings, self.database, self.log = url, settings, database, log
        self.identity = Identity(database, log, IdentitySettings(public_url=settings.public_url))

    def context(self, actor: str = SYSTEM_ACTOR) -> Context:
        """The circumstances of one command."""
        command_id = uuid7()
        return Context(actor, now(), command_id, command_id)

    async def person(self, who: str) -> AccountRow:
        """The account with this e-mail address or id; raises ``CommandFailed``."""
        found = await self.identity.rows.find_by_email(who)
        if found is None and (account_id := _uuid(who)) is not None:
            found = await self.identity.rows.find(account_id)
        if found is None:
            raise CommandFailed(f"there is no account {who}", "`hivesync-admin accounts list` shows them all.")
        return found

    async def project(self, which: str) -> tuple[ProjectId, Project]:
        """The project with this name or id; raises ``CommandFailed`` where there is none, or more than one."""
        found: list[tuple[ProjectId, Project]] = []
        names: list[str] = []
        for (project_id,) in await self.database.fetch_all(_PROJECTS):
            state: Project = (await self.log.state(project, project_id)).state
            names.append(state.name)
            if state.name.casefold() == which.strip().casefold() or project_id == _uuid(which):
                found.append((project_id, state))
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(str(project_id) for project_id, _ in found)
            raise CommandFailed(f"{len(found)} projects are called {which}", f"Give one by its id: {ids}")
        there = ", ".join(names[:20]) or "none yet"
        raise NoSuchProject(f"there is no project {which}", f"The projects are: {there}")


def settings_of(asked: argparse.Namespace) -> Settings:
    """The settings of the environment, with what the command line says instead. Raises ``CommandFailed``."""
    try:
        settings = from_environment(os.environ, lambda path: Path(path).read_text(encoding="utf-8"))
    except SettingsInvalid as error:
        raise CommandFailed(str(error), exit_code=Exit.USAGE) from error
    return msgspec.structs.replace(
        settings,
        data_dir=settings.data_dir if asked.data_dir is None else str(asked.data_dir),
        database_url=asked.database_url or settings.database_url,
    )


@asynccontextmanager
async def _opened(url: str, settings: Settings) -> AsyncIterator[Desk]:
    try:
        await asyncio.to_thread(create_schema, url)
    except SchemaTooNew as error:
        raise CommandFailed(str(error)) from error
    database = Database(url, size=CONNECTIONS)
    appender = GroupCommit(database)
    catalogue = the_catalogue()
    log = Log(appender, PostgresStreamReader(database, catalogue), MsgspecMapper(catalogue), uuid7)
    await database.open()
    await appender.start()
    desk = Desk(url, settings, database, log)
    try:
        yield desk
    finally:
        desk.identity.passwords.close()
        await appender.stop()
        await database.close()


def at_the_desk(
    asked: argparse.Namespace,
    output: Output,
    work: Callable[[Desk], Awaitable[int]],
    *,
    may_make: bool = False,
) -> int:
    """Run a command's work with the write side open; the exit code. Raises ``CommandFailed``."""

    settings = settings_of(asked)
    if is_container() and not output.as_json:
        output.note("running in a container: paths are the container's")

    async def run(url: str) -> int:
        async with _opened(url, settings) as desk:
            return await work(desk)

    try:
        with database_of(settings.database_url, Path(settings.data_dir), may_make=may_make, say=output.note) as url:
            return asyncio.run(run(url))
    except Refusal as refusal:
        raise CommandFailed(str(refusal)) from refusal
    except StoreError as error:
        raise CommandFailed(f"the database does not take it: {error}", "Try again.", Exit.UNREACHABLE) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise CommandFailed(f"the role of the database's URL may not do that: {error}") from error
    except psycopg.OperationalError as error:
        raise CommandFailed(f"the database went away: {error}", "Try again.", Exit.UNREACHABLE) from error


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
