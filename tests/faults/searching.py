"""Looks for texts wherever an installation keeps anything: tables, files of the database, logs, exports, queues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import redis
from psycopg import sql

_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
_CHUNK_BYTES = 4 * 1024 * 1024


def in_tables(url: str, markers: Sequence[str]) -> list[str]:
    """Tables with a row that holds a marker, in text or in bytes."""
    found = []
    with psycopg.connect(url) as connection:
        for schema, table in connection.execute(_TABLES).fetchall():
            query = sql.SQL("SELECT * FROM {}.{}").format(sql.Identifier(schema), sql.Identifier(table))
            for row in connection.execute(query):
                held = b"\0".join(_bytes(value) for value in row)
                if any(marker.encode() in held for marker in markers):
                    found.append(f"{schema}.{table}")
                    break
    return found


def in_files(folder: Path, markers: Sequence[str]) -> list[str]:
    """Files below a folder that hold a marker: those of PostgreSQL with its write-ahead log, logs, exports, whatever."""
    return [str(path.relative_to(folder)) for path in _files(folder) if _holds(path, markers)]


def in_redis(url: str, markers: Sequence[str]) -> list[str]:
    """Keys of a Redis whose name or value holds a marker."""
    found = []
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter():
            held = key + (client.dump(key) or b"")
            if any(marker.encode() in held for marker in markers):
                found.append(key.decode(errors="replace"))
    return found


def in_text(text: str, markers: Sequence[str]) -> list[str]:
    """The markers that a text holds."""
    return [marker for marker in markers if marker in text]


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode()


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path


def _holds(path: Path, markers: Sequence[str]) -> bool:
    """Whether a file holds a marker; it may go away or grow while it is read."""
    overlap = max(map(len, markers))
    rest = b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                held = rest + chunk
                if any(marker.encode() in held for marker in markers):
                    return True
                rest = held[-overlap:]
    except FileNotFoundError:
        return False
    return False
