"""Signs checkpoints, and nothing that does not extend what was signed before."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.ids import now
from adapters.postgres.connections import Database
from adapters.proof.outside import Outside
from adapters.proof.tree_store import LogRewritten, TreeBusy, TreeStore
from hivesync_core.proof.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint, sign_checkpoint
from hivesync_core.proof.manifest import manifest_signature
from hivesync_core.proof.note import NoteRefused, PublicKey, SigningKey
from hivesync_core.proof.proofs import consistency_proof, is_consistent
from hivesync_core.proof.tiles import root_at

logger = logging.getLogger(__name__)

INTERVAL_S = 60.0
"""How often a checkpoint is signed while events arrive."""

REBUILD_PAUSE_S = 600.0
"""A tree that does not fit the log although it was made from it is made again this much later, not at every turn."""

BUSY_PAUSE_S = 0.05
BUSY_TRIES_MAX = 200
LEAVES_PAGE = 64 * 256

_NEWEST = "SELECT note FROM proof.checkpoints ORDER BY size DESC LIMIT 1"
_AT_LEAST = "SELECT note FROM proof.checkpoints WHERE size >= %s ORDER BY size LIMIT 1"
_INSERT = "INSERT INTO proof.checkpoints (size, note, signed_at) VALUES (%s, %s, %s) ON CONFLICT (size) DO NOTHING"


class OtherKey(Exception):
    """The log's checkpoints were signed by a key that is not this one; signing on would make two histories of one."""


class NothingToSign(Exception):
    """The log does not reach the position that a checkpoint was asked for."""


