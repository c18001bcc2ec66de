"""`hivesync serve` with nothing set: the server with its private PostgreSQL, in a folder that is given."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from adapters.postgres.embedded.account import account_for_postgres
from adapters.postgres.embedded.cluster import SUPERUSER, read_password
from adapters.postgres.embedded.server import DATABASE
from adapters.postgres.embedded.sockets import socket_folder
from tests.faults.servers import ServerProcess
from tests.faults.stage import Person, make_person


class Installation:
    """One server process and what belongs to it; ``url`` is the superuser's way into its database."""

    def __init__(self, folder: Path) -> None:
        self.server = ServerProcess("hivesync", folder, None)
        self.data_dir = folder / "hivesync-data"

    @property
    def url(self) -> str:
        """The superuser's URL; there is none before the first start has made the database."""
        folder = self.data_dir / "postgres"
        password = quote(read_password(folder), safe="")
        host = quote(str(socket_folder(folder.resolve(), account_for_postgres())), safe="")
        return f"postgresql://{SUPERUSER}:{password}@/{DATABASE}?host={host}&port=5432"

    async def person(self) -> Person:
        """The first admin, with a token for everything that never expires, and a project."""
        return await make_person(self.url, "fault@example.org", "Fay Ulster")

    def postgres_starts(self) -> int:
        """How often PostgreSQL says that it was started."""
        logs = (self.data_dir / "postgres" / "cluster" / "log").glob("*.log")
        return sum(log.read_text(errors="replace").count("starting PostgreSQL") for log in logs)

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.server.stop()
