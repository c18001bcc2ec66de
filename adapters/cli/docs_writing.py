"""Writes a proven file in the place of the one that the proof was about, whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from hashlib import sha256
from pathlib import Path

from hivesync_core.comments import Report


class FileChanged(Exception):
    """The file is another one than the proof is about."""


def write_proven(path: Path, before: bytes, report: Report) -> None:
    """Replace a file that still is ``before`` by the one of the report. Raises ``FileChanged``, ``OSError``."""
    proof = report.proof
    assert proof is not None, "only what is proven is written"
    assert proof.tokens_sha256_before == proof.tokens_sha256_after, "the proof holds"
    assert sha256(report.after).hexdigest() == proof.file_sha256_after, "the proof is about these bytes"
    if path.read_bytes() != before:
        raise FileChanged("It was changed meanwhile. Nothing was written: run the command again.")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(report.after)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
