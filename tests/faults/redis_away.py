"""Redis killed, started empty, paused and flushed: nothing is lost, and guessing passwords stays limited throughout."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

import httpx

from adapters.identity.attempts import REDIS_AWAY_S
from adapters.identity.settings import IdentitySettings
from tests.faults.audit import audit
from tests.faults.doors import HttpDoor
from tests.faults.listener import Listener
from tests.faults.load import Load
from tests.faults.report import Figure, Report, at_most, none_of, within
from tests.faults.stage import Person, Stage
from tests.servers.valkey import ValkeyServer

CLIENTS = 6
GUESSES_MAX = IdentitySettings().sign_in_by_account_and_ip.amount
ANSWER_WITHIN_S = 5.0
PHASE_MAX_S = 45.0
_GUESSES_TRIED = 3 * GUESSES_MAX


class Phase(NamedTuple):
    """What happens to Redis, and how many wrong passwords two servers may look at for one address meanwhile."""

    name: str
    begin: Callable[[], Awaitable[None]]
    guesses_max: int


class Guessed(NamedTuple):
    """What guessing came to: wrong passwords looked at, the longest answer, and right ones that were refused."""

    phase: str
    looked_at: int
    allowed: int
    longest_s: float
    right_refused: int


async def run(seed: int, *, short: bool = False) -> Report:
    """Two servers that share a Redis, clients that work, a socket that listens, and somebody who guesses passwords."""
    chance = random.Random(seed)
    with ValkeyServer() as valkey, Stage() as stage:
        person = await stage.person()
        servers = [stage.server(f"server-{number}", REDIS_URL=valkey.url) for number in (1, 2)]
        for server in servers:
            await asyncio.to_thread(server.wait_ready)
        urls = [server.base_url for server in servers]
        async with AsyncExitStack() as stack:
            doors = [await stack.enter_async_context(HttpDoor(url, person.token, person.project_id)) for url in urls]
            listener = await stack.enter_async_context(Listener(urls, person.token, chance.randrange(2**31)))
            client = await stack.enter_async_context(httpx.AsyncClient(timeout=10, trust_env=False))
            load = Load(doors, seed, clients=CLIENTS, pause_s=0.02)
            await load.start()
            started = time.monotonic()
            guessed = [
                await _guess(client, urls, person, phase, number)
                for number, phase in enumerate(_phases(valkey, short=short))
            ]
            ended = time.monotonic()
            journal = await load.stop()
            claims = [*await audit(stage.url, journal), *await listener.audit(stage.url)]
    failed = [a for a in journal.attempts() if a.sent >= started and not (a.answer.acknowledged or a.answer.refused)]
    return Report(
        [
            none_of("commands that failed for want of Redis", len(failed)),
            none_of("right passwords refused for want of Redis", sum(one.right_refused for one in guessed)),
            *(at_most(f"wrong passwords looked at: {one.phase}", one.looked_at, one.allowed) for one in guessed),
            within(
                "an answer to a sign-in, longest", max(one.longest_s for one in guessed), ANSWER_WITHIN_S, short=short
            ),
            within(
                "between two acknowledged commands, longest", journal.longest_silence(started, ended), 5.0, short=short
            ),
            *claims,
        ],
        [Figure("wrong passwords that one server lets pass for an address in 15 minutes", GUESSES_MAX, "")],
        ["The servers use Redis for the limits on guessing alone; sockets and jobs follow the log in PostgreSQL."],
    )


def _phases(valkey: ValkeyServer, *, short: bool) -> Sequence[Phase]:
    async def nothing() -> None:
        pass

    async def kill() -> None:
        valkey.kill()

    async def restart() -> None:
        await asyncio.to_thread(valkey.restart)
        await asyncio.sleep(REDIS_AWAY_S + 0.5)

    async def pause() -> None:
        valkey.pause()

    async def resume() -> None:
        valkey.resume()
        await asyncio.sleep(REDIS_AWAY_S + 0.5)

    async def flush() -> None:
        await asyncio.to_thread(valkey.flush)

    together, each = GUESSES_MAX, 2 * GUESSES_MAX
    phases = (
        Phase("Redis is well, two servers together", nothing, together),
        Phase("Redis killed, each server for itself", kill, each),
        Phase("Redis started again, empty", restart, together),
        Phase("Redis paused, each server for itself", pause, each),
        Phase("Redis goes on", resume, together),
        Phase("Redis flushed before", flush, together),
    )
    return phases[:2] if short else phases


async def _guess(client: httpx.AsyncClient, urls: Sequence[str], person: Person, phase: Phase, number: int) -> Guessed:
    """Guess one person's password at both servers in turn; then somebody signs in with the right one."""
    await phase.begin()
    await _not_at_the_edge()
    looked_at, longest_s = 0, 0.0
    for attempt in range(_GUESSES_TRIED):
        body = {"email": f"victim-{number}@example.org", "password": f"is it number {attempt}?"}
        status, took_s = await _sign_in(client, urls[attempt % 2], body)
        longest_s = max(longest_s, took_s)
        looked_at += status == 401
        if status not in (401, 429):
            raise RuntimeError(f"{phase.name}: a wrong password was answered {status}")
    refused = 0
    for url in urls:
        status, took_s = await _sign_in(client, url, {"email": person.email, "password": person.password})
        longest_s = max(longest_s, took_s)
        refused += status != 200
    return Guessed(phase.name, looked_at, phase.guesses_max, longest_s, refused)


async def _not_at_the_edge() -> None:
    """Wait until the windows of the limit do not end soon: where one does, each counter lets one more pass."""
    window_s = IdentitySettings().sign_in_by_account_and_ip.window_s
    left_s = window_s - time.time() % window_s
    if left_s < PHASE_MAX_S:
        await asyncio.sleep(left_s + 1)


async def _sign_in(client: httpx.AsyncClient, url: str, body: dict[str, str]) -> tuple[int, float]:
    started = time.monotonic()
    response = await client.post(f"{url}/api/v1/auth/sign-in", json=body)
    return response.status_code, time.monotonic() - started
