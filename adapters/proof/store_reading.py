"""Reads the whole log of a database for an audit, from one snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from types import TracebackType
from typing import Any, Self

import psycopg

from adapters.proof.hashed_rows import HASHED_COLUMNS, hashed_row
from adapters.proof.verdict import CannotVerify
from hivesync_core.proof.evidence import Row
from hivesync_core.proof.tiles import split_hashes

BATCH_ROWS = 5_000
BATCH_TILES = 64
CONNECT_TIMEOUT_S = 10

_BEGIN = (
    b"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL search_path = pg_catalog; SET LOCAL timezone = UTC"
)
_ROWS = f"SELECT {HASHED_COLUMNS} FROM eventlog.events e ORDER BY e.notification_id"
_HAS_PROOF = b"SELECT to_regclass('proof.checkpoints') IS NOT NULL AND to_regclass('proof.tiles') IS NOT NULL"
_NOTES = b"SELECT note FROM proof.checkpoints ORDER BY size"
_TILES = "SELECT hashes FROM proof.tiles WHERE level = 0 ORDER BY number"


class StoreSnapshot:
    """The log and its proof as they stood at one moment; raises ``CannotVerify`` where the database does not answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None
        self._numbers = count(1)

    def __enter__(self) -> Self:
        try:
            self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
            self._connection.execute(_BEGIN)
        except (psycopg.Error, UnicodeError) as error:
            raise CannotVerify(f"the database cannot be read: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    def rows(self) -> Iterator[list[Row]]:
        """Every event in order of position, in batches; the next one is fetched while one is worked on."""
        for first, batch in enumerate(self._batches("events", _ROWS, BATCH_ROWS)):
            yield [hashed_row(row, first * BATCH_ROWS + place) for place, row in enumerate(batch, 1)]

    def notes(self) -> list[str]:
        """The checkpoints that the database has, genuine or not."""
        if not self._has_proof():
            return []
        return [note for (note,) in self._query(_NOTES)]

    def leaves(self) -> Iterator[list[bytes]]:
        """The leaves of the stored tree, genuine or not."""
        if self._has_proof():
            for batch in self._batches(f"tiles_{next(self._numbers)}", _TILES, BATCH_TILES):
                yield split_hashes(b"".join(bytes(hashes) for (hashes,) in batch))

    def _has_proof(self) -> bool:
        return bool(self._query(_HAS_PROOF)[0][0])

    def _query(self, query: bytes) -> list[Any]:
        assert self._connection is not None
        try:
            return self._connection.execute(query).fetchall()
        except psycopg.Error as error:
            raise CannotVerify(f"the database cannot be read: {error}") from error

    def _batches(self, name: str, query: str, size: int) -> Iterator[list[Any]]:
        assert self._connection is not None
        with (
            self._connection.cursor(name=name) as cursor,
            ThreadPoolExecutor(1, thread_name_prefix="verify-read") as ahead,
        ):
            try:
                cursor.execute(query.encode(), binary=True)
                coming = ahead.submit(cursor.fetchmany, size)
                while batch := coming.result():
                    coming = ahead.submit(cursor.fetchmany, size)
                    yield batch
            except psycopg.Error as error:
                raise CannotVerify(f"the database cannot be read: {error}") from error
