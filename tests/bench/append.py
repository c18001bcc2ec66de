"""Appends with the hash chain on, beside the stock library's recorder, alternating on one server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any, NamedTuple
from uuid import uuid4

import uvloop

from adapters.ids import now, uuid7
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.records import Append, NewEvent
from hivesync_core.kernel.event import Meta
from tests.bench import library
from tests.bench.report import Figure, Report, Target, percentile
from tests.bench.server import own_server
from tests.bench.story import Happening, Story

AT_ONCE = 64
LIBRARY_THREADS = 8
ROUND_S = 3.0
ROUNDS = 3
WANTED_AT_ONCE, WANTED_ONE, WANTED_P99_MS = 30.0, 2.0, 15.0
RATE_MAX, RATE_MAX_ALONE = 90_000, 8_000
"""More appends a second than can be, so that as many events are made before the clock starts."""

_EVENTS = 4_000


class Measured(NamedTuple):
    """Appends a second and their latencies in milliseconds."""

    rate: float
    latencies_ms: list[float]


def run() -> Report:
    """Each of the four in turn, some rounds; every figure is the middle one of its rounds."""
    story = list(Story().happenings(_EVENTS))
    with own_server() as url, library.datastore(url, threads=LIBRARY_THREADS) as store:
        application = library.StockApplication(store)
        rounds = [
            (
                uvloop.run(_group_commit(url, story, AT_ONCE)),
                uvloop.run(_library(application, story, AT_ONCE)),
                uvloop.run(_group_commit(url, story, 1)),
                _library_alone(application, story),
            )
            for _ in range(ROUNDS)
        ]
    ours, stock, one, stock_one = (_middle(measured) for measured in zip(*rounds, strict=True))
    return Report(
        figures=[
            *_figures(f"HiveSync, {AT_ONCE} at once", ours),
            *_figures(f"library, {AT_ONCE} at once in {LIBRARY_THREADS} threads", stock),
            *_figures("HiveSync, one writer", one),
            *_figures("library, one writer", stock_one),
        ],
        targets=[
            Target(f"rate, {AT_ONCE} at once / library", ours.rate / stock.rate, WANTED_AT_ONCE),
            Target(
                f"p99, {AT_ONCE} at once", percentile(ours.latencies_ms, 0.99), WANTED_P99_MS, unit="ms", at_most=True
            ),
            Target("rate, one writer / library", one.rate / stock_one.rate, WANTED_ONE),
        ],
        notes=[
            "one event an append to a new stream, task events of about 300 bytes; fsync and synchronous_commit on;",
            "the events are made before the clock starts, on both sides",
            f"the library: its application's save(), {AT_ONCE} at once in {LIBRARY_THREADS} threads, or called directly",
            f"middle of {ROUNDS} rounds of {ROUND_S:g} s each, the four taking turns on one server",
        ],
    )


async def _group_commit(url: str, story: Sequence[Happening], at_once: int) -> Measured:
    commit = GroupCommit(Database(url))
    await commit.start()
    commands = iter(_commands(story, int(ROUND_S * (RATE_MAX if at_once > 1 else RATE_MAX_ALONE))))
    latencies: list[float] = []
    await commit.append(next(commands))
    began = time.perf_counter()

    async def writer() -> None:
        for command in commands:
            sent = time.perf_counter()
            await commit.append(command)
            latencies.append((time.perf_counter() - sent) * 1000)
            if time.perf_counter() - began > ROUND_S:
                return

    await asyncio.gather(*(writer() for _ in range(at_once)))
    took = time.perf_counter() - began
    await commit.stop()
    return Measured(len(latencies) / took, latencies)


def _commands(story: Sequence[Happening], count: int) -> list[Append]:
    """So many commands of one event, each to a new stream."""
    mapper = MsgspecMapper(the_catalogue())
    return [Append((_new_event(mapper, happening),)) for happening in islice(cycle(story), count)]


def _new_event(mapper: MsgspecMapper, happening: Happening) -> NewEvent:
    command_id = uuid7()
    meta = Meta(
        event_id=uuid7(),
        recorded_at=now(),
        actor=happening.actor,
        correlation_id=command_id,
        command_id=command_id,
    )
    return mapper.to_new_event(uuid4(), 1, happening.event, meta)


async def _library(application: library.StockApplication, story: Sequence[Happening], at_once: int) -> Measured:
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    events = iter(_library_events(story))
    began = time.perf_counter()

    async def writer(pool: ThreadPoolExecutor) -> None:
        while (sent := time.perf_counter()) - began < ROUND_S:
            await loop.run_in_executor(pool, application.save, next(events))
            latencies.append((time.perf_counter() - sent) * 1000)

    with ThreadPoolExecutor(LIBRARY_THREADS) as pool:
        await asyncio.gather(*(writer(pool) for _ in range(at_once)))
    return Measured(len(latencies) / (time.perf_counter() - began), latencies)


def _library_alone(application: library.StockApplication, story: Sequence[Happening]) -> Measured:
    latencies: list[float] = []
    events = iter(_library_events(story))
    began = time.perf_counter()
    while (sent := time.perf_counter()) - began < ROUND_S:
        application.save(next(events))
        latencies.append((time.perf_counter() - sent) * 1000)
    return Measured(len(latencies) / (time.perf_counter() - began), latencies)


def _library_events(story: Sequence[Happening]) -> list[Any]:
    """The story over and over as the library's events, each the first of a new stream."""
    happenings = islice(cycle(story), int(ROUND_S * RATE_MAX_ALONE))
    return list(library.events(happening._replace(stream_id=uuid4(), version=1) for happening in happenings))


def _middle(measured: Sequence[Measured]) -> Measured:
    return sorted(measured)[len(measured) // 2]


def _figures(what: str, measured: Measured) -> list[Figure]:
    return [
        Figure(what, measured.rate, "appends/s"),
        Figure(f"{what}: p50", percentile(measured.latencies_ms, 0.5), "ms"),
        Figure(f"{what}: p99", percentile(measured.latencies_ms, 0.99), "ms"),
    ]
