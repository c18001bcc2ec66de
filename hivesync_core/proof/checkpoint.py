"""Checkpoints (c2sp.org/tlog-checkpoint): the size and the root of the log at a moment, in a form that is signed.

Two extension lines follow the three that the form asks for: the log's last hash, which binds the chain of hashes to
the tree, and the time of signing.
"""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime
from typing import NamedTuple

from hivesync_core.proof.note import NoteRefused, PublicKey, SigningKey, decode_base64, open_note
from hivesync_core.proof.tree import HASH_BYTES

_CHAIN = "chain "
_TIME = "time "
_SIZE = re.compile("0|[1-9][0-9]{0,18}")


class Checkpoint(NamedTuple):
    """What is claimed of the log: after ``size`` events its tree has this root and its chain this last hash.

    ``signed_at`` is the signer's clock in UTC, to the second.
    """

    origin: str
    size: int
    root: bytes
    chain_head: bytes
    signed_at: datetime

    def text(self) -> str:
        """The text that is signed."""
        return (
            f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"
            f"{_CHAIN}{b64encode(self.chain_head).decode()}\n{_TIME}{self.signed_at:%Y-%m-%dT%H:%M:%SZ}\n"
        )


class SignedCheckpoint(NamedTuple):
    """A checkpoint and the note that it was read from or signed as."""

    checkpoint: Checkpoint
    note: str


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> SignedCheckpoint:
    """The checkpoint with its signature."""
    assert checkpoint.origin == key.name, "a log signs under its own name"
    return SignedCheckpoint(checkpoint, key.sign(checkpoint.text()))


def open_checkpoint(note: str, key: PublicKey) -> SignedCheckpoint:
    """The checkpoint of a note that the key signed; raises ``NoteRefused``."""
    text = open_note(note, key)
    checkpoint = _parse(text)
    if checkpoint.origin != key.name:
        raise NoteRefused(f"a checkpoint of another log, {checkpoint.origin}")
    return SignedCheckpoint(checkpoint, note)


def split_notes(text: str) -> list[str]:
    """The notes of a file that holds one checkpoint after the other; what does not end in a whole note is left out."""
    notes: list[str] = []
    lines: list[str] = []
    seen_blank = False
    for line in text.splitlines(keepends=True):
        signature = line.startswith("\N{EM DASH} ")
        if seen_blank and not signature and lines:
            notes.append("".join(lines))
            lines, seen_blank = [], False
        if line == "\n" and not lines:
            continue
        lines.append(line)
        seen_blank = seen_blank or signature
    if seen_blank and lines[-1].endswith("\n"):
        notes.append("".join(lines))
    return notes


def _parse(text: str) -> Checkpoint:
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or "" in lines:
        raise NoteRefused("signed, but not a checkpoint: fewer than three lines, or an empty one")
    origin, size, root_text, *extensions = lines
    root = decode_base64(root_text)
    if not _SIZE.fullmatch(size) or root is None or len(root) != HASH_BYTES:
        raise NoteRefused("signed, but not a checkpoint: no size and root")
    chain_head = next((decode_base64(line[len(_CHAIN) :]) for line in extensions if line.startswith(_CHAIN)), None)
    time = next((line[len(_TIME) :] for line in extensions if line.startswith(_TIME)), "")
    if chain_head is None or len(chain_head) != HASH_BYTES:
        raise NoteRefused("signed, but without the chain's last hash")
    try:
        signed_at = datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise NoteRefused("signed, but without the time of signing") from error
    return Checkpoint(origin, int(size), root, chain_head, signed_at)
