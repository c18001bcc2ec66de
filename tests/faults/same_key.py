"""The same idempotency key many times at once, on one server and on two: one effect, and every answer the same."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import httpx
import psycopg

from adapters.ids import uuid7
from tests.faults.audit import audit_log, read_log
from tests.faults.report import Claim, Figure, Report, none_of, spread
from tests.faults.stage import Person, Stage

AT_ONCE = 50
ROUNDS = 20
ROUNDS_SHORT = 3
_OF_MARK = "SELECT count(*) FROM eventlog.events WHERE state LIKE %s"


async def run(seed: int, *, short: bool = False) -> Report:
    """Rounds of one command that makes a stream, one that goes on with one, and one that is refused."""
    chance = random.Random(seed)
    effects: list[int] = []
    differing = failures = requests = 0
    waits: list[float] = []
    with Stage() as stage:
        person = await stage.person()
        servers = [stage.server(f"api-{number}", roles="api,projector") for number in (1, 2)]
        for server in servers:
            await asyncio.to_thread(server.wait_ready)
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(_client(server.base_url, person)) for server in servers]
            for doors in (clients[:1], clients):
                for _ in range(ROUNDS_SHORT if short else ROUNDS):
                    for path, body, status in await _commands(clients[0], person):
                        mark = body.get("title") or body.get("text") or ""
                        answers = await _at_once(doors, path, body, waits, chance)
                        requests += len(answers)
                        failures += sum(answer.status_code != status for answer in answers)
                        differing += len({_what_was_told(answer) for answer in answers}) - 1
                        effects.append(abs(_count(stage.url, mark) - (1 if mark and status < 300 else 0)))
        log = audit_log(read_log(stage.url))
    claims = [
        Claim("requests sent", requests, AT_ONCE, float("inf")),
        none_of("answers with another status than the first", failures),
        none_of("answers that differ", differing),
        none_of("effects too many or missing", sum(effects)),
        none_of("gaps in the log or in a stream", log.gaps),
        none_of("links of the chain that do not follow", log.chain_errors),
    ]
    return Report(claims, [Figure("the same request at once", AT_ONCE, "times"), *spread("an answer", waits)])


def _client(base_url: str, person: Person) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    headers = {"authorization": f"Bearer {person.token}"}
    return httpx.AsyncClient(base_url=base_url, headers=headers, limits=limits, timeout=10, trust_env=False)


async def _commands(client: httpx.AsyncClient, person: Person) -> Sequence[tuple[str, dict[str, Any], int]]:
    """Path, body and the status of the first answer: a new task, a comment on a task, and what the rules refuse."""
    tasks = f"/api/v1/projects/{person.project_id}/tasks"
    made = await client.post(tasks, json={"title": "ground"})
    task = f"/api/v1/tasks/{made.json()['id']}"
    return (
        (tasks, {"title": f"mark {uuid7()}"}, 201),
        (f"{task}/comments", {"text": f"mark {uuid7()}"}, 200),
        (f"{task}/approve", {}, 409),
    )


async def _at_once(
    doors: Sequence[httpx.AsyncClient], path: str, body: dict[str, Any], waits: list[float], chance: random.Random
) -> list[httpx.Response]:
    key = str(uuid7())

    async def send(number: int) -> httpx.Response:
        started = asyncio.get_running_loop().time()
        response = await doors[number % len(doors)].post(path, json=body, headers={"idempotency-key": key})
        waits.append(asyncio.get_running_loop().time() - started)
        return response

    numbers = list(range(AT_ONCE))
    chance.shuffle(numbers)
    return await asyncio.gather(*(send(number) for number in numbers))


def _what_was_told(answer: httpx.Response) -> str:
    """The answer without what belongs to the request and not to the command."""
    told = answer.json()
    told.pop("correlation_id", None)
    return f"{answer.status_code} {answer.headers.get('etag')} {sorted(told.items())}"


def _count(url: str, mark: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(_OF_MARK, (f"%{mark}%",)).fetchone() if mark else (0,)
    assert row is not None
    return int(row[0])
