"""Attested exports of a real log, made once, to copy and to tamper with."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from adapters.postgres.connections import Database
from adapters.proof.attest import Attestor, threadsafe
from adapters.proof.keeper import CheckpointKeeper
from hivesync_core.eventstore.records import StoredRecord
from hivesync_core.exports.events import ExportFormat
from hivesync_core.exports.selection import Selection
from hivesync_core.proof.note import SigningKey
from projections.exports.manifest import Manifest
from projections.exports.source import LogReader
from projections.exports.writer import Writing, plan, write_export
from tests.proof.events import KEY, make_log, rechained

TEXTS = (
    "plain", "=HYPERLINK(1)", "a;=b", 'a "quoted", cell', "ä € 😀", "two\nlines", "\\u003b and \\\\u003b", "#7  2026-", "",
    "'=x", "-1", "tab\there", "\u202eturned", "erased-nobody",
)  # fmt: skip
"""What people write and exports must carry unchanged."""

ERASED_AT = 40


def telling_log(size: int) -> list[StoredRecord]:
    """A log with two kinds of events, texts of every difficult sort, and an account that was erased."""
    import msgspec

    records = []
    base = make_log(size)
    erased = UUID(base[3].meta.actor)
    for record in base:
        topic = "task.commented.v1" if record.id % 3 else "task.created.v1"
        payload = {"type": topic, "text": TEXTS[record.id % len(TEXTS)], "by": str(erased), "number": record.id}
        meta = record.meta if record.id % 7 else msgspec.structs.replace(record.meta, actor=str(erased))
        if record.id == ERASED_AT:
            topic = "account.erased.v1"
            payload = {"type": topic}
            record = replace(record, originator_id=erased, originator_version=1)
        records.append(replace(record, topic=topic, state=msgspec.json.encode(payload), meta=meta))
    return rechained(records)


def selection_of(name: str) -> Selection:
    """The selections that the tests export: all of the log, a range of it, some types."""
    return {
        "all": Selection(),
        "range": Selection(after=20, through=70),
        "filtered": Selection(types=("task.created.v1",)),
    }[name]


def export(
    url: str, folder: Path, wanted: Sequence[tuple[str, ExportFormat]], key: SigningKey = KEY
) -> dict[str, Manifest]:
    """Write each export, attested, and give the manifests by file name."""

    async def write() -> dict[str, Manifest]:
        database = Database(url)
        await database.open()
        loop = asyncio.get_running_loop()

        def call(work: Coroutine[Any, Any, Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        attestor = Attestor(database, CheckpointKeeper(database, key, folder), threadsafe(call))
        try:
            return {
                f"{name}.{format_}": await asyncio.to_thread(_write, attestor, url, folder, name, format_)
                for name, format_ in wanted
            }
        finally:
            await database.close()

    return asyncio.run(write())


def _write(attestor: Attestor, url: str, folder: Path, name: str, format_: ExportFormat) -> Manifest:
    reader = LogReader(lambda: psycopg.connect(url, autocommit=True), page_rows=17)
    path = folder / f"{name}.{format_}"
    try:
        attestation = attestor.attestation(path, format_, whole=name != "filtered")
        job = plan(reader, format_, selection_of(name))
        return write_export(reader, job, path, Writing(on_rows=attestation.on_rows, attest=attestation.attest))
    finally:
        reader.close()


def copied(folder: Path, name: str, into: Path) -> Path:
    """A copy of an export with what lies beside it."""
    into.mkdir(parents=True, exist_ok=True)
    for path in folder.glob(f"{name}*"):
        shutil.copy(path, into / path.name)
    return into / name
