"""The proof file of an export: the log's tree as a row of subtrees, in which every exported event is a leaf.

One line that names the form, then a record for each subtree from left to right, without a gap: one byte, the level,
and 32 bytes, the hash of a complete subtree of ``2**level`` leaves. The highest bit of the byte (128) marks an exported
event; where the next one (64) is set too, 32 more bytes follow, the event's hash in the chain. Folded together the
records give the root of the checkpoint, which proves them all; the marked ones then say what each row must be, and that
none is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from hivesync_core.proof.evidence import Claim
from hivesync_core.proof.proofs import NodeSource
from hivesync_core.proof.tree import HASH_BYTES, LEVELS_MAX, Peaks, Subtree, cover

FORM = b"hivesync-proof 1\n"
_EXPORTED = 0x80
_LINKED = 0x40
_CHUNK_BYTES = 1 << 20
_LEAVES_MAX = 8_192


class ProofFileBroken(Exception):
    """Bytes that are not a proof file."""


def exported_records(leaves: Sequence[bytes], links: Sequence[bytes] | None = None) -> bytes:
    """The records of exported events that follow each other, by their leaves and, where given, their chain hashes."""
    if links is None:
        return b"".join([b"\x80" + leaf for leaf in leaves])
    return b"".join([b"\xc0" + leaf + link for leaf, link in zip(leaves, links, strict=True)])


def gap_records(start: int, stop: int, source: NodeSource) -> bytes:
    """The records of the leaves from ``start`` to ``stop``, none of which was exported."""
    return b"".join(bytes((node.level,)) + source(node) for node in cover(start, stop))


Record = tuple[Subtree, bool, bytes | None]
"""A subtree, whether it is an exported event, and that event's chain hash where the file has it."""


def read_records(file: BinaryIO) -> Iterator[Record]:
    """The records of a proof file; raises ``ProofFileBroken``."""
    if file.read(len(FORM)) != FORM:
        raise ProofFileBroken("not a proof file: its first line is another")
    rest = b""
    while chunk := file.read(_CHUNK_BYTES):
        rest += chunk
        at, end = 0, len(rest)
        while at < end:
            first = rest[at]
            length = 1 + HASH_BYTES * (2 if first & _LINKED else 1)
            if at + length > end:
                break
            level = first & 0x3F
            if first & (_EXPORTED | _LINKED) and (level or not first & _EXPORTED):
                raise ProofFileBroken("an exported event is a leaf, and only such a one has a chain hash")
            leaf = rest[at + 1 : at + 1 + HASH_BYTES]
            link = rest[at + 1 + HASH_BYTES : at + length] if first & _LINKED else None
            yield Subtree(level, leaf), bool(first & _EXPORTED), link
            at += length
        rest = rest[at:]
    if rest:
        raise ProofFileBroken("the proof file ends within a record")


def fold_records(records: Iterable[Record]) -> Peaks:
    """The tree that the records are; raises ``ProofFileBroken`` where they do not fit together."""
    peaks = Peaks()
    leaves: list[bytes] = []
    try:
        for subtree, _, _ in records:
            if subtree.level == 0:
                leaves.append(subtree.hash)
                if len(leaves) < _LEAVES_MAX:
                    continue
            peaks.extend(leaves)
            leaves.clear()
            if subtree.level:
                peaks.append(subtree)
    except ValueError as error:
        raise ProofFileBroken(str(error)) from error
    peaks.extend(leaves)
    return peaks


def claims_of(records: Iterable[Record]) -> Iterator[Claim]:
    """What the records say of each exported event."""
    size = 0
    for (level, leaf), exported, link in records:
        if exported:
            yield Claim(size + 1, leaf, link)
        size += 1 << level


def before_first(records: Iterable[Record]) -> list[Subtree]:
    """The subtrees before the first exported event."""
    subtrees = []
    for subtree, exported, _ in records:
        if exported:
            break
        subtrees.append(subtree)
    return subtrees


assert LEVELS_MAX == 0x3F, "a level fits the six bits that a record has for it"
