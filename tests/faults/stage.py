"""Where a fault takes place: a PostgreSQL of its own, an account with a token, a project, and servers on them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self
from uuid import UUID

import psutil
import psycopg

from adapters.identity.caller import Caller
from adapters.identity.directory import NewPerson
from adapters.identity.identity import Identity
from adapters.identity.settings import IdentitySettings, PasswordCost
from adapters.ids import now, uuid7
from adapters.postgres.embedded import EmbeddedPostgres
from adapters.postgres.embedded.account import account_for_postgres
from adapters.postgres.embedded.binaries import find_binaries
from adapters.postgres.schema import create_schema
from hivesync_core.accounts.scopes import SCOPES
from hivesync_core.eventstore.log import Context
from hivesync_core.kernel.ids import ProjectId
from hivesync_core.projects.commands import CreateProject
from hivesync_core.projects.decider import project
from tests.faults.doors import LogDoor
from tests.faults.servers import SERVE, ServerProcess

CHEAP_PASSWORDS = PasswordCost(memory_kib=8, passes=1, lanes=1)


class Person(NamedTuple):
    """An account with everything that a client needs to work in a project of its own."""

    account_id: UUID
    token: str
    project_id: UUID
    email: str
    password: str


class Stage:
    """One PostgreSQL server with HiveSync's schema in a folder that ends with the block, and servers on it."""

    def __init__(self, *, settings: Mapping[str, str] | None = None, binaries: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hivesync-faults-"))
        self.postgres = EmbeddedPostgres(self.folder / "pg", settings=settings, binaries=binaries)
        self.servers: list[ServerProcess] = []
        self.url = ""

    def __enter__(self) -> Self:
        self.url = self.postgres.start()
        create_schema(self.url)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for server in self.servers:
            with suppress(ProcessLookupError):
                server.stop()
        self.resume_postgres()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def server(
        self, name: str, *, roles: str = "all", url: str | None = None, program: tuple[str, ...] = SERVE, **more: str
    ) -> ServerProcess:
        """A server on this stage's database (or another), started; it is stopped with the stage."""
        server = ServerProcess(name, self.folder, url or self.url, roles=roles, program=program, **more)
        self.servers.append(server)
        return server.start()

    async def person(self, email: str = "fault@example.org", name: str = "Fay Ulster") -> Person:
        """The first admin, with a token for everything that never expires, and a project."""
        return await make_person(self.url, email, name)

    def postgres_processes(self) -> list[int]:
        """The process ids of the server, the first of all first; none while it does not run."""
        pid = self.postgres.pid
        if pid is None:
            return []
        with suppress(psutil.NoSuchProcess):
            return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
        return []

    def kill_postgres(self) -> None:
        """kill -9 of the first process alone: its children find out and end."""
        self._signal(self.postgres_processes()[:1], signal.SIGKILL)

    def kill_all_postgres(self) -> None:
        """kill -9 of all its processes at once: what is in their shared memory is gone."""
        self._signal(self.postgres_processes(), signal.SIGKILL)

    def kill_session(self, application_name: str) -> None:
        """kill -9 of one session's process, of a program whose name begins so: the server ends all and recovers."""
        query = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s ORDER BY random() LIMIT 1"
        # Where it is away already there is nothing left to kill.
        with suppress(psycopg.OperationalError), psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(query, (f"{application_name}%",)).fetchall()
            self._signal([pid for (pid,) in found], signal.SIGKILL)

    def pause_postgres(self) -> None:
        """Stop all its processes; their sockets stay open."""
        self._signal(self.postgres_processes(), signal.SIGSTOP)

    def resume_postgres(self) -> None:
        """Let them go on."""
        self._signal(self.postgres_processes(), signal.SIGCONT)

    def _signal(self, pids: list[int], wanted: signal.Signals) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, wanted)


async def make_person(url: str, email: str, name: str) -> Person:
    """The first admin of an installation, made as ``hivesync-admin`` does it."""
    password = "a pass phrase for faults alone"
    async with LogDoor(url) as door:
        identity = Identity(door.database, door.log, IdentitySettings(password_cost=CHEAP_PASSWORDS))
        row = await identity.directory.make_first_admin(NewPerson(email, name, password), _context())
        caller = Caller(row.account_id, frozenset(SCOPES), True, uuid7(), None)
        _, token = await identity.personal_tokens.create(caller, "faults", frozenset(SCOPES), None, _context())
        project_id = ProjectId(uuid7())
        command = CreateProject(project_id=project_id, by=row.account_id, name="Faults")
        await door.log.execute(project, project_id, command, _context())
        identity.passwords.close()
    return Person(row.account_id, token, project_id, email, password)


def postgres_program(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs. Raises RuntimeError with what it said."""
    command = [str(find_binaries(account_for_postgres()) / program), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{program} failed: {ran.stderr}")


def _context() -> Context:
    command_id = uuid7()
    return Context("system", now(), command_id, command_id)
