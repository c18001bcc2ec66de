"""The disk of the data folder is full: what was acknowledged stays, clients are told 503, and work goes on by itself.

The server runs its embedded PostgreSQL, so database, write-ahead log and everything else of HiveSync are on this disk.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.faults.audit import audit
from tests.faults.doors import HttpDoor
from tests.faults.embedded import Installation
from tests.faults.kills import until
from tests.faults.load import Load
from tests.faults.report import Figure, Report, at_least, none_of, within
from tests.faults.servers import ServerProcess
from tests.faults.small_disk import must_move, run_moved, small_disk

DISK_MB = 240
FULL_S = 15.0
FULL_SHORT_S = 8.0
FILL_WAIT_S = 60.0
BACK_WITHIN_S = 5.0
BACK_WAIT_S = 60.0
CLIENTS = 12
_PIECE_BYTES = 1 << 20


async def run(seed: int, *, short: bool = False) -> Report:
    """Fill the disk under load, leave it full for a while, make room again."""
    if must_move():
        return await run_moved("disk-full", seed, DISK_MB, short=short)
    chance = random.Random(seed)
    with small_disk(DISK_MB) as disk, Installation(disk) as installation:
        await asyncio.to_thread(installation.server.wait_ready)
        person = await installation.person()
        async with HttpDoor(installation.server.base_url, person.token, person.project_id) as door:
            load = Load([door], seed, clients=CLIENTS, pause_s=0.005)
            await load.start()
            await asyncio.sleep(chance.uniform(1.0, 2.0))
            ballast = disk / "ballast"
            keeping_full = asyncio.create_task(_keep_full(ballast))
            refused = await until(lambda: _is_refused(load), FILL_WAIT_S)
            full_from = time.monotonic()
            full_s = FULL_SHORT_S if short else FULL_S
            exhausting = asyncio.create_task(_exhaust_log(installation.url, full_s / 2))
            ready, health = await _look(installation.server, full_from + full_s)
            exhausting.cancel()
            full_until = time.monotonic()
            keeping_full.cancel()
            ballast.unlink()
            acknowledged = await load.next_acknowledgement(full_until, BACK_WAIT_S)
            back_s = (acknowledged.done if acknowledged else time.monotonic()) - full_until
            await asyncio.sleep(2.0)
            journal = await load.stop()
        claims = await audit(installation.url, journal)
        restarts = installation.postgres_starts()
    during = [a for a in journal.attempts() if full_from < a.sent and a.done < full_until]
    told = Counter(a.answer.status for a in during)
    return Report(
        [
            at_least("the disk became full: clients were refused", int(refused), 1),
            none_of("answers while it was full other than success or 503", sum(n for s, n in told.items() if s not in (200, 201, 503))),
            at_least("answers 503 while it was full", told[503], 1),
            within("an answer while it was full, longest", max((a.done - a.sent for a in during), default=0), 5.0, short=short),
            none_of("looks at /health that were not told 200", health),
            within("writes acknowledged again after there was room, after", back_s, BACK_WITHIN_S, short=short),
            *claims,
        ],
        [
            Figure("full for", full_until - full_from, "s"),
            Figure("writes acknowledged while it was full", sum(told[s] for s in (200, 201)), ""),
            Figure("looks at /ready while it was full that were told 503", ready, ""),
            Figure("starts of PostgreSQL in all", restarts, ""),
        ],
        [f"a tmpfs of {DISK_MB} MB with database, write-ahead log and everything else that HiveSync keeps"],
    )  # fmt: skip


async def _keep_full(ballast: Path) -> None:
    """Take whatever is free, again and again, as a runaway log file does."""
    with ballast.open("ab", buffering=0) as file:
        size = _PIECE_BYTES
        while True:
            free = shutil.disk_usage(ballast.parent).free
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), max(min(free, 8 * size), 1))
                continue
            with suppress(OSError):
                file.write(b"\0" * 4096)
            await asyncio.sleep(0.05)


async def _exhaust_log(url: str, after_s: float) -> None:
    """Use up the files of the write-ahead log that are there already: PostgreSQL ends itself when it gets no new one."""
    await asyncio.sleep(after_s)
    while True:
        with suppress(psycopg.Error):
            async with await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=2) as connection:
                await connection.execute(
                    "SELECT pg_logical_emit_message(true, 'faults', 'one record'), pg_switch_wal()"
                )
        await asyncio.sleep(0.2)


async def _is_refused(load: Load) -> bool:
    latest = load.journal.attempts()[-20:]
    return any(attempt.answer.status == 503 for attempt in latest)


async def _look(server: ServerProcess, until_s: float) -> tuple[int, int]:
    """How often ``/ready`` said 503, and how often ``/health`` did not say 200."""
    not_ready = not_alive = 0
    while time.monotonic() < until_s:
        not_ready += await asyncio.to_thread(server.status, "/ready") == 503
        not_alive += await asyncio.to_thread(server.status, "/health") != 200
        await asyncio.sleep(0.25)
    return not_ready, not_alive
