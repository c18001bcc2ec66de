"""kill -9 of workers while models answer, Redis killed and started empty: every review ends exactly once."""

from __future__ import annotations

import asyncio
import random
import time
from typing import NamedTuple
from uuid import UUID

from tests.faults.report import Figure, Report, at_least, none_of, spread, within
from tests.faults.reviewing import KEY, ReviewDoor, not_ended_once, topics
from tests.faults.servers import ServerProcess
from tests.faults.stage import Stage
from tests.servers.model import Behaviour, ModelServer
from tests.servers.valkey import ValkeyServer

ROUNDS = 4
FILES = 5
KILLS_A_ROUND = 2
"""Fewer than a review begins again, so that none may give up."""

ENDED_WANTED_S = 40.0
"""From the last kill: silence is noticed after ten seconds, the job is begun again, and the model answers."""

WAIT_S = 120.0
_SLOWLY = Behaviour(pace_s=0.15)


async def run(seed: int, *, short: bool = False) -> Report:
    """Rounds with Redis as the queue, and rounds with PostgreSQL."""
    chance = random.Random(seed)
    plan = Plan(rounds=1, files=2, kills=1) if short else Plan(ROUNDS, FILES, KILLS_A_ROUND)
    queues = (True,) if short else (True, False)
    parts = [await _rounds(chance, plan, with_redis=with_redis) for with_redis in queues]
    ended = [seconds for part in parts for seconds in part.ended_s]
    return Report(
        [
            at_least("kills of workers while models answered", sum(p.kills for p in parts), plan.kills * plan.rounds),
            none_of("reviews that did not end exactly once", sum(p.wrong for p in parts)),
            none_of("reviews that did not get their comments", sum(p.not_ready for p in parts)),
            within("from the last kill until the last review had ended, longest", max(ended), ENDED_WANTED_S, short=short),
        ],
        [
            Figure("reviews", sum(part.reviews for part in parts), ""),
            Figure("times that Redis was lost with everything in it", sum(part.redis_lost for part in parts), ""),
            Figure("generations begun again", sum(part.again for part in parts), ""),
            *spread("from the last kill until all had ended", ended),
        ],
    )  # fmt: skip


class Plan(NamedTuple):
    """How many rounds, and of each how many files and kills."""

    rounds: int
    files: int
    kills: int


class _Part:
    """What some rounds came to."""

    def __init__(self) -> None:
        self.kills = self.redis_lost = self.reviews = self.again = self.wrong = self.not_ready = 0
        self.ended_s: list[float] = []


async def _rounds(chance: random.Random, plan: Plan, *, with_redis: bool) -> _Part:
    part = _Part()
    with ValkeyServer() as valkey, ModelServer() as model, Stage() as stage:
        model.usual = _SLOWLY
        person = await stage.person()
        more = {"OPENAI_API_KEY": KEY, "HIVESYNC_BLOB_KEY": "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="}
        if with_redis:
            more["REDIS_URL"] = valkey.url
        api = stage.server("api", roles="api,gateway,projector", **more)
        worker = stage.server("worker", roles="worker", **more)
        for server in stage.servers:
            await asyncio.to_thread(server.wait_ready)
        async with ReviewDoor(api.base_url, person) as door:
            await door.ask_model(model.url)
            for number in range(plan.rounds):
                submitted = [await door.submit(f"file{number}_{n}.py", _source(n)) for n in range(plan.files)]
                killed_at = await _kill(chance, part, plan, model, worker, valkey if with_redis else None)
                shown = [await door.ended(review_id, WAIT_S) for review_id in submitted]
                part.ended_s.append(time.monotonic() - killed_at)
                part.not_ready += sum(one["status"] != "ready" for one in shown)
                _count(part, stage.url, submitted)
    return part


async def _kill(
    chance: random.Random,
    part: _Part,
    plan: Plan,
    model: ModelServer,
    worker: ServerProcess,
    valkey: ValkeyServer | None,
) -> float:
    """Kill the worker in the middle of its jobs, twice; Redis with it once. When the last kill was."""
    for kill in range(plan.kills):
        model.waiting.clear()
        asked = await asyncio.to_thread(model.waiting.wait, WAIT_S)
        assert asked, "the worker asks the model"
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        worker.kill()
        part.kills += 1
        if valkey is not None and kill == 0:
            valkey.kill()
            valkey.restart()
            part.redis_lost += 1
        killed_at = time.monotonic()
        worker.start()
        await asyncio.to_thread(worker.wait_ready)
    return killed_at


def _count(part: _Part, url: str, submitted: list[UUID]) -> None:
    part.reviews += len(submitted)
    part.wrong += len(not_ended_once(url, submitted))
    begun = sum(told.count("review.generation_started.v1") for told in topics(url, submitted).values())
    part.again += begun - len(submitted)


def _source(number: int) -> str:
    return f"def part{number}(a):\n    return a\n\n\ndef other{number}(b):\n    return b\n"
