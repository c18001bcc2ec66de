"""Inclusion and consistency proofs: made from stored subtrees, checked from nothing but the proof (RFC 9162, 2.1.3, 2.1.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hivesync_core.proof.tree import Node, Peaks, Subtree, cover, node_hash

NodeSource = Callable[[Node], bytes]
"""Answers the hash of a complete subtree. Which ones a proof asks for depends on sizes and indexes alone."""


def subtree_hash(start: int, stop: int, source: NodeSource) -> bytes:
    """The hash over the leaves from ``start`` to ``stop``, a subtree of the tree whatever its size (MTH of the RFC)."""
    covering = [source(node) for node in cover(start, stop)]
    root = covering.pop()
    while covering:
        root = node_hash(covering.pop(), root)
    return root


def inclusion_proof(index: int, size: int, source: NodeSource) -> list[bytes]:
    """The path that proves the leaf at ``index`` in the tree of ``size``, from the leaf's sibling up."""
    assert 0 <= index < size, "the leaf is in the tree"
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append(subtree_hash(middle, stop, source))
            stop = middle
        else:
            path.append(subtree_hash(start, middle, source))
            start = middle
    return path[::-1]


def consistency_proof(old_size: int, size: int, source: NodeSource) -> list[bytes]:
    """The path that proves that the tree of ``size`` begins with the tree of ``old_size``."""
    assert 0 <= old_size <= size, "the older tree is not larger"
    if old_size in (0, size):
        return []
    path: list[bytes] = []
    start, stop, whole = 0, size, True
    while stop != old_size:
        middle = start + _split(stop - start)
        if old_size <= middle:
            path.append(subtree_hash(middle, stop, source))
            stop = middle
        else:
            path.append(subtree_hash(start, middle, source))
            start, whole = middle, False
    if not whole:
        path.append(subtree_hash(start, stop, source))
    return path[::-1]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves that the tree with this root has the leaf at this index."""
    if not 0 <= index < size:
        return False
    at, last, computed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            computed = node_hash(sibling, computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and computed == root


def is_consistent(old_size: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path proves that the tree of ``size`` with ``root`` begins with the older tree.

    An empty older tree begins every tree; its proof is empty.
    """
    if not 0 <= old_size <= size:
        return False
    if old_size == size:
        return not path and old_root == root
    if old_size == 0:
        return not path and old_root == Peaks().root()
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_computed = computed = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old_computed = node_hash(sibling, old_computed)
            computed = node_hash(sibling, computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old_computed == old_root and computed == root


def folded(subtrees: Iterable[Subtree]) -> Peaks:
    """The tree that these subtrees are from left to right; raises ``ValueError`` where they do not fit together."""
    peaks = Peaks()
    for subtree in subtrees:
        peaks.append(subtree)
    return peaks


def _split(leaves: int) -> int:
    """The largest power of two smaller than a number of leaves."""
    split: int = 1 << ((leaves - 1).bit_length() - 1)
    return split
