"""Has exports attested to while they are written: the checkpoint, the proof file and the signature of the manifest."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from adapters.postgres.connections import Database
from adapters.proof.attest import Attestor
from adapters.proof.keeper import CheckpointKeeper
from adapters.proof.keys import installation_key
from projections.exports.writer import Job, Writing
from shared.settings import Settings

Result = TypeVar("Result")


def attestor(database: Database, settings: Settings, data_dir: Path, loop: asyncio.AbstractEventLoop) -> Attestor:
    """Attests with the installation's key; ``loop`` is the one that ``database`` lives in. Raises ``SigningKeyProblem``."""

    def call(work: Coroutine[Any, Any, Result], /) -> Result:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    return Attestor(database, CheckpointKeeper(database, installation_key(settings), data_dir), call)


def attested(attestor: Attestor, path: Path, job: Job, writing: Writing) -> Writing:
    """What the writer is given to have its export attested to."""
    attestation = attestor.attestation(path, job.format, whole=job.selection.is_whole)
    return writing._replace(on_rows=attestation.on_rows, attest=attestation.attest)
