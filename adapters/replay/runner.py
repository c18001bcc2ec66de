"""Runs the process that replays, hears how far it is, and ends it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from adapters.replay.messages import Order, Told

LINE_BYTES_MAX = 64 * 1024 * 1024
"""A result with all the differences that are told fits by far."""

ERROR_CHARS_MAX = 2_000
_ROOT = Path(__file__).parents[2]


async def run_replay(order: Order) -> AsyncGenerator[Told, None]:
    """Replay in a process of its own, and give what it tells; closed or cancelled, that process is ended at once."""
    python_path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapters.replay.child",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX, env={**os.environ, "PYTHONPATH": python_path}, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    try:
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        failed = False
        while line := await process.stdout.readline():
            told = msgspec.json.decode(line, type=Told)
            failed = failed or told.failure is not None
            yield told
        await process.wait()
        said = (await errors).decode(errors="replace").strip()
        if process.returncode != 0 and not failed:
            cause = said[-ERROR_CHARS_MAX:].splitlines()[-1] if said else f"exit status {process.returncode}"
            yield Told(failure=f"the process that replayed ended: {cause}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        errors.cancel()
        await process.wait()
