"""Gathers what vouches for a log: genuine checkpoints, and leaves of the tree that such a checkpoint proves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from adapters.proof.verdict import CannotVerify
from hivesync_core.proof.checkpoint import Checkpoint, open_checkpoint, split_notes
from hivesync_core.proof.evidence import Claim
from hivesync_core.proof.finding import Finding, forged
from hivesync_core.proof.note import NoteRefused, PublicKey
from hivesync_core.proof.tiles import split_hashes
from hivesync_core.proof.tree import HASH_BYTES, Peaks

LEAVES_CHUNK = 8_192

Leaves = Callable[[], Iterable[list[bytes]]]
"""Gives the leaves of a tree from the first one on, each time it is called."""


class Evidence(NamedTuple):
    """Genuine checkpoints in ascending order, what is known of each event, and what was not genuine."""

    checkpoints: list[Checkpoint]
    claims: Iterator[Claim]
    forged: Finding | None
    notes: list[str]


class NamedNotes(NamedTuple):
    """Notes that are said to be checkpoints, and where they were found."""

    where: str
    notes: Sequence[str]


class NamedLeaves(NamedTuple):
    """Leaves that are said to be the tree's, and where they were found."""

    where: str
    leaves: Leaves


def is_file(path: Path) -> bool:
    """Whether there is such a file; raises ``CannotVerify`` where one may not even look."""
    try:
        return path.is_file()
    except OSError as error:
        raise CannotVerify(f"{path} cannot be read: {error.strerror}") from error


def notes_of(path: Path) -> NamedNotes:
    """The notes of a file; raises ``CannotVerify`` where it cannot be read or holds none."""
    try:
        found = split_notes(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise CannotVerify(f"{path} cannot be read: {error.strerror}") from error
    if not found:
        raise CannotVerify(f"{path} holds no checkpoint")
    return NamedNotes(str(path), found)


def leaves_of(path: Path) -> NamedLeaves:
    """The leaves of a copy beside the checkpoints; half a leaf at its end is left out."""

    def read() -> Iterator[list[bytes]]:
        with path.open("rb") as file:
            while data := file.read(HASH_BYTES * LEAVES_CHUNK):
                yield split_hashes(data[: len(data) - len(data) % HASH_BYTES])

    return NamedLeaves(str(path), read)


def gather(key: PublicKey, notes: Sequence[NamedNotes], leaves: Sequence[NamedLeaves]) -> Evidence:
    """Take what the key signed, and the leaves of which it proves the most.

    ``notes`` that hold something, and nothing genuine, are forged.
    """
    checkpoints: list[Checkpoint] = []
    remarks: list[str] = []
    found_forged: Finding | None = None
    for where, texts in notes:
        genuine, refusal = _genuine(texts, key)
        checkpoints += genuine
        if texts and not genuine:
            found_forged = found_forged or forged(f"no checkpoint of {where} is genuine: {refusal}")
        elif refusal:
            remarks.append(
                f"{len(texts) - len(genuine)} of {len(texts)} checkpoints of {where} are not genuine: {refusal}"
            )
    checkpoints.sort(key=lambda checkpoint: checkpoint.size)
    best = 0
    known: Iterator[Claim] = iter(())
    for where, source in leaves:
        proven, fits = _proven_by(checkpoints, source)
        if not fits:
            remarks.append(f"leaves of {where} are not those that were signed; they were left aside")
        if proven > best:
            best, known = proven, _claims(source, proven)
    return Evidence(checkpoints, known, found_forged, remarks)


def _genuine(texts: Iterable[str], key: PublicKey) -> tuple[list[Checkpoint], str]:
    genuine, refusal = [], ""
    for text in texts:
        try:
            genuine.append(open_checkpoint(text, key).checkpoint)
        except NoteRefused as error:
            refusal = str(error)
    return genuine, refusal


def _proven_by(checkpoints: Sequence[Checkpoint], leaves: Leaves) -> tuple[int, bool]:
    """How many of the leaves the checkpoints prove, and whether they fit every checkpoint that they reach."""
    due = [checkpoint for checkpoint in checkpoints if checkpoint.size]
    tree, proven = Peaks(), 0
    for batch in leaves():
        taken = 0
        while due and due[0].size <= tree.size + len(batch) - taken:
            upto = taken + due[0].size - tree.size
            tree.extend(batch[taken:upto])
            taken = upto
            if tree.root() != due[0].root:
                return proven, False
            proven = due.pop(0).size
        if not due:
            break
        tree.extend(batch[taken:])
    return proven, True


def _claims(leaves: Leaves, proven: int) -> Iterator[Claim]:
    position = 0
    for batch in leaves():
        for leaf in batch:
            position += 1
            if position > proven:
                return
            yield Claim(position, leaf)
