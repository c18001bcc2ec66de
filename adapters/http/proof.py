"""Proof over HTTP: the newest signed checkpoint, the public key, and what leads from one tree to another (HIST-3, MIG-4).

Checkpoint, key and consistency proofs are open to everybody: they are made to be spread and say nothing of what
happened, only of how often something did.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from litestar.response.base import ASGIResponse

from adapters.http.authentication import ANYONE, needs
from adapters.http.request import ApiRequest
from adapters.proof.keeper import CheckpointKeeper, OtherKey
from hivesync_core.proof.checkpoint import SignedCheckpoint
from hivesync_core.proof.proofs import NodeSource, consistency_proof, inclusion_proof
from hivesync_core.proof.refusals import NoCheckpointYet, NotInTheTree, SizesContradict
from hivesync_core.proof.tiles import root_at
from hivesync_core.proof.tree import Node
from shared.api.proof import ConsistencyProof, InclusionProof

TAGS = ["Proof"]
POSITION_MAX = 2**53 - 1
"""Positions and sizes that every client's JSON can tell apart."""

_TEXT = "text/plain"
_MAY_BE_MISSING = {**ANYONE, "statuses": (404,)}
"""There is no checkpoint before the first is signed."""

Position = Annotated[int, QueryParameter(ge=1, le=POSITION_MAX, description="The event's position in the log.")]
OldSize = Annotated[int, QueryParameter(ge=0, le=POSITION_MAX, description="Size of the older tree.")]
Size = Annotated[
    int | None,
    QueryParameter(ge=0, le=POSITION_MAX, description="Size of the tree; else that of the newest checkpoint."),
]


@get("/checkpoint", tags=TAGS, opt=_MAY_BE_MISSING, summary="The newest signed checkpoint", media_type="text/plain")
async def checkpoint(request: ApiRequest) -> ASGIResponse:
    """A signed note (c2sp.org/tlog-checkpoint): the log's size, its Merkle root and its last hash. Keep a copy."""
    newest = await _newest(request.services.proof)
    return ASGIResponse(body=newest.note.encode(), media_type=_TEXT, headers={"cache-control": "no-cache"})


@get("/checkpoint/key", tags=TAGS, opt=ANYONE, summary="The key that checks checkpoints", media_type="text/plain")
async def public_key(request: ApiRequest) -> ASGIResponse:
    """One line, name+id+base64, as `hivesync verify --key` takes it. Pin it when you first see it."""
    return ASGIResponse(body=f"{request.services.proof.public_key}\n".encode(), media_type=_TEXT)


@get(
    "/checkpoint/inclusion",
    tags=TAGS,
    opt={**needs("read")["opt"], "statuses": (404,)},
    summary="Prove that an event is in the log",
)
async def inclusion(request: ApiRequest, position: Position, size: Size = None) -> InclusionProof:
    """The path from an event's leaf to the root of the tree."""
    keeper = request.services.proof
    size = await _size_of(keeper, size)
    if position > size:
        raise SizesContradict(f"Event {position} is not within the first {size}.", size=size)

    def question(source: NodeSource) -> tuple[bytes, bytes, list[bytes]]:
        return source(Node(0, position - 1)), root_at(size, source), inclusion_proof(position - 1, size, source)

    leaf, root, path = await keeper.tree.answer(question)
    return InclusionProof(
        position=position, size=size, leaf_hash=_text(leaf), root=_text(root), path=[_text(step) for step in path]
    )


@get(
    "/checkpoint/consistency", tags=TAGS, opt=_MAY_BE_MISSING, summary="Prove that the log extends an older checkpoint"
)
async def consistency(request: ApiRequest, old_size: OldSize, size: Size = None) -> ConsistencyProof:
    """The path that shows that nothing before the older size was changed."""
    keeper = request.services.proof
    size = await _size_of(keeper, size)
    if old_size > size:
        raise SizesContradict(f"A tree of {old_size} events is not the beginning of one of {size}.", size=size)

    def question(source: NodeSource) -> tuple[bytes, bytes, list[bytes]]:
        return root_at(old_size, source), root_at(size, source), consistency_proof(old_size, size, source)

    old_root, root, path = await keeper.tree.answer(question)
    return ConsistencyProof(
        old_size=old_size, size=size, old_root=_text(old_root), root=_text(root), path=[_text(step) for step in path]
    )


async def _newest(keeper: CheckpointKeeper) -> SignedCheckpoint:
    try:
        newest = await keeper.newest()
    except OtherKey:
        newest = None
    if newest is None:
        raise NoCheckpointYet
    return newest


async def _size_of(keeper: CheckpointKeeper, asked: int | None) -> int:
    """The size asked for, which the tree must have, or that of the newest checkpoint."""
    if asked is None:
        return (await _newest(keeper)).checkpoint.size
    size = await keeper.tree.size()
    if asked > size:
        raise NotInTheTree(f"The tree has {size} events, not {asked}.", size=size)
    return asked


def _text(hash_: bytes) -> str:
    return b64encode(hash_).decode()


HANDLERS = (checkpoint, public_key, inclusion, consistency)
