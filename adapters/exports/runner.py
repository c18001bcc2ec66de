"""Runs the process that writes an export, hears how far it is, and ends it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from adapters.exports.messages import Order, Told
from projections.exports.manifest import Manifest
from projections.exports.writer import Progress

LINE_BYTES_MAX = 1024 * 1024
ERROR_CHARS_MAX = 2_000
_ROOT = Path(__file__).parents[2]


class ExportBroken(Exception):
    """The export was not written; ``is_final`` says that trying again would not help."""

    def __init__(self, cause: str, *, is_final: bool) -> None:
        super().__init__(cause)
        self.is_final = is_final


async def run_export(order: Order, on_progress: Callable[[Progress], None]) -> Manifest:
    """Write the export in a process of its own; cancelled, that process is ended at once. Raises ``ExportBroken``."""
    python_path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapters.exports.child",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX, env={**os.environ, "PYTHONPATH": python_path}, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    try:
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        last = await _heard(process, on_progress)
        await process.wait()
        said = (await errors).decode(errors="replace").strip()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        errors.cancel()
        await process.wait()
    if last is not None and last.manifest is not None:
        return last.manifest
    if last is not None and last.failure is not None:
        raise ExportBroken(last.failure, is_final=last.is_final)
    cause = said[-ERROR_CHARS_MAX:].splitlines()[-1] if said else f"exit status {process.returncode}"
    raise ExportBroken(f"the process that wrote it ended: {cause}", is_final=False)


async def _heard(process: asyncio.subprocess.Process, on_progress: Callable[[Progress], None]) -> Told | None:
    """Pass progress on until the process has nothing more to say; what it said last."""
    assert process.stdout is not None
    told: Told | None = None
    while line := await process.stdout.readline():
        told = msgspec.json.decode(line, type=Told)
        if told.progress is not None:
            on_progress(told.progress)
    return told
