"""Rebuilding the board over a long log, indexes included, beside the stock library's ProjectionRunner."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import uvloop

from adapters.postgres.connections import Database
from hivesync_core.eventstore.events import the_catalogue
from projections.board import Board
from projections.engine.entries import LogReader
from projections.engine.rebuild import Rebuild
from tests.bench.projection_runner import rate_of_library
from tests.bench.report import Figure, Report, Target
from tests.bench.seed import seed
from tests.bench.server import own_server

EVENTS = 1_000_000
LIBRARY_EVENTS = 20_000
WANTED = 60.0
MEMORY_WANTED_MB = 128.0


def run() -> Report:
    """The library first, on the first part of the log, then the rebuild of all of it in a process of its own."""
    events = int(os.environ.get("BENCH_EVENTS", EVENTS))
    library_events = min(LIBRARY_EVENTS, events)
    with own_server() as url:
        seed(url, events)
        library = rate_of_library(url, library_events)
        told = json.loads(subprocess.run(
            [sys.executable, "-m", "tests.bench.rebuild", url], stdout=subprocess.PIPE, text=True, check=True
        ).stdout)  # fmt: skip
    rate = events / told["seconds"]
    return Report(
        figures=[
            Figure("rebuild: events a second, indexes and swap included", rate, "events/s"),
            Figure("library: events a second, one transaction each", library, "events/s"),
            Figure("rebuild: seconds for the rows", told["rows_s"], "s"),
            Figure("rebuild: seconds for the indexes", told["indexes_s"], "s"),
            Figure("rebuild: seconds of its own processor time", told["cpu_s"], "s"),
        ],
        targets=[
            Target("rebuild / library", rate / library, WANTED),
            Target("memory growth of the rebuilding process", told["growth_mb"], MEMORY_WANTED_MB, "MB", at_most=True),
        ],
        notes=[f"{events:,} events of many streams; the library over the first {library_events:,} of them"],
    )


async def _rebuild(url: str) -> dict[str, float]:
    database = Database(url, size=2)
    await database.open()
    reader = LogReader(database, the_catalogue())
    head = await reader.head()
    before_mb = _resident_mb()
    began, cpu = time.perf_counter(), time.process_time()
    async with database.direct("hivesync-bench") as connection:
        rebuild = Rebuild(connection, reader, Board(), "bench")
        await rebuild.begin()
        await rebuild.run(head)
        rows = time.perf_counter()
        await rebuild.finish_indexes()
        indexes = time.perf_counter()
        await rebuild.swap()
    took = time.perf_counter() - began
    await database.close()
    return {
        "seconds": took,
        "rows_s": rows - began,
        "indexes_s": indexes - rows,
        "cpu_s": time.process_time() - cpu,
        "growth_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before_mb,
    }


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1024 / 1024


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_rebuild(sys.argv[1]))))