class CheckpointKeeper:
    """Grows the tree, signs its root, keeps what was signed inside and outside the database.

    Before anything is signed, the newest checkpoint known (of the table and of the folder) must be proven to be a
    beginning of the tree, and its last hash must stand at its place in the chain. A tree that fails is rebuilt from
    the log once; a log that still fails was rewritten or cut off: ``alarm`` says so, and nothing is signed.
    """

    def __init__(self, database: Database, key: SigningKey, data_dir: Path) -> None:
        self._database = database
        self._key = key
        self._turn = asyncio.Lock()
        self.tree = TreeStore(database)
        self.outside = Outside(data_dir)
        self.alarm = ""
        self.signed = 0
        self._rebuilt_at: float | None = None

    @property
    def public_key(self) -> PublicKey:
        """The key that checks what is signed here."""
        return self._key.public

    def sign_manifest(self, manifest: Mapping[str, Any]) -> str:
        """The signature of an export's manifest."""
        return manifest_signature(manifest, self._key)

    async def newest(self) -> SignedCheckpoint | None:
        """The newest checkpoint, or none before the first; raises ``OtherKey``, ``StoreUnavailable``."""
        return self._opened(await self._database.fetch_one(_NEWEST))

    async def checkpoint_for(self, position: int) -> SignedCheckpoint:
        """A checkpoint that covers a position of the log, signed now where there is none yet.

        The same position gives the same checkpoint again. Raises ``NothingToSign`` where the log is shorter,
        ``LogRewritten``, ``OtherKey``, ``StoreUnavailable``.
        """
        found = self._opened(await self._database.fetch_one(_AT_LEAST, (position,)))
        if found is None:
            await self.sign()
            found = self._opened(await self._database.fetch_one(_AT_LEAST, (position,)))
        if found is None:
            raise NothingToSign(f"the log does not reach position {position}")
        return found

    async def sign(self) -> SignedCheckpoint | None:
        """Sign the log as it stands, unless it stands where it was signed; gives the newest checkpoint.

        Raises ``LogRewritten``, ``OtherKey``, ``StoreUnavailable``.
        """
        async with self._turn:
            try:
                signed = await self._sign()
            except LogRewritten as error:
                self.alarm = str(error)
                logger.critical("the log is not the one that was signed; no checkpoint is signed: %s", error)
                raise
            self.alarm = ""
            return signed

    async def keep_signing(self) -> None:
        """One turn of the periodic work: like ``sign``, but a log that was rewritten has been told by ``alarm``."""
        try:
            await self.sign()
        except LogRewritten:
            return

    async def _sign(self) -> SignedCheckpoint | None:
        inside = await self.newest()
        outside = await asyncio.to_thread(self.outside.newest, self.public_key)
        known = [signed for signed in (inside, outside) if signed is not None]
        size, root = await self._grown_or_rebuilt([signed.checkpoint for signed in known])
        newest = max(known, key=lambda signed: signed.checkpoint.size, default=None)
        if size and (newest is None or newest.checkpoint.size < size):
            head = await self.tree.link(size)
            if head is None:
                raise LogRewritten(f"event {size} is gone from the log")
            newest = sign_checkpoint(
                Checkpoint(self._key.name, size, root, head, now().replace(microsecond=0)), self._key
            )
            self.signed += 1
        if newest is not None:
            await self._keep(newest, inside=newest != inside, outside=newest != outside)
        return newest

    async def _grown_or_rebuilt(self, known: list[Checkpoint]) -> tuple[int, bytes]:
        """As ``_grown``; a damaged tree is made again from the log, but not at every turn while an alarm lasts."""
        try:
            return await self._grown(known)
        except (LookupError, _TreeDamaged) as damage:
            if self._rebuilt_at is not None and time.monotonic() - self._rebuilt_at < REBUILD_PAUSE_S:
                raise LogRewritten(str(damage)) from damage
            logger.warning("the stored tree is damaged and made again from the log: %s", damage)
        self._rebuilt_at = time.monotonic()
        await self.tree.clear()
        try:
            return await self._grown(known)
        except (LookupError, _TreeDamaged) as error:
            raise LogRewritten(str(error)) from error

    async def _grown(self, known: list[Checkpoint]) -> tuple[int, bytes]:
        """The tree's size and root after it took in the whole log, proven to extend what is known."""
        for _ in range(BUSY_TRIES_MAX):
            try:
                size = await self.tree.grow()
                break
            except TreeBusy:
                await asyncio.sleep(BUSY_PAUSE_S)
        else:
            raise TreeBusy("another process does not stop growing the tree")
        root = await self.tree.answer(lambda source: root_at(size, source))
        for old in known:
            await self._must_extend(old, size, root)
        return size, root

    async def _must_extend(self, old: Checkpoint, size: int, root: bytes) -> None:
        when = f"signed at {old.signed_at:%Y-%m-%d %H:%M:%S} UTC"
        if size < old.size:
            raise LogRewritten(f"the log ends at {size}, and {old.size} events were {when}: it was cut off")
        link = await self.tree.link(old.size)
        if link is None:
            raise LogRewritten(f"event {old.size} is gone from the log: {old.size} events were {when}")
        if link != old.chain_head:
            raise LogRewritten(f"event {old.size} has another hash than was {when}: it, or one before it, was changed")
        proof = await self.tree.answer(lambda source: consistency_proof(old.size, size, source))
        if not is_consistent(old.size, size, old.root, root, proof):
            raise _TreeDamaged(f"the first {old.size} events are not those that were {when}")

    async def _keep(self, signed: SignedCheckpoint, *, inside: bool, outside: bool) -> None:
        """Outside first: what is signed is known to others before it counts here."""
        checkpoint = signed.checkpoint
        if outside:
            await asyncio.to_thread(self.outside.keep, signed)
        if inside:
            await self._database.execute(_INSERT, (checkpoint.size, signed.note, checkpoint.signed_at))
        await self._keep_leaves(checkpoint.size)

    async def _keep_leaves(self, size: int) -> None:
        kept = await asyncio.to_thread(self.outside.leaves_kept)
        while kept < size:
            leaves = await self.tree.leaves(kept, min(LEAVES_PAGE, size - kept))
            if not leaves:
                return
            await asyncio.to_thread(self.outside.keep_leaves, kept, leaves)
            kept += len(leaves)

    def _opened(self, row: tuple[object, ...] | None) -> SignedCheckpoint | None:
        if row is None:
            return None
        try:
            return open_checkpoint(str(row[0]), self.public_key)
        except NoteRefused as error:
            raise OtherKey(
                f"the newest checkpoint in the database is not by this key ({error}). Every node needs the same "
                "HIVESYNC_SIGNING_KEY; to change the key on purpose, keep the old checkpoints and empty proof.checkpoints"
            ) from error


class _TreeDamaged(Exception):
    """The stored tree does not extend what was signed: it, or the log, was changed."""
