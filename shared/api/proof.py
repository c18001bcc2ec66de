"""Proofs as the API tells them; hashes are base64, as in checkpoints."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from shared.api.base import Answer

Hash = Annotated[str, Meta(description="A SHA-256 hash in base64 (32 bytes).", min_length=44, max_length=44)]
TreeSize = Annotated[int, Meta(ge=0, description="Events in the tree.")]


class InclusionProof(Answer, frozen=True, kw_only=True):
    """That the event at a position is in the tree of a size (RFC 9162, section 2.1.3)."""

    position: Annotated[int, Meta(ge=1, description="The event's position in the log; its leaf index is one less.")]
    size: TreeSize
    leaf_hash: Hash
    root: Hash
    path: Annotated[list[Hash], Meta(description="From the leaf's sibling up.")]


class ConsistencyProof(Answer, frozen=True, kw_only=True):
    """That a tree begins with an older one (RFC 9162, section 2.1.4)."""

    old_size: TreeSize
    size: TreeSize
    old_root: Hash
    root: Hash
    path: list[Hash]
