"""The worker of a process: takes jobs from the queue, and makes those again that the queue has lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Final
from uuid import UUID

import structlog
from saq.queue import Queue
from saq.worker import Worker

from adapters.jobs.generation import Generation
from adapters.jobs.queue import (
    DEQUEUE_WAIT_S,
    GENERATE,
    PAUSE_S,
    POLL_S,
    QUEUE_AWAY,
    is_queued,
    submit,
)
from adapters.postgres.connections import Database
from hivesync_core.eventstore.errors import StoreError
from hivesync_core.eventstore.log import Log
from hivesync_core.reviews.decider import review
from projections.reviews.queries import running_reviews

logger = structlog.get_logger(__name__)

JOBS_AT_ONCE: Final = 4
BEAT_EVERY_S: Final = 2.0
STOP_WAIT_S: Final = 2
RUNNING_LOOKED_AT: Final = 500

logging.getLogger("saq").setLevel(logging.WARNING)


class JobBroken(Exception):
    """A job has to be done again; the queue keeps the text of what it is told, so it says no more than the kind."""


class _Worker(Worker[Any]):
    """SAQ's worker, which would take the server's signals and give up a turn for good when its queue is away."""

    SIGNALS: list[Any] = []  # noqa: RUF012 - as the base class has it

    async def process(self) -> bool:
        """One job; a queue that went away in the middle of it has the job made again by whoever looks next."""
        try:
            return await super().process()
        except QUEUE_AWAY as error:
            logger.warning("queue_away", error_type=type(error).__name__)
            await asyncio.sleep(PAUSE_S)
            return False


class JobWorker:
    """Runs while the process has the role ``worker``."""

    def __init__(self, queue: Queue, generation: Generation, log: Log, database: Database) -> None:
        self._queue, self._generation, self._log, self._database = queue, generation, log, database
        self._worker: _Worker | None = None
        self._task: asyncio.Task[None] | None = None
        self.resubmitted = 0

    async def start(self) -> None:
        """Begin to take jobs."""
        self._worker = _Worker(
            self._queue,
            [(GENERATE, self._generate)],
            concurrency=JOBS_AT_ONCE,
            dequeue_timeout=DEQUEUE_WAIT_S,
            poll_interval=POLL_S,
            shutdown_grace_period_s=0,
            cancellation_hard_deadline_s=STOP_WAIT_S,
            timers={"schedule": 1, "worker_info": 30, "sweep": 3, "abort": 1},
        )
        self._task = asyncio.create_task(self._worker.start(), name="jobs")

    async def stop(self) -> None:
        """Give back what is being worked on; another worker, or the next start, takes it up."""
        if self._worker is not None:
            self._worker.event.set()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError, *QUEUE_AWAY):
                await self._task

    async def reconcile(self) -> None:
        """Put jobs of reviews that have not ended into the queue where they are missing: it was lost, or never told."""
        for review_id in await running_reviews(self._database, RUNNING_LOOKED_AT):
            try:
                if await is_queued(self._queue, review_id):
                    continue
                # By the log itself: the read model may be behind, and the job may have ended just now.
                if (await self._log.state(review, review_id, fresh=True)).state.is_running:
                    await submit(self._queue, review_id)
                    self.resubmitted += 1
            except QUEUE_AWAY as error:
                logger.warning("queue_away", error_type=type(error).__name__)
                return

    async def _generate(self, context: dict[str, Any], *, review_id: str) -> None:
        job = context["job"]

        async def beat() -> None:
            while True:
                await asyncio.sleep(BEAT_EVERY_S)
                with contextlib.suppress(*QUEUE_AWAY):
                    await job.update()

        beating = asyncio.create_task(beat(), name="job-beat")
        try:
            await self._generation.run(UUID(review_id))
        except StoreError as error:
            raise JobBroken(type(error).__name__) from None
        finally:
            beating.cancel()
