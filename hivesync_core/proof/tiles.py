"""The stored form of the tree: tiles of 256 hashes, as transparency logs keep them (c2sp.org/tlog-tiles).

A tile of level L holds hashes of complete subtrees of ``256**L`` leaves; a full tile's root is one hash of the level
above. Any subtree of the tree is found within one tile, so a proof in a log of a million events reads six tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hivesync_core.proof.proofs import NodeSource, subtree_hash
from hivesync_core.proof.tree import EMPTY_ROOT, HASH_BYTES, Node, complete_root

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT


class TileAddress(NamedTuple):
    """Level and number of a tile; it holds the hashes from ``number * 256`` on."""

    level: int
    number: int


Tiles = Mapping[TileAddress, bytes]
"""Tiles by address; each is its hashes in a row, fewer than 256 where it is the last of its level."""


def tile_of(node: Node) -> TileAddress:
    """The tile that a subtree's hash is found in, or can be computed from."""
    level, within = divmod(node.level, TILE_HEIGHT)
    return TileAddress(level, (node.number << within) >> TILE_HEIGHT)


def hash_in(tiles: Tiles, node: Node) -> bytes:
    """A subtree's hash; raises ``LookupError`` where the tiles do not hold it."""
    address = tile_of(node)
    tile = tiles[address]
    within = node.level % TILE_HEIGHT
    first = (node.number << within) - (address.number << TILE_HEIGHT)
    hashes = split_hashes(tile[first * HASH_BYTES : (first + (1 << within)) * HASH_BYTES])
    if len(hashes) != 1 << within:
        raise LookupError(f"the tile {address} holds too few hashes")
    return complete_root(hashes)


def split_hashes(joined: bytes) -> list[bytes]:
    """The hashes of a row of hashes."""
    return [joined[i : i + HASH_BYTES] for i in range(0, len(joined), HASH_BYTES)]


def tiles_needed(question: Callable[[NodeSource], object]) -> set[TileAddress]:
    """Which tiles a proof will be made from; ``question`` makes the proof from the source that it is given."""
    needed: set[TileAddress] = set()

    def note(node: Node) -> bytes:
        needed.add(tile_of(node))
        return bytes(HASH_BYTES)

    question(note)
    return needed


def edge(size: int) -> list[TileAddress]:
    """The tiles that are not full in a tree of ``size`` leaves, one a level: what appending continues from."""
    addresses = []
    level, hashes = 0, size
    while hashes:
        if hashes % TILE_WIDTH:
            addresses.append(TileAddress(level, hashes // TILE_WIDTH))
        level, hashes = level + 1, hashes // TILE_WIDTH
    return addresses


def root_at(size: int, source: NodeSource) -> bytes:
    """The root of the tree of ``size`` leaves."""
    return subtree_hash(0, size, source) if size else EMPTY_ROOT


class TileWriter:
    """Appends leaves to the tiles. ``edge`` holds the tiles named by ``edge(size)``."""

    def __init__(self, size: int, edge: Tiles) -> None:
        self.size = size
        self._open = {address.level: (address.number, split_hashes(tile)) for address, tile in edge.items()}

    def extend(self, leaves: Sequence[bytes]) -> dict[TileAddress, bytes]:
        """Append hashes of leaves; gives every tile that is new or has grown."""
        changed: dict[TileAddress, bytes] = {}
        self.size += len(leaves)
        level, arriving, width = 0, list(leaves), self.size
        while arriving:
            number, hashes = self._open.pop(level, ((width - len(arriving)) // TILE_WIDTH, []))
            hashes += arriving
            arriving = []
            for start in range(0, len(hashes), TILE_WIDTH):
                tile = hashes[start : start + TILE_WIDTH]
                changed[TileAddress(level, number)] = b"".join(tile)
                if len(tile) < TILE_WIDTH:
                    self._open[level] = (number, tile)
                else:
                    arriving.append(complete_root(tile))
                number += 1
            level, width = level + 1, width // TILE_WIDTH
        return changed
