"""PostgreSQL that hangs, or cannot be reached: clients are told so in time, and everything comes back by itself."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from tests.faults.audit import audit
from tests.faults.doors import HttpDoor
from tests.faults.kills import projected, until
from tests.faults.listener import Listener
from tests.faults.load import Load
from tests.faults.orders import Journal
from tests.faults.proxy import Proxy
from tests.faults.report import Claim, Figure, Report, none_of, spread, within
from tests.faults.servers import ServerProcess
from tests.faults.stage import Stage

SILENCE_S = 12.0
SILENCE_SHORT_S = 6.5
"""Longer than the five seconds in which an answer was promised."""

TOLD_WITHIN_S = 5.0
HEALED_WITHIN_S = 5.0
HEAL_WAIT_S = 90.0
CLIENTS = 24
_LOOK_PAUSE_S = 0.25


class Trouble(NamedTuple):
    """How the database goes out of reach, and how it comes back."""

    name: str
    begin: Callable[[], Awaitable[None]]
    end: Callable[[], Awaitable[None]]


class Look(NamedTuple):
    """One look at ``/ready`` or ``/health``: when, how long it took, what it said."""

    path: str
    at: float
    took_s: float
    status: int


class Window(NamedTuple):
    """One trouble: from when to when, and how long after its end writes, readiness, read models and sockets were back."""

    name: str
    start: float
    end: float
    writing_s: float
    ready_s: float
    following_s: float


async def run(seed: int, *, short: bool = False) -> Report:
    """One server and one projector behind a proxy of the harness; each kind of trouble once."""
    chance = random.Random(seed)
    with Stage() as stage:
        person = await stage.person()
        async with Proxy(stage.postgres.socket_dir / ".s.PGSQL.5432") as proxy:
            url = proxy.url(stage.url)
            servers = [
                stage.server("api", roles="api,gateway,worker", url=url),
                stage.server("projector", roles="projector", url=url),
            ]
            for server in servers:
                await asyncio.to_thread(server.wait_ready)
            async with (
                HttpDoor(servers[0].base_url, person.token, person.project_id) as door,
                Listener([servers[0].base_url], person.token, seed) as listener,
            ):
                load = Load([door], seed, clients=CLIENTS, pause_s=0.05)
                await load.start()
                looks: list[Look] = []
                looking = asyncio.create_task(_look(servers[0], looks))
                windows = []
                troubles = _troubles(stage, proxy)
                for trouble in troubles[::2] if short else troubles:
                    await asyncio.sleep(chance.uniform(0.5, 1.5))
                    windows.append(
                        await _suffer(
                            stage.url, servers, load, listener, trouble, SILENCE_SHORT_S if short else SILENCE_S
                        )
                    )
                looking.cancel()
                journal = await load.stop()
                claims = [*await audit(stage.url, journal), *await listener.audit(stage.url)]
    return Report(
        [*_claims(journal, looks, windows, short=short), *claims], _figures(journal, windows), [_told(windows)]
    )


def _troubles(stage: Stage, proxy: Proxy) -> Sequence[Trouble]:
    async def pause() -> None:
        stage.pause_postgres()

    async def resume() -> None:
        stage.resume_postgres()

    async def fall_silent() -> None:
        proxy.fall_silent()

    async def speak() -> None:
        proxy.speak()

    async def lose() -> None:
        proxy.lose_connections()

    return (
        Trouble("every process of PostgreSQL stopped", pause, resume),
        Trouble("network silent, then it delivers what it held back", fall_silent, speak),
        Trouble("network silent, and old connections stay dead", fall_silent, lose),
        Trouble("connections reset and refused", proxy.hang_up, proxy.pick_up),
    )


async def _suffer(
    url: str, servers: Sequence[ServerProcess], load: Load, listener: Listener, trouble: Trouble, silence_s: float
) -> Window:
    await trouble.begin()
    start = time.monotonic()
    await asyncio.sleep(silence_s)
    end = time.monotonic()
    await trouble.end()
    acknowledged, ready_s = await asyncio.gather(
        load.next_acknowledgement(end, HEAL_WAIT_S), _ready_after(servers, end)
    )
    position = acknowledged.answer.position if acknowledged else 2**62
    await asyncio.gather(until(lambda: projected(url, position), HEAL_WAIT_S), listener.reaches(position, HEAL_WAIT_S))
    writing_s = (acknowledged.done if acknowledged else time.monotonic()) - end
    return Window(trouble.name, start, end, writing_s, ready_s, time.monotonic() - end)


async def _ready_after(servers: Sequence[ServerProcess], end: float) -> float:
    for server in servers:
        await until(lambda server=server: _is_ready(server), HEAL_WAIT_S)  # type: ignore[misc]
    return time.monotonic() - end


async def _is_ready(server: ServerProcess) -> bool:
    return await asyncio.to_thread(server.status, "/ready") == 200


async def _look(server: ServerProcess, looks: list[Look]) -> None:
    while True:
        for path in ("/ready", "/health"):
            at = time.monotonic()
            status = await asyncio.to_thread(server.status, path)
            looks.append(Look(path, at, time.monotonic() - at, status))
        await asyncio.sleep(_LOOK_PAUSE_S)


def _claims(journal: Journal, looks: Sequence[Look], windows: Sequence[Window], *, short: bool) -> list[Claim]:
    during = [a for w in windows for a in journal.attempts() if w.start < a.sent and a.done < w.end]
    overlapping = [a for w in windows for a in journal.attempts() if a.sent < w.end and a.done > w.start]
    told = [a.done - a.sent for a in overlapping if a.answer.status == 503]
    seen = [look for w in windows for look in looks if w.start < look.at and look.at + look.took_s < w.end]
    not_ready = [look for look in seen if look.path == "/ready"]
    alive = [look for look in looks if look.path == "/health"]
    return [
        none_of(
            "requests during the trouble answered with anything but 503", sum(a.answer.status != 503 for a in during)
        ),
        within("an answer 503, longest", max(told), TOLD_WITHIN_S, short=short),
        none_of(
            "looks at /ready during the trouble that were not told 503", sum(look.status != 503 for look in not_ready)
        ),
        within("an answer of /ready, longest", max(look.took_s for look in looks), TOLD_WITHIN_S, short=short),
        none_of("looks at /health that were not told 200", sum(look.status != 200 for look in alive)),
        *(
            within(f"{what}, longest", max(seconds), HEALED_WITHIN_S, short=short)
            for what, seconds in (
                ("writes acknowledged again after the trouble", [w.writing_s for w in windows]),
                ("/ready 200 again", [w.ready_s for w in windows]),
                ("sockets heard and read models showed it again", [w.following_s for w in windows]),
            )
        ),
    ]


def _figures(journal: Journal, windows: Sequence[Window]) -> list[Figure]:
    during = [a.done - a.sent for w in windows for a in journal.attempts() if w.start < a.sent and a.done < w.end]
    over = [a for w in windows for a in journal.attempts() if a.sent < w.end < a.done and a.answer.acknowledged]
    return [
        *spread("an answer 503 during the trouble", during),
        Figure(
            "success that was waited for over the end of the trouble, longest",
            max((a.done - a.sent for a in over), default=0),
            "s",
        ),
        *(Figure(f"healed after: {w.name}", w.following_s, "s") for w in windows),
    ]


def _told(windows: Sequence[Window]) -> str:
    return "; ".join(f"{w.name} for {w.end - w.start:.1f} s" for w in windows)
