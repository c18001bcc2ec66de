"""Verifies the whole log, in the database or as ``history.jsonl``, against what was signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from adapters.proof.log_evidence import Evidence, NamedLeaves, NamedNotes, gather, is_file, leaves_of, notes_of
from adapters.proof.outside import LEAVES_FILE
from adapters.proof.reading import read_history
from adapters.proof.store_reading import StoreSnapshot
from adapters.proof.verdict import CannotVerify, Verdict
from hivesync_core.eventstore.records import GENESIS_HASH
from hivesync_core.proof.audit import Audit
from hivesync_core.proof.evidence import Row, open_ended
from hivesync_core.proof.note import PublicKey
from hivesync_core.proof.tree import Peaks

Progress = Callable[[int], None]


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the person who verifies brings along: the public key, files of checkpoints, a copy of the tree's leaves.

    ``at_least`` is the position that the log is known to have reached.
    """

    key: PublicKey
    checkpoints: tuple[Path, ...] = ()
    leaves: Path | None = None
    at_least: int = 0


def verify_history(path: Path, given: Given, progress: Progress = lambda _: None) -> Verdict:
    """Verify a ``history.jsonl``; raises ``CannotVerify``."""
    evidence = gather(given.key, _notes(given), _leaves(given))
    try:
        with path.open("rb") as file:
            return _verify(str(path), read_history(file), evidence, given, progress)
    except OSError as error:
        raise CannotVerify(f"{path} cannot be read: {error.strerror}") from error


def verify_store(url: str, given: Given, progress: Progress = lambda _: None) -> Verdict:
    """Verify the log of a database; raises ``CannotVerify``.

    The checkpoints and the tree of the database count as far as the key proves them; checkpoints kept elsewhere also
    show what was taken from the database together with its own.
    """
    with StoreSnapshot(url) as store:
        own = NamedNotes("the database", store.notes())
        evidence = gather(
            given.key, [*_notes(given), own], [*_leaves(given), NamedLeaves("the database", store.leaves)]
        )
        if evidence.checkpoints and not given.checkpoints:
            evidence.notes.append(
                "only checkpoints of the database itself were at hand: bring one that was kept elsewhere"
            )
        return _verify("the log in the database", store.rows(), evidence, given, progress)


def _notes(given: Given) -> list[NamedNotes]:
    return [notes_of(path) for path in given.checkpoints]


def _leaves(given: Given) -> list[NamedLeaves]:
    """The copy of the leaves that was named, else those that lie beside the checkpoints."""
    if given.leaves is not None:
        if not is_file(given.leaves):
            raise CannotVerify(f"{given.leaves} cannot be read: there is no such file")
        return [leaves_of(given.leaves)]
    beside: Sequence[Path] = [path.with_name(LEAVES_FILE) for path in given.checkpoints]
    return [leaves_of(path) for path in beside if is_file(path)]


def _verify(what: str, rows: Iterable[list[Row]], evidence: Evidence, given: Given, progress: Progress) -> Verdict:
    audit = Audit(
        open_ended(evidence.claims),
        bounded=False,
        chain_before=GENESIS_HASH,
        tree=Peaks(),
        checkpoints=evidence.checkpoints,
        at_least=given.at_least,
    )
    audited = audit.run(rows, progress)
    newest = evidence.checkpoints[-1] if evidence.checkpoints else None
    notes = list(evidence.notes)
    finding = audited.finding or evidence.forged
    if finding is None and newest is None:
        notes.append(
            "no checkpoint was at hand: the chain of hashes is whole, but whoever rewrites all of it is not found"
        )
    elif finding is None and audited.proven < audited.last_position:
        notes.append(
            f"events after {audited.proven} are newer than the checkpoint and hang on the chain of hashes alone"
        )
    return Verdict(
        what=what,
        finding=finding,
        events=audited.events,
        last_position=audited.last_position,
        proven=audited.proven,
        checkpoint_size=None if newest is None else newest.size,
        checkpoint_signed_at=None if newest is None else f"{newest.signed_at:%Y-%m-%dT%H:%M:%SZ}",
        chain_head=None if audited.chain_head is None else audited.chain_head.hex(),
        root=None if audited.root is None else audited.root.hex(),
        notes=notes,
    )
