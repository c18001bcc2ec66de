"""The stored tree: grows by what the log has more, checks the chain on the way, and answers roots and proofs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, TypeVar

from psycopg import AsyncConnection

from adapters.postgres.connections import Database
from adapters.proof.hashed_rows import HASHED_COLUMNS, hashed_row
from hivesync_core.eventstore.records import GENESIS_HASH
from hivesync_core.proof.proofs import NodeSource
from hivesync_core.proof.tiles import (
    TILE_WIDTH,
    TileAddress,
    Tiles,
    TileWriter,
    edge,
    hash_in,
    split_hashes,
    tiles_needed,
)
from hivesync_core.proof.tree import HASH_BYTES
from projections.engine.stored_text import PAGE_BYTES_MAX

Answer = TypeVar("Answer")

GROW_EVENTS_MAX = 5_000
"""Events that one transaction adds to the tree."""

TREE_LOCK = 7237104

_SIZE = "SELECT number, octet_length(hashes) FROM proof.tiles WHERE level = 0 ORDER BY number DESC LIMIT 1"
_PAGE = f"""
    SELECT notification_id, text, hash, has_line_end FROM (
        SELECT {HASHED_COLUMNS},
               sum(octet_length(e.state)) OVER (ORDER BY e.notification_id) - octet_length(e.state)
        FROM eventlog.events e WHERE e.notification_id > %s ORDER BY e.notification_id LIMIT %s
    ) page(notification_id, text, hash, has_line_end, bytes_before) WHERE bytes_before < %s ORDER BY notification_id
"""
_LINK = "SELECT hash FROM eventlog.events WHERE notification_id = %s"
_TILES = (
    "SELECT t.level, t.number, t.hashes FROM proof.tiles t "
    "JOIN unnest(%s::int[], %s::bigint[]) AS wanted(level, number) USING (level, number)"
)
_STORE = (
    "INSERT INTO proof.tiles (level, number, hashes) SELECT * FROM unnest(%s::int[], %s::bigint[], %s::bytea[]) "
    "ON CONFLICT (level, number) DO UPDATE SET hashes = EXCLUDED.hashes"
)
_LEVEL_0 = "SELECT number, hashes FROM proof.tiles WHERE level = 0 AND number >= %s ORDER BY number LIMIT %s"


class LogRewritten(Exception):
    """The log is not the one that was signed; the message says from which position on. Nothing is signed any more."""


class TreeBusy(Exception):
    """Another process is adding to the tree at this moment."""


class TreeStore:
    """The tree in the table ``proof.tiles``, shared by all processes; one of them grows it at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def size(self) -> int:
        """Events that are in the tree."""
        return _size(await self._database.fetch_one(_SIZE))

    async def grow(self) -> int:
        """Add all events that the log has more, and give the tree's size.

        Raises ``LogRewritten`` where an event does not follow from the one before, ``LookupError`` where the tree is
        damaged, ``TreeBusy``, ``StoreUnavailable``.
        """
        while True:
            size, added = await self._grow_once()
            if not added:
                return size

    async def answer(self, question: Callable[[NodeSource], Answer]) -> Answer:
        """What ``question`` gives when it is asked of the stored tree; raises ``LookupError`` where tiles are missing."""
        tiles = await self._tiles(tiles_needed(question))
        return await asyncio.to_thread(question, lambda node: hash_in(tiles, node))

    async def leaves(self, first: int, count: int) -> list[bytes]:
        """The hashes of the events from the tree's index ``first`` on, as many as there are up to ``count``."""
        number = first // TILE_WIDTH
        tiles_max = (first + count - 1) // TILE_WIDTH - number + 1
        rows = await self._database.fetch_all(_LEVEL_0, (number, tiles_max))
        if not rows or rows[0][0] != number:
            return []
        joined = b"".join(hashes for _, hashes in rows)
        start = (first - number * TILE_WIDTH) * HASH_BYTES
        return split_hashes(joined[start : start + count * HASH_BYTES])

    async def link(self, position: int) -> bytes | None:
        """The chain's hash at a position of the log; none where the log has no such event."""
        if position == 0:
            return GENESIS_HASH
        row = await self._database.fetch_one(_LINK, (position,))
        return None if row is None else bytes(row[0])

    async def clear(self) -> None:
        """Throw the tree away; ``grow`` makes it again from the log."""
        async with self._database.transaction() as connection:
            await _lock(connection)
            await connection.execute("DELETE FROM proof.tiles")

    async def _grow_once(self) -> tuple[int, int]:
        async with self._database.transaction() as connection:
            await _lock(connection)
            size = _size(await (await connection.execute(_SIZE.encode(), binary=True)).fetchone())
            page: list[Any] = await (
                await connection.execute(_PAGE.encode(), (size, GROW_EVENTS_MAX, PAGE_BYTES_MAX), binary=True)
            ).fetchall()
            if not page:
                return size, 0
            before = await self._link_before(connection, size)
            tiles = await self._tiles(edge(size), connection)
            if len(tiles) < len(edge(size)):
                raise LookupError("tiles are missing from the stored tree")
            leaves = await asyncio.to_thread(_chained_leaves, page, size, before)
            changed = await asyncio.to_thread(TileWriter(size, tiles).extend, leaves)
            await connection.execute(
                _STORE.encode(),
                ([a.level for a in changed], [a.number for a in changed], list(changed.values())),
            )
            return size + len(leaves), len(leaves)

    async def _link_before(self, connection: AsyncConnection[Any], size: int) -> bytes:
        if size == 0:
            return GENESIS_HASH
        row = await (await connection.execute(_LINK.encode(), (size,), binary=True)).fetchone()
        if row is None:
            raise LogRewritten(f"event {size} is gone from the log")
        return bytes(row[0])

    async def _tiles(self, addresses: Iterable[TileAddress], connection: AsyncConnection[Any] | None = None) -> Tiles:
        wanted = list(addresses)
        params = ([a.level for a in wanted], [a.number for a in wanted])
        if connection is None:
            rows = await self._database.fetch_all(_TILES, params)
        else:
            rows = await (await connection.execute(_TILES.encode(), params, binary=True)).fetchall()
        return {TileAddress(level, number): bytes(hashes) for level, number, hashes in rows}


async def _lock(connection: AsyncConnection[Any]) -> None:
    """Become the one that changes the tree, until the transaction ends."""
    row = await (await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (TREE_LOCK,))).fetchone()
    if row is None or not row[0]:
        raise TreeBusy


def _size(row: tuple[Any, ...] | None) -> int:
    return 0 if row is None else row[0] * TILE_WIDTH + row[1] // HASH_BYTES


def _chained_leaves(page: list[Any], size: int, link: bytes) -> list[bytes]:
    """The hashes of a page's events in the tree; raises ``LogRewritten`` where they do not follow from ``link``."""
    leaves = []
    for position, hashed in enumerate(page, size + 1):
        row = hashed_row(hashed, position)
        if row.position != position:
            raise LogRewritten(f"event {position} is gone from the log: {row.position} follows {position - 1}")
        if row.flaw:
            raise LogRewritten(f"event {position} was changed: {row.flaw}")
        link = sha256(link + row.text).digest()
        if link != row.link:
            raise LogRewritten(f"event {position} was changed: its hash does not follow from the one before")
        leaves.append(sha256(b"\0" + row.text).digest())
    return leaves
