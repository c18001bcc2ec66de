"""Attests exports: notes which events are in one while it is written, and at its end proves and signs it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from adapters.postgres.connections import Database
from adapters.proof.keeper import CheckpointKeeper
from adapters.proof.proof_writer import RUN_MAX, ProofWriter, Run
from adapters.proof.reading import EVENT_ENDS
from hivesync_core.exports.events import ExportFormat
from hivesync_core.proof.manifest import Proofs
from hivesync_core.proof.tree import HASH_BYTES
from projections.engine.stored_text import StoredText
from projections.exports.manifest import Manifest
from projections.exports.whole_file import WholeFile

PROOF_SUFFIX = ".proof"
"""What a proof file's name ends with, after the name of the export's file."""

_MEMORY_MAX = 4 * 1024 * 1024
_POSITION_BYTES = 8
_NOTED_BYTES = _POSITION_BYTES + HASH_BYTES
_ERASED = (
    "SELECT originator_id::text FROM eventlog.events WHERE topic = 'account.erased.v1' AND notification_id <= %s "
    "ORDER BY originator_id"
)

Result = TypeVar("Result")


class Caller(Protocol):
    """Runs a coroutine to its end, from the thread that an export is written in."""

    def __call__(self, work: Coroutine[Any, Any, Result], /) -> Result:
        """What the coroutine returns."""
        ...


class Attestor:
    """Attests the exports of one installation. ``call`` reaches the loop that ``keeper`` and ``database`` live in."""

    def __init__(self, database: Database, keeper: CheckpointKeeper, call: Caller) -> None:
        self.database = database
        self.keeper = keeper
        self.call = call

    def attestation(self, path: Path, format_: ExportFormat, *, whole: bool) -> Attestation:
        """The attestation of an export that will be written to ``path``; ``whole`` where it holds all of its range."""
        return Attestation(self, path, format_, whole=whole)


class Attestation:
    """The attestation of one export.

    A CSV or JSON Lines export of a whole range is proven by the range alone. Of a filtered one the positions are noted
    with each event's hash in the chain; of a format that an event cannot be read back from, with the SHA-256 of the
    bytes that it became.
    """

    def __init__(self, attestor: Attestor, path: Path, format_: ExportFormat, *, whole: bool) -> None:
        self._attestor = attestor
        self._path = path
        self._digests = format_ in EVENT_ENDS
        self._event_end = EVENT_ENDS.get(format_, "")
        self._whole = whole
        self._noted = tempfile.SpooledTemporaryFile(_MEMORY_MAX)  # noqa: SIM115 - it ends with the export

    def on_rows(self, rows: Sequence[StoredText], text: str) -> None:
        """Note a page of exported events and the text that they became."""
        if self._digests:
            pieces = text.split(self._event_end)
            assert len(pieces) == len(rows) + 1, "a piece an event, and nothing after the last"
            beside = [sha256(f"{piece}{self._event_end}".encode()).digest() for piece in pieces[:-1]]
        elif not self._whole:
            beside = [bytes.fromhex(row[10]) for row in rows]
        else:
            return
        noted = [row[0].to_bytes(_POSITION_BYTES) + hash_ for row, hash_ in zip(rows, beside, strict=True)]
        self._noted.write(b"".join(noted))

    def attest(self, manifest: Manifest) -> Manifest:
        """The manifest with root, checkpoint, proofs and signature; the proof file is written beside the export.

        Raises ``LogRewritten`` where the log is not the one that was signed, ``OtherKey``, ``StoreUnavailable``,
        ``OSError``.
        """
        with self._noted:
            return self._attestor.call(self._attest(manifest))

    async def _attest(self, manifest: Manifest) -> Manifest:
        keeper = self._attestor.keeper
        if manifest.range.through > 0:
            signed = await keeper.checkpoint_for(manifest.range.through)
            with WholeFile(self._path.with_name(self._path.name + PROOF_SUFFIX)) as beside:
                digest = await ProofWriter(keeper.tree, signed.checkpoint.size, beside.stream).write(
                    self._runs(manifest)
                )
                beside.keep()
            erased = await self._attestor.database.fetch_all(_ERASED, (manifest.erasures.through,))
            manifest = msgspec.structs.replace(
                manifest,
                root=signed.checkpoint.root.hex(),
                checkpoint=signed.note,
                proofs=Proofs(
                    file=self._path.name + PROOF_SUFFIX,
                    sha256=digest,
                    digests=self._digests,
                    whole=self._whole,
                    erased=[account for (account,) in erased],
                ),
            )
        return msgspec.structs.replace(manifest, signature=keeper.sign_manifest(msgspec.to_builtins(manifest)))

    def _runs(self, manifest: Manifest) -> Iterator[Run]:
        """The exported events as runs of neighbours."""
        if self._whole and not self._digests:
            if manifest.rows:
                yield Run(manifest.range.after + 1, manifest.rows)
            return
        self._noted.seek(0)
        first, beside = 0, list[bytes]()
        while noted := self._noted.read(_NOTED_BYTES * 1_000):
            for at in range(0, len(noted), _NOTED_BYTES):
                position = int.from_bytes(noted[at : at + _POSITION_BYTES])
                if beside and (position != first + len(beside) or len(beside) == RUN_MAX):
                    yield Run(first, len(beside), beside)
                    beside = []
                if not beside:
                    first = position
                beside.append(noted[at + _POSITION_BYTES : at + _NOTED_BYTES])
        if beside:
            yield Run(first, len(beside), beside)


def threadsafe(run: Callable[[Coroutine[Any, Any, Any]], Any]) -> Caller:
    """A caller from any function that runs coroutines."""

    def call(work: Coroutine[Any, Any, Result], /) -> Result:
        result: Result = run(work)
        return result

    return call
