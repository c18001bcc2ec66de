"""The database schema: numbered SQL files, each run once, in order, by whoever comes first."""

from __future__ import annotations

import logging
from importlib import resources

import psycopg
from psycopg import sql

logger = logging.getLogger(__name__)

APP_ROLE = "hivesync_app"
"""The role that the running server works as: it may insert and select events, and nothing else with them."""

_SCHEMA_LOCK = 7237100


class SchemaTooNew(Exception):
    """The database was made by a newer HiveSync than this one."""


def schema_files() -> list[tuple[str, str]]:
    """Name and text of every schema file, in the order in which they run."""
    folder = resources.files(__package__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(name, (folder / name).read_text(encoding="utf-8")) for name in names]


def create_schema(url: str) -> list[str]:
    """Bring the database at ``url`` to this version's schema and give the names of the files that were run.

    Safe to call from several processes at once: they take turns under an advisory lock. The role of ``url`` needs
    CREATE on the database, and CREATEROLE where the role of the application does not exist yet.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_SCHEMA_LOCK,))
        _create_role(connection)
        connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS ops.schema_files "
            "(name text PRIMARY KEY, run_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA ops TO {}").format(sql.Identifier(APP_ROLE)))
        connection.execute(sql.SQL("GRANT SELECT ON ops.schema_files TO {}").format(sql.Identifier(APP_ROLE)))
        done = {name for (name,) in connection.execute("SELECT name FROM ops.schema_files").fetchall()}
        files = schema_files()
        unknown = done - {name for name, _ in files}
        if unknown:
            raise SchemaTooNew(
                f"the database was made by a newer HiveSync (it has run {', '.join(sorted(unknown))}); "
                "start that version, or restore a backup into an empty database"
            )
        missing = [(name, text) for name, text in files if name not in done]
        for name, text in missing:
            with connection.transaction():
                connection.execute(text.encode())
                connection.execute("INSERT INTO ops.schema_files (name) VALUES (%s)", (name,))
            logger.info("schema file %s run", name)
        return [name for name, _ in missing]


def _create_role(connection: psycopg.Connection) -> None:
    """Make the application's role, and let the role of this connection take it on."""
    role = sql.Identifier(APP_ROLE)
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (APP_ROLE,)).fetchone() is None:
        try:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            pass  # Roles belong to the whole server: another database's HiveSync was faster.
    member = connection.execute("SELECT pg_has_role(current_user, %s, 'MEMBER')", (APP_ROLE,)).fetchone()
    if member is not None and not member[0]:
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
