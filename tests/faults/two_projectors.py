"""Two projectors, and the one at work paused for longer than its lease: the other takes over, and nothing counts twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

import psycopg

from projections.engine.lease import LEASE_S
from tests.faults.audit import audit
from tests.faults.doors import HttpDoor
from tests.faults.kills import projected, until
from tests.faults.load import Load
from tests.faults.report import Figure, Report, at_least, spread, within
from tests.faults.servers import ServerProcess
from tests.faults.stage import Stage

PAUSES = 8
PAUSES_SHORT = 1
BEYOND_LEASE_S = 4.0
TAKEN_OVER_WITHIN_S = 3.0 * LEASE_S
"""The session of a holder that stopped in the middle of a COPY is ended after twice its lease."""

CATCH_WAIT_S = 90.0
TRIES_MAX = 400
CLIENTS = 6
_OWNERS = "SELECT owner FROM ops.projections WHERE build = 'live' AND name = 'board'"
_IN_TRANSACTION = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name LIKE 'hivesync-project-%%' AND state = 'idle in transaction' AND pid = ANY(%s)
"""
_PIDS = "SELECT owner_pid FROM ops.projections WHERE build = 'live' AND owner LIKE %s"


async def run(seed: int, *, short: bool = False) -> Report:
    """Pause whoever projects, every second time in the middle of a transaction, and let it go on after the takeover."""
    chance = random.Random(seed)
    pauses = PAUSES_SHORT if short else PAUSES
    taken_over: list[float] = []
    changes = caught = 0
    with Stage() as stage:
        person = await stage.person()
        api = stage.server("api", roles="api")
        projectors = [stage.server(f"projector-{number}", roles="projector") for number in (1, 2)]
        for server in stage.servers:
            await asyncio.to_thread(server.wait_ready)
        async with HttpDoor(api.base_url, person.token, person.project_id) as door:
            load = Load([door], seed, clients=CLIENTS, pause_s=0.005)
            await load.start()
            for number in range(pauses):
                await asyncio.sleep(chance.uniform(0.2, 1.0))
                holder = await _holder(stage.url, projectors)
                caught += await _pause(stage.url, holder, in_transaction=number % 2 == 0)
                paused_at = time.monotonic()
                acknowledged = await load.next_acknowledgement(paused_at, CATCH_WAIT_S)
                position = acknowledged.answer.position if acknowledged else 2**62
                await until(lambda position=position: projected(stage.url, position), CATCH_WAIT_S)  # type: ignore[misc]
                taken_over.append(time.monotonic() - paused_at)
                await asyncio.sleep(max(0.0, LEASE_S + chance.uniform(0, BEYOND_LEASE_S) - taken_over[-1]))
                changes += await _holder(stage.url, projectors) is not holder
                holder.resume()
            await asyncio.sleep(2.0)
            journal = await load.stop()
        claims = await audit(stage.url, journal)
        refused = sum(server.log().count("another process works on the projection") for server in projectors)
    return Report(
        [
            at_least("pauses longer than the lease", len(taken_over), pauses),
            at_least("times that the other projector took over", changes, pauses),
            at_least("pauses in the middle of a transaction", caught, pauses // 2),
            within(
                "read models current again by the other, longest", max(taken_over), TAKEN_OVER_WITHIN_S, short=short
            ),
            *claims,
        ],
        [
            *spread("read models current again by the other", taken_over),
            Figure("batches refused because the lease was lost", refused, ""),
        ],
    )


async def _holder(url: str, projectors: Sequence[ServerProcess]) -> ServerProcess:
    """Whoever holds the lease on the board."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(600):
            row = await (await connection.execute(_OWNERS)).fetchone()
            for projector in projectors:
                if row is not None and row[0] is not None and f":{projector.pid}:" in row[0]:
                    return projector
            await asyncio.sleep(0.05)
    raise RuntimeError("nobody projects the board")


async def _pause(url: str, holder: ServerProcess, *, in_transaction: bool) -> bool:
    """Pause a projector, where wanted while it is between two statements of a batch; whether that was so."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(TRIES_MAX):
            holder.pause()
            await asyncio.sleep(0.01)
            pids = [pid for (pid,) in await (await connection.execute(_PIDS, (f"%:{holder.pid}:%",))).fetchall()]
            row = await (await connection.execute(_IN_TRANSACTION, (pids,))).fetchone()
            if (row is not None and row[0] > 0) or not in_transaction:
                return row is not None and row[0] > 0
            holder.resume()
            await asyncio.sleep(0.003)
    return False
