"""Negative control: kills of a PostgreSQL that acknowledges before it writes. The harness must report the losses.

With ``synchronous_commit`` off, what was committed within some 600 ms before a kill of all processes may be gone (the
log's buffers are in shared memory). The server refuses such a database, and that is checked here too; the load then goes
to a server from which this one check was left out.
"""

from __future__ import annotations

import asyncio
import random
import time

from tests.faults.audit import audit_journal, audit_log, read_log, wait_until_projected
from tests.faults.doors import HttpDoor
from tests.faults.kills import SERVING_WAIT_S, until
from tests.faults.load import Load
from tests.faults.report import Claim, Figure, Report, at_least
from tests.faults.servers import UNSAFE
from tests.faults.stage import Stage

KILLS = 10
KILLS_SHORT = 3
CLIENTS = 8


async def run(seed: int, *, short: bool = False) -> Report:
    """One unsafe server, and kills of all PostgreSQL processes at once."""
    chance = random.Random(seed)
    kills = KILLS_SHORT if short else KILLS
    with Stage(settings={"synchronous_commit": "off"}) as stage:
        person = await stage.person()
        refused = stage.server("refusing")
        await until(lambda: _ended(refused.runs), SERVING_WAIT_S)
        said = refused.log()
        server = stage.server("unsafe", program=UNSAFE)
        server.wait_ready()
        async with HttpDoor(server.base_url, person.token, person.project_id) as door:
            load = Load([door], seed, clients=CLIENTS, pause_s=0.002)
            await load.start()
            for _ in range(kills):
                await asyncio.sleep(chance.uniform(0.5, 1.2))
                stage.kill_all_postgres()
                await load.next_acknowledgement(time.monotonic(), SERVING_WAIT_S)
            journal = await load.stop()
        await wait_until_projected(stage.url, 5.0)
        records = read_log(stage.url)
        log, told = audit_log(records), audit_journal(stage.url, records, journal)
    return Report(
        [
            Claim(
                "unsafe databases that the real server starts on", int("synchronous_commit is off" not in said), 0, 0
            ),
            at_least("acknowledged orders that the harness reports as lost", told.lost, 1),
            Claim("links of the chain that do not follow", log.chain_errors, 0, 0),
        ],
        [
            Figure("kills", kills, ""),
            Figure("orders acknowledged", told.acknowledged, ""),
            Figure("orders reported lost, for each kill", told.lost / kills, ""),
        ],
        ["PostgreSQL ran with synchronous_commit off; what is reported as lost here is what the safe setting keeps."],
    )


async def _ended(runs: bool) -> bool:
    return not runs
