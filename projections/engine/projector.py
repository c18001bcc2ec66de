"""The supervised projector: brings every read model up to the log and keeps it there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.patience import within
from projections.engine.build import Build
from projections.engine.entries import LogDatabase
from projections.engine.follower import LogFollower
from projections.engine.lease import LIVE_BUILD, RENEW_S, LeaseLost
from projections.engine.positions import Positions
from projections.engine.preparation import prepare
from projections.engine.readmodel import ReadModel
from projections.engine.tasks import end
from projections.engine.tracing import AroundBatch, untraced

logger = logging.getLogger(__name__)

BATCH_EVENTS_MAX = 2_000
HELD_ROWS_MAX = 1_000
"""Rows of each table that stay in memory, because what has just changed often changes again."""

STEP_BACK_S = 0.025
"""How long a batch that changes no row waits, so that those of other read models that do are written first."""

GATHER_S = 0.05
GATHER_TIMES = 8
GATHER_FROM = 8
"""Where so many events came while a batch was written, the next one waits for more of them: so many times as long as
the last one took, at most ``GATHER_S``. A transaction costs the same for one event as for many, and takes its time from
the commands that are given meanwhile."""

RETRY_PAUSE_S = 0.5
TAKEOVER_PAUSE_S = 1.0
BATCH_WAIT_S = 120.0
EXCHANGE_WAIT_S = 4.0
"""How long the database may take for one statement of a batch: a connection that was lost without a word is found out."""


@dataclass
class Figures:
    """What is told of one projection in this process."""

    works: bool = False
    """Whether this process holds the lease; another does otherwise."""

    events: int = 0
    batches: int = 0
    restarts: int = 0
    parked: int = 0
    """Streams that wait for a retry or a skip."""

    busy_s: float = 0.0
    """Time spent on batches: events over it is the rate."""


class Projector:
    """Runs each read model in a task of its own: lease, batch, position; again after any failure.

    Several processes may run it: the lease gives each projection to one of them, and the fence in it keeps a process
    that slept through its lease from writing. Batches hold what has arrived: one event when idle, thousands when
    catching up.
    """

    def __init__(
        self,
        database: LogDatabase,
        follower: LogFollower,
        positions: Positions,
        models: Sequence[ReadModel],
        owner: str,
        around: AroundBatch = untraced,
    ) -> None:
        self._database = database
        self._follower = follower
        self._positions = positions
        self._models = tuple(models)
        self._owner = owner
        self._around = around
        self._tasks: list[asyncio.Task[None]] = []
        self.figures: dict[str, Figures] = {model.name: Figures() for model in models}

    def told(self, figure: str) -> dict[str, float]:
        """One of the ``Figures`` by projection."""
        return {name: float(getattr(figures, figure)) for name, figures in self.figures.items()}

    async def prepare(self, on_step: Callable[[str], None] = lambda step: None) -> None:
        """Make the tables of read models that are new here, rebuild those of another version, try again what is parked.

        ``on_step`` hears what it is busy with. Raises ``StoreUnavailable``; to be called again then.
        """
        await prepare(self._database, self._follower.reader, self._models, self._owner, on_step)

    async def start(self) -> None:
        """Begin to project."""
        self._tasks = [
            asyncio.create_task(self._supervise(model), name=f"project-{model.name}") for model in self._models
        ]

    async def stop(self) -> None:
        """Stop; what the batches in hand have not committed is projected again by whoever comes next."""
        await end(*self._tasks)
        self._tasks = []

    async def _supervise(self, model: ReadModel) -> None:
        figures = self.figures[model.name]
        while True:
            pause = RETRY_PAUSE_S
            try:
                async with self._database.direct(
                    f"hivesync-project-{model.name}", patience_s=EXCHANGE_WAIT_S
                ) as connection:
                    await self._work(connection, model)
            except LeaseLost as error:
                # Whoever swapped the tables or retried a stream has taken the lease away to be heard, and is done.
                logger.info("%s", error)
                pause = 0
            except (psycopg.Error, StoreUnavailable, OSError, TimeoutError) as error:
                logger.warning("projection %s interrupted: %s", model.name, error)
            except Exception:
                logger.exception("projection %s failed; it starts again", model.name)
            figures.works = False
            figures.restarts += 1
            await asyncio.sleep(pause)

    async def _work(self, connection: psycopg.AsyncConnection[tuple[object, ...]], model: ReadModel) -> None:
        build = Build(connection, model, LIVE_BUILD, self._follower.reader.catalogue, held_max=HELD_ROWS_MAX)
        while not await build.take(self._owner):
            await asyncio.sleep(TAKEOVER_PAUSE_S)
        try:
            await self._project(build, model)
        finally:
            with contextlib.suppress(psycopg.Error, OSError):
                await build.release()

    async def _project(self, build: Build, model: ReadModel) -> None:
        figures = self.figures[model.name]
        figures.works = True
        self._positions.advance(model.name, build.progress.position)
        while True:
            figures.parked = build.parked
            if not await self._follower.wait_beyond(build.progress.position, RENEW_S):
                await build.lease.renew(self._database)
                continue
            entries = await self._follower.read(build.progress.position, BATCH_EVENTS_MAX)
            if not build.concerns(entries):
                await self._positions.unless_asked_for(model.name, STEP_BACK_S)
                entries = await self._follower.read(build.progress.position, BATCH_EVENTS_MAX)
            if not entries:
                raise StoreUnavailable(f"the log ends before position {self._follower.head}, which was seen")
            began = time.perf_counter()
            with self._around(f"project {model.name}", entries), within(BATCH_WAIT_S):
                await build.process(entries)
            self._positions.advance(model.name, build.progress.position)
            took_s = time.perf_counter() - began
            figures.busy_s += took_s
            figures.events += len(entries)
            figures.batches += 1
            if GATHER_FROM <= self._follower.head - build.progress.position < BATCH_EVENTS_MAX:
                await self._positions.unless_asked_for(model.name, min(GATHER_S, GATHER_TIMES * took_s))
