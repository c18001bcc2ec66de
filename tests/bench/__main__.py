"""`python -m tests.bench` lists the benches; `python -m tests.bench NAME [--json]` runs one."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

BENCHES = {
    "append": "appends, 64 at once and one after the other, against the stock library on the same server",
    "as-of": "a board of 2,000 tasks with 100,000 events as of a former moment, against folding its events",
    "docs": "hivesync docs over 100 real files, with a server and without: tokens unchanged, own time a file",
    "board-page": "GET of a page of 50 tasks in a project of 2,415, against an empty handler of the same server",
    "comments": "rendering and proof of 50 comments in files of 1,000 and 10,000 lines: Python, TypeScript, C",
    "visible": "from a command's acknowledgement to its row in the board, and waiting for one's own write",
    "start": "the run command on a fresh clone to /ready: with installs, without, and again",
    "transition": "POST of a task transition, durable, at 64 connections, against an empty handler of the same server",
    "export": "exports of 1,000,000 events: rows a second on one core, and memory",
    "fan-out": "frames to 1,000 sockets, against the library's broadcast, and at the pace of a busy live session",
    "live-fan-out": "a live session's patches to 1,000 viewers: how late, at which cost, and against the library's broadcast",
    "live-sockets": "10,000 viewers of one process: all served, and what each costs; then 50 that stop to read",
    "import-tasks": "import of 2,415 issues, the same again, and ten times as many",
    "read-log": "reading and decoding the whole log, against the stock library on the same server",
    "rebuild": "rebuilding the board over 1,000,000 events, against the stock library's ProjectionRunner",
    "verify": "verifying chain and tree of the store, of history.jsonl and of exports",
}
"""Name and purpose; the bench is the function `run()` of the module of that name, with `_` for `-`."""


def main() -> int:
    """Run what the command line asks for; 0 where every target is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("name", nargs="?", choices=sorted(BENCHES))
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    asked = parser.parse_args()
    if asked.name is None:
        for name, purpose in BENCHES.items():
            print(f"{name:<14}{purpose}")
        return 0
    report = import_module(f"tests.bench.{asked.name.replace('-', '_')}").run()
    print(report.as_json(asked.name) if asked.json else report.as_table())
    return 0 if all(target.met for target in report.targets) else 1


if __name__ == "__main__":
    sys.exit(main())
