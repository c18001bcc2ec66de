"""What is kept of the proof outside the database: every checkpoint signed here, and the leaves of the tree.

Whoever can rewrite the database cannot rewrite what was copied from here before. Both files only grow; each write is
made durable before it counts.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.durable_files import sync_folder
from hivesync_core.proof.checkpoint import SignedCheckpoint, open_checkpoint, split_notes
from hivesync_core.proof.note import NoteRefused, PublicKey
from hivesync_core.proof.tree import HASH_BYTES

FOLDER = "checkpoints"
CHECKPOINTS_FILE = "checkpoints.txt"
LEAVES_FILE = "leaves.sha256"
_TAIL_BYTES = 64 * 1024


class Outside:
    """The folder ``checkpoints`` in the data folder.

    ``checkpoints.txt`` holds signed notes with an empty line after each, ``leaves.sha256`` the 32 bytes of each
    event's hash in the tree, in order.
    """

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / FOLDER
        self.checkpoints = self.folder / CHECKPOINTS_FILE
        self.leaves = self.folder / LEAVES_FILE

    def newest(self, key: PublicKey) -> SignedCheckpoint | None:
        """The largest checkpoint kept here lately that the key signed, or none."""
        if not self.checkpoints.exists():
            return None
        lately = opened_notes(_tail(self.checkpoints).decode(errors="replace"), key)
        return max(lately, key=lambda signed: signed.checkpoint.size, default=None)

    def keep(self, signed: SignedCheckpoint) -> None:
        """Append a checkpoint; what a crash left unfinished at the end is cut off first."""
        with self._alone():
            if self.checkpoints.exists() and not _ends_whole(_tail(self.checkpoints)):
                notes = split_notes(self.checkpoints.read_bytes().decode(errors="replace"))
                _replace(self.checkpoints, "".join(f"{note}\n" for note in notes).encode())
            self._append(self.checkpoints, f"{signed.note}\n".encode())

    def leaves_kept(self) -> int:
        """How many leaves the copy holds; half a one that a crash left is cut off."""
        if not self.leaves.exists():
            return 0
        size = self.leaves.stat().st_size
        if size % HASH_BYTES:
            os.truncate(self.leaves, size - size % HASH_BYTES)
        return size // HASH_BYTES

    def keep_leaves(self, first: int, leaves: list[bytes]) -> None:
        """Append to the copy of the leaves those from the index ``first`` on, unless another process did."""
        with self._alone():
            if self.leaves_kept() == first:
                self._append(self.leaves, b"".join(leaves))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process writes at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _append(self, path: Path, data: bytes) -> None:
        new = not path.exists()
        with path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_folder(self.folder)


def opened_notes(text: str, key: PublicKey) -> list[SignedCheckpoint]:
    """The checkpoints of a text that the key signed, in their order; notes of other keys are passed over."""
    found = []
    for note in split_notes(text):
        try:
            found.append(open_checkpoint(note, key))
        except NoteRefused:
            continue
    return found


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return file.read()


def _ends_whole(tail: bytes) -> bool:
    """Whether a file of notes ends with a signature line and the empty line after it, or is empty."""
    last = tail.removesuffix(b"\n\n").rpartition(b"\n")[2]
    return not tail or (tail.endswith(b"\n\n") and last.startswith("\N{EM DASH} ".encode()))


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
