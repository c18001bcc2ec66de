"""Keeps blobs in PostgreSQL under the hash of their content, each with a key that can be dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

import msgspec

from adapters.blobs.sealing import new_key, open_sealed, seal
from adapters.postgres.connections import Database
from hivesync_core.kernel.refusal import NotFound

Kind = Literal["source", "words", "prompt"]
"""Submitted files, what is said about them, and templates. Templates are kept for ever."""

NOBODY: Final = UUID(int=0)
"""Whom blobs belong to that are of no project."""

EXPIRED_AT_ONCE: Final = 1_000


class BlobGone(NotFound):
    """The content is no longer kept: its time ran out, or its key was dropped."""

    code = "blob.gone"
    title = "The content is no longer kept"


class Expired(msgspec.Struct, frozen=True):
    """How much of a kind is older than it is kept."""

    blobs: int
    size_bytes: int


class BlobStore:
    """Blobs by owner and SHA-256. ``installation_key`` gives the key that seals the keys; it may raise."""

    def __init__(self, database: Database, installation_key: Callable[[], bytes]) -> None:
        self._database = database
        self._installation_key = installation_key
        self._key: bytes | None = None

    async def put(self, owner_id: UUID, kind: Kind, content: bytes) -> str:
        """Keep content and give its SHA-256 in hex; what is there already is kept from now on."""
        digest = sha256(content).digest()
        installation, key = await self._installation(), new_key()
        sealed = await asyncio.to_thread(seal, key, content, owner_id, digest)
        async with self._database.transaction() as connection:
            # A key of its own each time: content and key are replaced together, or not at all.
            await connection.execute(
                b"INSERT INTO blobs.content (owner_id, sha256, kind, size_bytes, sealed) VALUES (%s, %s, %s, %s, %s) "
                b"ON CONFLICT (owner_id, sha256) DO UPDATE SET sealed = excluded.sealed, kept_at = clock_timestamp()",
                (owner_id, digest, kind, len(content), sealed),
            )
            await connection.execute(
                b"INSERT INTO blobs.keys (owner_id, sha256, sealed) VALUES (%s, %s, %s) "
                b"ON CONFLICT (owner_id, sha256) DO UPDATE SET sealed = excluded.sealed",
                (owner_id, digest, seal(installation, key, owner_id, digest)),
            )
        return digest.hex()

    async def get(self, owner_id: UUID, sha256_hex: str) -> bytes:
        """The content; raises ``BlobGone``, ``NotOpened``, ``StoreUnavailable``."""
        digest = bytes.fromhex(sha256_hex)
        row = await self._database.fetch_one(
            "SELECT c.sealed, k.sealed FROM blobs.content c JOIN blobs.keys k USING (owner_id, sha256) "
            "WHERE owner_id = %s AND sha256 = %s",
            (owner_id, digest),
        )
        if row is None:
            raise BlobGone("The content is no longer kept. Submit the file again.")
        sealed, sealed_key = row
        key = open_sealed(await self._installation(), sealed_key, owner_id, digest)
        return await asyncio.to_thread(open_sealed, key, sealed, owner_id, digest)

    async def has(self, owner_id: UUID, sha256_hex: str) -> bool:
        """Whether the content is still kept."""
        row = await self._database.fetch_one(
            "SELECT 1 FROM blobs.keys WHERE owner_id = %s AND sha256 = %s", (owner_id, bytes.fromhex(sha256_hex))
        )
        return row is not None

    async def expired(self, kind: Kind, kept_before: datetime) -> Expired:
        """How much is there that was last handed in before a moment."""
        row = await self._database.fetch_one(
            "SELECT count(*), coalesce(sum(size_bytes), 0)::bigint FROM blobs.content WHERE kind = %s AND kept_at < %s",
            (kind, kept_before),
        )
        assert row is not None, "an aggregate always has one row"
        return Expired(*row)

    async def drop(self, kind: Kind, kept_before: datetime) -> int:
        """Drop keys and content that was last handed in before a moment; how many, some of them at a time."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                b"WITH old AS (SELECT owner_id, sha256 FROM blobs.content WHERE kind = %s AND kept_at < %s "
                b"ORDER BY kept_at LIMIT %s FOR UPDATE), "
                b"keys AS (DELETE FROM blobs.keys k USING old WHERE k.owner_id = old.owner_id AND k.sha256 = old.sha256) "
                b"DELETE FROM blobs.content c USING old WHERE c.owner_id = old.owner_id AND c.sha256 = old.sha256",
                (kind, kept_before, EXPIRED_AT_ONCE),
            )
            return cursor.rowcount

    async def _installation(self) -> bytes:
        if self._key is None:
            self._key = await asyncio.to_thread(self._installation_key)
        return self._key
