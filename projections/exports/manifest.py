"""What goes with every export: which part of the history it holds, and what proves that it is unchanged."""

from __future__ import annotations

from typing import Final

import msgspec

from hivesync_core.exports.events import ExportFormat
from hivesync_core.exports.selection import Selection
from hivesync_core.proof.manifest import Proofs

MANIFEST_VERSION: Final = 1
"""Rises with every change of the files' or the manifest's shape."""

MANIFEST_SUFFIX = ".manifest.json"
"""What a manifest's file name ends with, after the name of the export's file."""

ERASURES_HOW = (
    "An account that was erased is shown as erased-<id>, as an actor and wherever its id is a whole string in data; "
    "without that mark it is the id that was stored."
)


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The positions that were looked through, from the one after ``after`` to ``through``, and their place in the chain.

    ``link_before`` is the hash of the event at ``after`` and ``link`` that of the event at ``through``, in hex: an
    export of everything in between leads from one to the other.
    """

    after: int
    through: int
    link_before: str
    link: str


class Defused(msgspec.Struct, frozen=True, kw_only=True):
    """How many cells a spreadsheet would have run, and what was done to them."""

    cells: int
    how: str


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """Up to which position erasures of accounts were considered, and how many there were."""

    through: int
    accounts: int
    how: str = ERASURES_HOW


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of one export file.

    ``first_position`` and ``last_position`` are those of its first and last event, none where it holds no event;
    ``sha256`` is of the file's bytes, in hex. ``checkpoint`` is a signed note on the whole log and ``root`` the root of
    its Merkle tree then, in hex; ``signature`` is a signed note on this manifest. They are none where nothing was
    attested, and all but the signature where the log was empty.
    """

    manifest_version: int = MANIFEST_VERSION
    file: str
    format: ExportFormat
    media_type: str
    selection: Selection
    range: Range
    rows: int
    first_position: int | None
    last_position: int | None
    size_bytes: int
    sha256: str
    defused: Defused
    erasures: Erased
    root: str | None = None
    checkpoint: str | None = None
    proofs: Proofs | None = None
    signature: str | None = None

    def to_json(self) -> bytes:
        """The manifest as indented JSON with a line end."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def read_manifest(text: bytes) -> Manifest:
    """The manifest in a file; raises ``msgspec.DecodeError`` where it is none. Fields of later versions are passed over."""
    return msgspec.json.decode(text, type=Manifest)
