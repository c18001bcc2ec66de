"""Writes the proof file of an export from the stored tree: exported events as leaves, what lies between as subtrees."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import BinaryIO, NamedTuple

from adapters.proof.tree_store import TreeStore
from hivesync_core.proof.prooffile import FORM, exported_records, gap_records
from hivesync_core.proof.proofs import NodeSource
from hivesync_core.proof.tiles import TILE_WIDTH
from hivesync_core.proof.tree import Node

RUN_MAX = 32 * TILE_WIDTH
"""Events that one step takes from the tree: a quarter of a megabyte of hashes."""

SHORT_RUNS_MAX = 500
"""Short runs that are asked of the tree at once."""


class Run(NamedTuple):
    """Exported events that follow each other: the position of the first, how many, and the hash kept beside each."""

    position: int
    events: int
    beside: Sequence[bytes] | None = None


class _Piece(NamedTuple):
    """Leaves from ``start`` to ``stop``: exported ones, or a gap between them."""

    start: int
    stop: int
    exported: bool
    beside: Sequence[bytes] | None

    def records(self, source: NodeSource) -> bytes:
        """The piece as it stands in the file."""
        if not self.exported:
            return gap_records(self.start, self.stop, source)
        leaves = [source(Node(0, leaf)) for leaf in range(self.start, self.stop)]
        return exported_records(leaves, self.beside)


class ProofWriter:
    """Writes one proof file over the tree of ``size`` events."""

    def __init__(self, tree: TreeStore, size: int, stream: BinaryIO) -> None:
        self._tree = tree
        self._size = size
        self._stream = stream
        self._digest = hashlib.sha256()
        self._waiting: list[_Piece] = []

    async def write(self, runs: Iterable[Run]) -> str:
        """Write the file; the runs come in ascending order. Gives the SHA-256 of its bytes in hex."""
        self._put(FORM)
        at = 0
        for position, events, beside in runs:
            if at < position - 1:
                await self._take(_Piece(at, position - 1, False, None))
            at = position - 1 + events
            await self._take(_Piece(position - 1, at, True, beside))
        if at < self._size:
            await self._take(_Piece(at, self._size, False, None))
        await self._flush()
        return self._digest.hexdigest()

    async def _take(self, piece: _Piece) -> None:
        if piece.exported and piece.stop - piece.start > TILE_WIDTH:
            await self._flush()
            await self._long(piece)
            return
        self._waiting.append(piece)
        if len(self._waiting) >= SHORT_RUNS_MAX:
            await self._flush()

    async def _long(self, piece: _Piece) -> None:
        for start in range(piece.start, piece.stop, RUN_MAX):
            stop = min(start + RUN_MAX, piece.stop)
            leaves = await self._tree.leaves(start, stop - start)
            if len(leaves) != stop - start:
                raise LookupError(f"the stored tree lacks leaves from {start} to {stop}")
            beside = None if piece.beside is None else piece.beside[start - piece.start : stop - piece.start]
            self._put(exported_records(leaves, beside))

    async def _flush(self) -> None:
        pieces, self._waiting = self._waiting, []
        if pieces:
            for records in await self._tree.answer(lambda source: [piece.records(source) for piece in pieces]):
                self._put(records)

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._stream.write(data)
