"""The Merkle tree agrees with the RFC's definition and with the vectors of certificate transparency."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hivesync_core.proof.proofs import consistency_proof, inclusion_proof, is_consistent, is_included
from hivesync_core.proof.tiles import TileAddress, TileWriter, edge, hash_in, root_at, tiles_needed
from hivesync_core.proof.tree import EMPTY_ROOT, Node, Peaks, Subtree, complete_root, cover, leaf_hash, root_of

CT_INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
"""The leaves that the reference implementation of certificate transparency tests with, and the roots over them."""
CT_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
CT_LEAVES = [leaf_hash(data) for data in CT_INPUTS]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def by_definition(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\1" + by_definition(hashes[:split]) + by_definition(hashes[split:])).digest()


def source_of(hashes: list[bytes]):
    return lambda node: complete_root(hashes[node.number << node.level : (node.number + 1) << node.level])


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of(CT_LEAVES[:size]).hex() == CT_ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert (
        root_of([]) == EMPTY_ROOT == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    )


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
    ],
)
def test_inclusion_proofs_are_those_of_certificate_transparency(index: int, size: int, path: list[str]) -> None:
    proof = inclusion_proof(index, size, source_of(CT_LEAVES))
    assert [step.hex() for step in proof] == path
    assert is_included(CT_LEAVES[index], index, size, proof, bytes.fromhex(CT_ROOTS[size - 1]))


@pytest.mark.parametrize(
    ("old_size", "size", "path"),
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
    ],
)
def test_consistency_proofs_are_those_of_certificate_transparency(old_size: int, size: int, path: list[str]) -> None:
    proof = consistency_proof(old_size, size, source_of(CT_LEAVES))
    assert [step.hex() for step in proof] == path
    old_root, root = bytes.fromhex(CT_ROOTS[old_size - 1]), bytes.fromhex(CT_ROOTS[size - 1])
    assert is_consistent(old_size, size, old_root, root, proof)


def test_every_proof_of_every_tree_up_to_40_leaves_holds() -> None:
    for size in range(1, 41):
        hashes = leaves(size)
        root, source = by_definition(hashes), source_of(hashes)
        assert root_of(hashes) == root
        for index in range(size):
            assert is_included(hashes[index], index, size, inclusion_proof(index, size, source), root)
        for old_size in range(size + 1):
            proof = consistency_proof(old_size, size, source)
            assert is_consistent(old_size, size, by_definition(hashes[:old_size]), root, proof)


@given(st.integers(1, 300), st.data())
def test_a_proof_of_another_leaf_or_place_or_size_does_not_hold(size: int, data: st.DataObject) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(index, size, source_of(hashes)), root_of(hashes)
    assert not is_included(leaf_hash(b"another"), index, size, proof, root)
    other = data.draw(st.integers(0, size + 1).filter(lambda number: number != index))
    assert not is_included(hashes[index], other, size, proof, root)
    assert not is_included(hashes[index], index, size, [*proof, proof[-1] if proof else root], root)
    if proof:
        bit = data.draw(st.integers(0, len(proof) * 256 - 1))
        step = bytearray(proof[bit // 256])
        step[bit % 256 // 8] ^= 1 << bit % 8
        assert not is_included(
            hashes[index], index, size, [*proof[: bit // 256], bytes(step), *proof[bit // 256 + 1 :]], root
        )
        assert not is_included(hashes[index], index, size, proof[:-1], root)


@given(st.integers(2, 300), st.data())
def test_a_log_that_was_rewritten_has_no_consistency_proof(size: int, data: st.DataObject) -> None:
    hashes = leaves(size)
    old_size = data.draw(st.integers(1, size - 1))
    old_root = root_of(hashes[:old_size])
    changed = data.draw(st.integers(0, old_size - 1))
    rewritten = [*hashes[:changed], leaf_hash(b"changed"), *hashes[changed + 1 :]]
    proof = consistency_proof(old_size, size, source_of(rewritten))
    assert not is_consistent(old_size, size, old_root, root_of(rewritten), proof)
    honest = consistency_proof(old_size, size, source_of(hashes))
    assert is_consistent(old_size, size, old_root, root_of(hashes), honest)
    assert not is_consistent(old_size, size, old_root, root_of(rewritten), honest)
    assert not is_consistent(old_size - 1, size, old_root, root_of(hashes), honest)


@given(st.lists(st.integers(0, 40), max_size=12))
def test_leaves_appended_in_any_portions_make_the_same_tree(portions: list[int]) -> None:
    hashes = leaves(sum(portions))
    peaks, taken = Peaks(), 0
    for portion in portions:
        peaks.extend(hashes[taken : taken + portion])
        taken += portion
    assert (peaks.size, peaks.root()) == (len(hashes), by_definition(hashes))
    rebuilt = Peaks()
    for subtree in peaks.subtrees():
        rebuilt.append(subtree)
    assert rebuilt.root() == peaks.root()


@given(st.integers(0, 400), st.data())
def test_a_range_is_covered_by_complete_subtrees_without_gap_or_overlap(stop: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, stop))
    at = start
    for level, index in cover(start, stop):
        assert index << level == at
        at += 1 << level
    assert at == stop


@given(st.integers(0, 400), st.sets(st.integers(0, 399)))
def test_leaves_and_the_subtrees_between_them_make_the_root(size: int, chosen: set[int]) -> None:
    hashes = leaves(size)
    source, peaks, at = source_of(hashes), Peaks(), 0
    for index in [*sorted(number for number in chosen if number < size), size]:
        for node in cover(at, index):
            peaks.append(Subtree(node.level, source(node)))
        if index < size:
            peaks.append(Subtree(0, hashes[index]))
        at = index + 1
    assert peaks.root() == root_of(hashes)


def test_a_subtree_cannot_stand_where_it_is_not_aligned() -> None:
    peaks = Peaks()
    peaks.extend(leaves(1))
    with pytest.raises(ValueError, match="cannot follow 1 leaves"):
        peaks.append(Subtree(1, leaf_hash(b"")))


@given(st.lists(st.integers(0, 700), max_size=4))
def test_tiles_give_every_root_and_proof_of_the_tree(portions: list[int]) -> None:
    hashes = leaves(sum(portions))
    tiles: dict[TileAddress, bytes] = {}
    size = 0
    for portion in portions:
        writer = TileWriter(size, {address: tiles[address] for address in edge(size)})
        tiles |= writer.extend(hashes[size : size + portion])
        size += portion
        assert writer.size == size
    source = source_of(hashes)

    def stored(node: Node) -> bytes:
        return hash_in(tiles, node)

    assert root_at(size, stored) == root_of(hashes)
    for index in range(0, size, 97):
        assert inclusion_proof(index, size, stored) == inclusion_proof(index, size, source)
        needed = tiles_needed(lambda node, at=index: inclusion_proof(at, size, node))
        assert needed <= tiles.keys()
        assert consistency_proof(index, size, stored) == consistency_proof(index, size, source)


def test_a_proof_in_a_log_of_a_million_events_reads_six_tiles() -> None:
    needed = tiles_needed(lambda source: inclusion_proof(654_321, 1_000_000, source))
    assert len(needed) <= 6


def test_tiles_that_hold_too_little_are_refused() -> None:
    tiles = TileWriter(0, {}).extend(leaves(5))
    with pytest.raises(LookupError):
        hash_in(tiles, Node(1, 2))
    with pytest.raises(LookupError):
        hash_in(tiles, Node(8, 0))
