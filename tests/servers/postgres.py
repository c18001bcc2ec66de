"""PostgreSQL for the tests: one server a version and a test run, one database a test, copied from a template."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from adapters.postgres.embedded import EmbeddedPostgres

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
_TEMPLATE = "hivesync_template"
_SETTINGS = {"logging_collector": "off", "max_connections": "200"}


def versions() -> list[str]:
    """The PostgreSQL versions that this machine can run: 18 always, 15 where Debian's is installed."""
    return ["18", "15"] if (DEBIAN_15 / "postgres").exists() else ["18"]


class PostgresServer:
    """One running server, and databases made in it."""

    def __init__(self, version: str) -> None:
        self.version = version
        self._folder = Path(tempfile.mkdtemp(prefix=f"hivesync-pg{version}-"))
        binaries = DEBIAN_15 if version == "15" else None
        self.server = EmbeddedPostgres(self._folder, settings=_SETTINGS, binaries=binaries)
        self._has_template = False
        self._numbers = count(1)

    def start(self) -> None:
        """Start the server; raises EmbeddedPostgresError with the cause when it does not come up."""
        self.server.start()

    def stop(self) -> None:
        """Stop the server and remove its data."""
        self.server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """The superuser's URL of a fresh database with HiveSync's schema, or with nothing in it."""
        if not empty and not self._has_template:
            self._make_template()
        name = f"test_{next(self._numbers)}"
        template = "template1" if empty else _TEMPLATE
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}"), name, template)
        try:
            yield self.server.url(name)
        finally:
            self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), name)

    def _make_template(self) -> None:
        from adapters.postgres.schema import create_schema

        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), _TEMPLATE)
        self._execute(sql.SQL("CREATE DATABASE {}"), _TEMPLATE)
        create_schema(self.server.url(_TEMPLATE))
        self._has_template = True

    def _execute(self, statement: sql.SQL, *names: str) -> None:
        self.server.ensure_running()
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.format(*(sql.Identifier(name) for name in names)))


class PostgresServers:
    """The servers of a test run, each started when the first test asks for it."""

    def __init__(self) -> None:
        self._running: dict[str, PostgresServer] = {}

    def get(self, version: str) -> PostgresServer:
        """The server of a version, running."""
        if version not in self._running:
            server = PostgresServer(version)
            self._running[version] = server
            server.start()
        return self._running[version]

    def stop(self) -> None:
        """Stop every server that was started."""
        while self._running:
            self._running.popitem()[1].stop()
