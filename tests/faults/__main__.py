"""`python -m tests.faults` lists the faults; `python -m tests.faults NAME [--seed N] [--short] [--json]` runs one.

`python -m tests.faults all` runs every one of them; with `--record` the figures are kept in RESULTS.md.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback

from adapters.observability.logs import configure_logs
from tests.faults.report import Report, none_of
from tests.faults.results import Ran, run_fault, write_results
from tests.faults.traces import BadTrace

FAULTS = {
    "kills": "kill -9 of PostgreSQL, of the servers and of the projector at random moments under load",
    "kills-embedded": "kill -9 of the server with its private PostgreSQL, of both, and of that alone",
    "blind": "negative control: the same with synchronous_commit off, where losses must be seen",
    "silence": "PostgreSQL stopped or cut off: told in time, back by itself",
    "disk-full": "the disk of the data folder is full for a while",
    "redis-away": "Redis killed, started empty, paused and flushed",
    "nth-call": "the Nth exchange with the database fails, for every N of every use case",
    "same-key": "the same idempotency key 50 times at once, on one server and on two",
    "two-projectors": "two projectors, the one at work paused for longer than its lease",
    "rebuild-under-load": "every read model is rebuilt and swapped while clients write and ask for their own writes",
    "restore": "backup, restore to a moment in the past and from a dump, then verify",
    "clock": "the clock of PostgreSQL and a server jumps by +2 h and -1 d",
    "tampering": "any bit changed, rows dropped, added, swapped or cut off, forged exports: found, and the place named",
    "provider": "everything that an AI provider can do wrong, over real HTTP",
    "review-kill": "kill -9 of the worker during a job, and the queue lost: each review ends exactly once",
    "source-leak": "submitted files are looked for in events, logs, exports, metrics, queues, and after retention",
    "comments-held-out": "comments at random places of real files, judged by the languages' own compilers",
    "comments-property": "generated comments in real files: tokens equal, bytes restored, diffs that apply",
    "comments-prose": "comments that people wrote: how many are refused, and why",
    "live-traces": "editing sessions through Live View to viewers that drop, lag and join late; then the text is looked for",
    "live-leak": "the text of live sessions is looked for in tables, dumps, exports, logs, traces, Redis, errors and a crash",
    "live-kill": "kill -9 of servers and Redis around a live session, in the middle of snapshots and with its host away too",
    "live-hostile": "a viewer of a live session sends every message there is, and what is none",
    "erasure": "a person with a past is erased, and looked for byte by byte",
}
"""Name and what is done; the fault is the coroutine `run(seed, short=...)` of the module of that name, `_` for `-`."""

SEED_MAX = 2**31


def main() -> int:
    """Run what the command line asks for; 0 where every claim holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("name", nargs="?", choices=[*FAULTS, "all"])
    parser.add_argument("--seed", type=int, help="the same seed makes the same choices; random without")
    parser.add_argument("--short", action="store_true", help="the part that runs with every test run")
    parser.add_argument("--trace", action="append", default=[], metavar="FILE", help="live-traces: a recorded session")
    parser.add_argument("--viewers", type=int, default=0, help="live-traces: how many follow; 50 without")
    parser.add_argument("--record", action="store_true", help="keep the figures in RESULTS.md")
    parser.add_argument("--json", action="store_true", help="one line of JSON a fault instead of tables")
    asked = parser.parse_args()
    if asked.name is None:
        for name, purpose in FAULTS.items():
            print(f"{name:<20}{purpose}")
        return 0
    configure_logs("error", "console")
    seed = random.randrange(SEED_MAX) if asked.seed is None else asked.seed
    ran = []
    for name in FAULTS if asked.name == "all" else [asked.name]:
        if not asked.json:
            print(f"{name}: {FAULTS[name]} (seed {seed})", flush=True)
        started = time.monotonic()
        options = {"traces": asked.trace, "viewers": asked.viewers} if name == "live-traces" else {}
        try:
            report = run_fault(name, seed, short=asked.short, **options)
        except BadTrace as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        except Exception as error:
            if asked.name != "all":
                raise
            # The others are to be seen all the same.
            traceback.print_exception(error)
            report = Report([none_of("runs that broke off", 1)], notes=[repr(error)])
        ran.append(Ran(name, FAULTS[name], report, time.monotonic() - started))
        print(report.as_json(name, seed) if asked.json else report.as_table() + "\n", flush=True)
        if asked.record and not asked.short:
            write_results(ran[-1:], seed)
    return 0 if all(each.report.holds for each in ran) else 1


if __name__ == "__main__":
    sys.exit(main())
