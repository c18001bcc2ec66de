"""Verifies an export from its manifest, its proof file and the public key alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from adapters.proof.attest import PROOF_SUFFIX
from adapters.proof.reading import EVENT_ENDS, NotThatForm, read_export
from adapters.proof.verdict import CannotVerify, Verdict
from hivesync_core.proof.audit import Audit, Audited
from hivesync_core.proof.checkpoint import Checkpoint, open_checkpoint
from hivesync_core.proof.evidence import Claim
from hivesync_core.proof.finding import Finding, Kind, forged
from hivesync_core.proof.manifest import check_manifest
from hivesync_core.proof.note import NoteRefused, PublicKey
from hivesync_core.proof.prooffile import ProofFileBroken, claims_of, fold_records, read_records
from projections.exports.manifest import MANIFEST_SUFFIX, Manifest, read_manifest

_CHUNK_BYTES = 1 << 20

Progress = Callable[[int], None]


class _Files(NamedTuple):
    """An export and what lies beside it."""

    export: Path
    manifest: Path
    proof: Path


class _Read(NamedTuple):
    """A manifest, and why it is not genuine, empty where it is."""

    manifest: Manifest
    forgery: str


def verify_export(path: Path, key: PublicKey, progress: Progress = lambda _: None) -> Verdict:
    """Verify the export at ``path``, whose manifest and proof file lie beside it; raises ``CannotVerify``.

    Where the manifest is forged, what can still be trusted (the checkpoint by its own signature, the proof file by the
    checkpoint's root) goes on to name the first event that is not genuine.
    """
    files = _files(path)
    manifest, forgery = _read_manifest(files.manifest, key)
    if manifest.signature is not None and manifest.range.through == 0 and not forgery:
        return _empty_log(files, manifest)
    checkpoint, refusal = _checkpoint(manifest, key)
    if checkpoint is None:
        refused = forged(forgery or f"the checkpoint in the manifest is not genuine: {refusal}")
        return _verdict(files, manifest, None, None, refused)
    unfit = _unfit_proof(files, manifest, checkpoint, trusted=not forgery)
    if unfit:
        return _verdict(files, manifest, checkpoint, None, forged(forgery or unfit))
    audited = _audit(files, manifest, trusted=not forgery, progress=progress)
    finding = audited.finding or (forged(forgery) if forgery else _ending(files, manifest, audited))
    return _verdict(files, manifest, checkpoint, audited, finding)


def _files(path: Path) -> _Files:
    """The export and its companions, from the name of the export or of its manifest."""
    if path.name.endswith(MANIFEST_SUFFIX):
        path = path.with_name(path.name.removesuffix(MANIFEST_SUFFIX))
    return _Files(path, path.with_name(path.name + MANIFEST_SUFFIX), path.with_name(path.name + PROOF_SUFFIX))


def _read_manifest(path: Path, key: PublicKey) -> _Read:
    try:
        raw = path.read_bytes()
        members: Any = msgspec.json.decode(raw)
        manifest = read_manifest(raw)
    except OSError as error:
        raise CannotVerify(f"the manifest {path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CannotVerify(f"{path} is not a manifest: {error}") from error
    if manifest.signature is None and manifest.checkpoint is None:
        raise CannotVerify(f"{path} has no proof and no signature: the export was made where nothing attested to it")
    try:
        check_manifest(members, key)
    except NoteRefused as error:
        return _Read(manifest, str(error))
    return _Read(manifest, "")


def _checkpoint(manifest: Manifest, key: PublicKey) -> tuple[Checkpoint | None, str]:
    try:
        checkpoint = open_checkpoint(manifest.checkpoint or "", key).checkpoint
    except NoteRefused as error:
        return None, str(error)
    return checkpoint, ""


def _unfit_proof(files: _Files, manifest: Manifest, checkpoint: Checkpoint, *, trusted: bool) -> str:
    """Why the proof file does not prove anything under the checkpoint; empty where it does."""
    if manifest.proofs is None:
        return "the manifest names no proof file"
    if trusted and _sha256(files.proof) != manifest.proofs.sha256:
        return f"the proof file {files.proof.name} is not the one that the manifest names"
    try:
        with files.proof.open("rb") as file:
            tree = fold_records(read_records(file))
    except OSError as error:
        raise CannotVerify(f"the proof file {files.proof} cannot be read: {error.strerror}") from error
    except ProofFileBroken as error:
        return f"the proof file {files.proof.name} is broken: {error}"
    if tree.size != checkpoint.size or tree.root() != checkpoint.root:
        return f"the proof file {files.proof.name} does not lead to the root that was signed"
    return ""


def _audit(files: _Files, manifest: Manifest, *, trusted: bool, progress: Progress) -> Audited:
    """Compare the events of the file with those that the proof file proves."""
    proofs = manifest.proofs
    assert proofs is not None, "looked at before"
    chained = proofs.whole and not proofs.digests and trusted
    chain_before = _hash_in(manifest.range.link_before, files) if chained else None
    try:
        with files.export.open("rb") as export, files.proof.open("rb") as proof:
            claims = claims_of(read_records(proof))
            audit = Audit(
                _claims(claims, manifest, trusted=trusted),
                bounded=True,
                chain_before=chain_before,
                tree=None,
            )
            return audit.run(read_export(export, manifest.format, frozenset(proofs.erased)), progress)
    except NotThatForm as error:
        finding = Finding(kind=Kind.CHANGED, position=manifest.first_position, exact=False, place=1, message=str(error))
        return Audited(0, 0, 0, None, None, finding)
    except OSError as error:
        raise CannotVerify(f"{files.export} cannot be read: {error.strerror}") from error


def _hash_in(text: str, files: _Files) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise CannotVerify(f"the manifest of {files.export} holds no hash where one belongs") from error


def _claims(claims: Iterator[Claim], manifest: Manifest, *, trusted: bool) -> Iterator[Claim]:
    """What is claimed of each event: of one that cannot be read back its bytes, where the manifest vouches for them."""
    if manifest.format in EVENT_ENDS:
        return (Claim(claim.position, None, claim.link if trusted else None) for claim in claims)
    if not trusted:
        return (Claim(claim.position, claim.leaf) for claim in claims)
    return claims


def _ending(files: _Files, manifest: Manifest, audited: Audited) -> Finding | None:
    """What the manifest says beyond the single events; it is genuine here."""
    assert manifest.proofs is not None, "looked at before"
    if audited.events != manifest.rows or (audited.events and audited.last_position != manifest.last_position):
        return forged(f"the manifest speaks of {manifest.rows} events, and the proof file of {audited.events}")
    expected = manifest.range.through - manifest.range.after
    if manifest.proofs.whole and manifest.rows != expected:
        return forged(f"{manifest.rows} events are there, and the whole range holds {expected}")
    if audited.chain_head is not None and manifest.rows and audited.chain_head.hex() != manifest.range.link:
        return forged("the chain of hashes does not end as the manifest says")
    if _sha256(files.export) != manifest.sha256:
        message = "the file differs from the one that was signed, though every event in it is genuine"
        return Finding(kind=Kind.CHANGED, position=None, exact=False, message=message)
    return None


def _empty_log(files: _Files, manifest: Manifest) -> Verdict:
    """An export made when the log had no event."""
    finding = None
    if _sha256(files.export) != manifest.sha256:
        message = "the export was empty when it was signed, and is not what it was"
        finding = Finding(kind=Kind.ADDED, position=None, exact=False, message=message)
    return _verdict(files, manifest, None, None, finding)


def _verdict(
    files: _Files, manifest: Manifest, checkpoint: Checkpoint | None, audited: Audited | None, finding: Finding | None
) -> Verdict:
    return Verdict(
        what=str(files.export),
        finding=finding,
        events=audited.events if audited else 0,
        last_position=audited.last_position if audited else 0,
        proven=(audited.last_position if audited else 0) if finding is None else 0,
        checkpoint_size=None if checkpoint is None else checkpoint.size,
        checkpoint_signed_at=None if checkpoint is None else f"{checkpoint.signed_at:%Y-%m-%dT%H:%M:%SZ}",
        chain_head=audited.chain_head.hex() if audited and audited.chain_head else None,
        root=None if checkpoint is None else checkpoint.root.hex(),
        notes=list(_remarks(manifest)),
    )


def _remarks(manifest: Manifest) -> Iterator[str]:
    if manifest.format in EVENT_ENDS:
        yield (
            "events cannot be read back from this format: which ones are in it is proven by the tree, what it says of "
            "them by the server's signature; take CSV or JSON Lines where that must be proven too"
        )
    if manifest.proofs is not None and not manifest.proofs.whole:
        yield (
            "a part of the history: each event in it is proven to be in the log; that none which the selection asks for "
            "is missing rests on the server's signature"
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise CannotVerify(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()
