"""Every read model is rebuilt and swapped again and again while clients write and ask for what they wrote."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

from projections.registry import READ_MODELS
from tests.bench.seed import seed as tell_story
from tests.faults.audit import audit, wait_until_projected
from tests.faults.doors import HttpDoor
from tests.faults.load import Load
from tests.faults.orders import Attempt
from tests.faults.report import Figure, Report, at_least, none_of, spread
from tests.faults.servers import ServerProcess
from tests.faults.stage import Stage

EVENTS = 50_000
EVENTS_SHORT = 2_000
ROUNDS = 3
WRITES_WANTED = 200.0
WRITES_WANTED_SHORT = 20.0
"""Writes a second while a rebuild runs; the short part shares its machine with other tests."""

CLIENTS = 64
PAUSE_S = 0.02
REPLAY = "import sys; from adapters.cli.main import main; sys.exit(main(['replay', '--all', '--json']))"


async def run(seed: int, *, short: bool = False) -> Report:
    """Two servers, clients at both, and the command an admin gives, while every write is read back by its position."""
    with Stage() as stage:
        tell_story(stage.url, EVENTS_SHORT if short else EVENTS)
        person = await stage.person()
        servers = [stage.server(f"api-{number}") for number in (1, 2)]
        for server in servers:
            await asyncio.to_thread(server.wait_ready)
        assert await wait_until_projected(stage.url), "the read models did not reach the head of the log"
        async with (
            HttpDoor(servers[0].base_url, person.token, person.project_id) as one,
            HttpDoor(servers[1].base_url, person.token, person.project_id) as other,
        ):
            load = Load([one, other], seed, clients=CLIENTS, pause_s=PAUSE_S, read_back_share=1.0)
            await load.start()
            started = time.monotonic()
            replays = [await _replay(servers[0]) for _ in range(1 if short else ROUNDS)]
            ended = time.monotonic()
            journal = await load.stop()
        attempts = [attempt for attempt in journal.attempts() if started <= attempt.done <= ended]
        rate = sum(attempt.answer.acknowledged for attempt in attempts) / (ended - started)
        claims = [
            at_least("writes a second meanwhile", rate, WRITES_WANTED_SHORT if short else WRITES_WANTED, "/s"),
            at_least("swaps", sum(map(len, replays)), len(replays) * len(READ_MODELS)),
            none_of("answers that were errors", sum(map(_is_error, attempts))),
            none_of("own writes that were not shown", journal.own_writes_missed),
            at_least("own writes that were shown", journal.own_writes_seen, 1),
            *await audit(stage.url, journal),
        ]
    figures = [
        Figure("clients were served for", ended - started, "s"),
        *spread("a write was acknowledged after", [1000 * (a.done - a.sent) for a in attempts], "ms"),
    ]
    notes = [f"{EVENTS_SHORT if short else EVENTS:,} events before the first rebuild"]
    errors = Counter((each.answer.status, each.answer.detail[:200]) for each in attempts if _is_error(each))
    notes += [f"{count} times {status}: {detail}" for (status, detail), count in errors.most_common(5)]
    return Report(claims, figures, notes)


def _is_error(attempt: Attempt) -> bool:
    return not attempt.answer.acknowledged and not attempt.answer.refused


async def _replay(server: ServerProcess) -> list[Any]:
    """Rebuild and swap every read model with the command; raises RuntimeError with its words where it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", REPLAY, env=server.environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, complaint = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"hivesync replay ended with {process.returncode}: {complaint.decode()}{told.decode()}")
    return list(json.loads(told.splitlines()[-1])["results"])
