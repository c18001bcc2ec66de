"""kill -9 of `hivesync serve` with its private PostgreSQL, as most installations run: alone, with it, or only that."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.faults.audit import audit
from tests.faults.doors import HttpDoor
from tests.faults.embedded import Installation
from tests.faults.kills import SERVING_WAIT_S, SERVING_WANTED_S
from tests.faults.listener import Listener
from tests.faults.load import Load
from tests.faults.report import Report, at_least, spread, within

KILLS = 12
KILLS_SHORT = 2
CLIENTS = 6


async def run(seed: int, *, short: bool = False) -> Report:
    """One process tree; whoever is killed, the whole comes back."""
    chance = random.Random(seed)
    victims = ("server", "both", "postgres")
    kills = KILLS_SHORT if short else KILLS
    serving: list[float] = []
    with tempfile.TemporaryDirectory(prefix="hivesync-faults-") as folder, Installation(Path(folder)) as installation:
        server = installation.server
        await asyncio.to_thread(server.wait_ready)
        person = await installation.person()
        async with (
            HttpDoor(server.base_url, person.token, person.project_id) as door,
            Listener([server.base_url], person.token, seed) as listener,
        ):
            load = Load([door], seed, clients=CLIENTS)
            await load.start()
            for number in range(kills):
                await asyncio.sleep(chance.uniform(0.3, 1.5))
                _kill(server.pid, victims[number % len(victims)])
                killed_at = time.monotonic()
                if not server.runs or victims[number % len(victims)] != "postgres":
                    server.kill()
                    server.start()
                acknowledged = await load.next_acknowledgement(killed_at, SERVING_WAIT_S)
                serving.append((acknowledged.done if acknowledged else time.monotonic()) - killed_at)
            journal = await load.stop()
            claims = [*await audit(installation.url, journal), *await listener.audit(installation.url)]
    return Report(
        [
            at_least("kills", len(serving), kills),
            *claims,
            within("writes acknowledged again after a kill, longest", max(serving), SERVING_WANTED_S, short=short),
        ],
        spread("writes acknowledged again after a kill", serving),
        ["the server alone (PostgreSQL ends with it), both at once, PostgreSQL alone (the server starts it again)"],
    )


def _kill(server_pid: int, victim: str) -> None:
    """kill -9 of the server, of every process of its PostgreSQL, or of all at the same moment."""
    children = [child.pid for child in psutil.Process(server_pid).children(recursive=True)]
    pids = {"server": [server_pid], "postgres": children, "both": [server_pid, *children]}[victim]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
