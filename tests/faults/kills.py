"""kill -9 of PostgreSQL, of the servers and of the projector at random moments, while clients work."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

import psycopg

from tests.bench.report import percentile
from tests.faults.audit import audit
from tests.faults.doors import HttpDoor
from tests.faults.listener import Listener
from tests.faults.load import Load
from tests.faults.report import Figure, Report, at_least, spread, within
from tests.faults.servers import ServerProcess
from tests.faults.stage import Stage

KILLS = 35
KILLS_SHORT = 7
KILLED_AGAIN_SHARE = 0.2
"""The share of kills that are followed by another while the first is being recovered from."""

SERVING_WAIT_S = 30.0
SERVING_WANTED_S = 5.0
PROJECTED_WANTED_S = 10.0
CLIENTS = 8


class Victim(NamedTuple):
    """What is killed at once, and the servers among it: those are started again, as a supervisor would."""

    kill: Callable[[], None]
    servers: Sequence[ServerProcess] = ()


class Timings(NamedTuple):
    """Seconds from each kill until writes were acknowledged again, read models current, killed servers ready."""

    writing: list[float]
    projecting: list[float]
    restarting: list[float]
    by_victim: dict[str, list[float]]
    """Until writes were acknowledged again, by who was killed."""


async def run(seed: int, *, short: bool = False) -> Report:
    """Two servers that answer HTTP, a third that projects, one PostgreSQL; one victim after the other."""
    chance = random.Random(seed)
    with Stage() as stage:
        person = await stage.person()
        apis = [stage.server(f"api-{number}", roles="api,gateway,worker") for number in (1, 2)]
        projector = stage.server("projector", roles="projector")
        for server in stage.servers:
            server.wait_ready()
        async with AsyncExitStack() as stack:
            doors = [
                await stack.enter_async_context(HttpDoor(server.base_url, person.token, person.project_id))
                for server in apis
            ]
            listener = await stack.enter_async_context(
                Listener([server.base_url for server in apis], person.token, chance.randrange(2**31))
            )
            load = Load(doors, seed, clients=CLIENTS)
            await load.start()
            victims = _victims(stage, apis, projector)
            names = _names(victims, KILLS_SHORT if short else KILLS, chance)
            killed, timings = await _kill(stage.url, load, victims, names, chance)
            journal = await load.stop()
            claims = [*await audit(stage.url, journal), *await listener.audit(stage.url)]
    figures = [
        *spread("writes acknowledged again after a kill", timings.writing),
        *spread("read models current again after a kill", timings.projecting),
        *spread("a killed server ready again", timings.restarting),
        Figure("clients who asked for their own write and saw it", journal.own_writes_seen, ""),
        Figure("orders given up without an answer", len(journal.unknown()), ""),
        Figure("connections of the socket that listened", listener.connections, ""),
        Figure("orders sent more than once", sum(len(entry.attempts) > 1 for entry in journal.entries), ""),
    ]
    claims = [
        at_least("kills", sum(killed.values()), len(names)),
        *claims,
        within("writes acknowledged again after a kill, longest", max(timings.writing), SERVING_WANTED_S, short=short),
        within("a killed server ready again, longest", max(timings.restarting), SERVING_WANTED_S, short=short),
        within("read models current again, longest", max(timings.projecting), PROJECTED_WANTED_S, short=short),
    ]
    notes = [f"{name}: killed {n} times; {_told(timings.by_victim[name])}" for name, n in sorted(killed.items())]
    return Report(claims, figures, notes)


def _victims(stage: Stage, apis: Sequence[ServerProcess], projector: ServerProcess) -> dict[str, Victim]:
    def everything() -> None:
        for server in stage.servers:
            server.kill()
        stage.kill_all_postgres()

    return {
        "PostgreSQL's first process": Victim(stage.kill_postgres),
        "all of PostgreSQL": Victim(stage.kill_all_postgres),
        "a session of PostgreSQL": Victim(lambda: stage.kill_session("hivesync")),
        "a server": Victim(apis[0].kill, apis[:1]),
        "the other server": Victim(apis[1].kill, apis[1:]),
        "the projector": Victim(projector.kill, [projector]),
        "everything at once": Victim(everything, stage.servers),
    }


def _told(writing: Sequence[float]) -> str:
    longest = max(writing)
    return f"writes acknowledged again after {percentile(writing, 0.5):.2f} s (median), {longest:.2f} s (longest)"


def _names(victims: Mapping[str, Victim], kills: int, chance: random.Random) -> list[str]:
    """Each victim equally often, in any order."""
    names: list[str] = []
    while len(names) < kills:
        names += chance.sample(sorted(victims), len(victims))
    return names[:kills]


async def _kill(
    url: str, load: Load, victims: Mapping[str, Victim], names: Sequence[str], chance: random.Random
) -> tuple[Counter[str], Timings]:
    killed: Counter[str] = Counter()
    timings = Timings([], [], [], {})
    for name in names:
        await asyncio.sleep(chance.uniform(0.1, 1.5))
        victim = victims[name]
        victim.kill()
        killed[name] += 1
        if not victim.servers and chance.random() < KILLED_AGAIN_SHARE:
            await asyncio.sleep(chance.uniform(0.0, 0.4))
            victim.kill()
            killed[name] += 1
        killed_at = time.monotonic()
        for server in victim.servers:
            server.start()
        restarted = asyncio.gather(*(asyncio.to_thread(server.wait_ready) for server in victim.servers))
        acknowledged = await load.next_acknowledgement(killed_at, SERVING_WAIT_S)
        timings.writing.append((acknowledged.done if acknowledged else time.monotonic()) - killed_at)
        timings.by_victim.setdefault(name, []).append(timings.writing[-1])
        position = acknowledged.answer.position if acknowledged else 2**62
        await until(lambda position=position: projected(url, position), SERVING_WAIT_S)  # type: ignore[misc]
        timings.projecting.append(time.monotonic() - killed_at)
        timings.restarting.extend(await restarted)
    return killed, timings


async def until(reached: Callable[[], Awaitable[bool]], timeout_s: float) -> bool:
    """Ask again and again; false when the time runs out first."""
    ends_at = time.monotonic() + timeout_s
    while not await reached():
        if time.monotonic() > ends_at:
            return False
        await asyncio.sleep(0.02)
    return True


async def projected(url: str, position: int) -> bool:
    """Whether every read model has come as far as ``position``; false too while the database is away."""
    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True, connect_timeout=2) as connection:
            query = "SELECT min(position) FROM ops.projections WHERE build = 'live'"
            row = await (await connection.execute(query)).fetchone()
    except psycopg.Error:
        return False
    return row is not None and row[0] is not None and row[0] >= position
