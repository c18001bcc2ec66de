"""Refuses a database that would lose what it has acknowledged."""

from __future__ import annotations

import psycopg

from adapters.postgres.connections import app_conninfo

_NEEDED = {
    "fsync": "a crash of the machine could corrupt everything",
    "full_page_writes": "a crash of the machine could tear pages",
    "synchronous_commit": "a crash of the machine could lose what was acknowledged",
}


class NotDurable(Exception):
    """The database is set to lose data; the message names each setting and the remedy."""


def check_durability(url: str) -> None:
    """Raise ``NotDurable`` where fsync, full_page_writes or synchronous_commit is off for the application's role."""
    with psycopg.connect(app_conninfo(url), autocommit=True) as connection:
        rows = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (list(_NEEDED),)
        ).fetchall()
    off = sorted(name for name, setting in rows if setting == "off")
    if off:
        reasons = "\n".join(f"  {name} is off: {_NEEDED[name]}" for name in off)
        raise NotDurable(
            f"HiveSync does not start on this database:\n{reasons}\n"
            "Turn it on (ALTER SYSTEM SET ... = on; SELECT pg_reload_conf();) and start again."
        )
