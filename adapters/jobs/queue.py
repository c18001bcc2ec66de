"""The queue of jobs: SAQ on Redis where there is one, else on PostgreSQL. It carries ids, and may be lost at any time."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final
from uuid import UUID

import psycopg
import redis.exceptions
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import PoolTimeout
from redis import asyncio as aioredis
from saq.job import ACTIVE_STATUSES, Job
from saq.queue import Queue
from saq.queue.postgres import PostgresQueue
from saq.queue.redis import RedisQueue

from adapters.postgres.connections import Pool, app_conninfo

logger = logging.getLogger(__name__)

NAME: Final = "hivesync"
GENERATE: Final = "generate"
"""The job that has a model asked for comments on the file of one review."""

TIMEOUT_S: Final = 7_200
"""No job takes longer: a few tries of the longest time-out that the settings allow end before."""

HEARTBEAT_S: Final = 10
"""A job whose worker is silent for so long is taken for dead and begun again; a living one tells every few seconds."""

RETRIES: Final = 20
"""How often the queue itself begins a job again whose worker died. The review counts for itself, and gives up sooner."""

ANSWER_WAIT_S: Final = 5.0
POOL_SIZE_MIN: Final = 1
POOL_SIZE_MAX: Final = 4
DEQUEUE_WAIT_S: Final = 2.0
POLL_S: Final = 0.5
"""How often PostgreSQL is looked at for a job; SAQ's own LISTEN does not come back after a broken connection."""

PAUSE_S: Final = 1.0
"""How long a worker waits before it asks a queue again that is away."""

ABORT_WAIT_S: Final = 0.2

QUEUE_AWAY: Final = (
    redis.exceptions.RedisError,
    psycopg.Error,
    PoolTimeout,
    OSError,
    TimeoutError,
)
"""What is raised when the queue cannot be asked."""


class _Patient:
    """SAQ's worker asks again at once when its queue fails, as fast as it can; this one waits."""

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> Job | None:
        """The next job, none where there is none in time or the queue is away."""
        try:
            job: Job | None = await super().dequeue(timeout, poll_interval)  # type: ignore[misc]
            return job
        except QUEUE_AWAY as error:
            logger.warning("the queue of jobs does not answer: %s", type(error).__name__)
            await asyncio.sleep(PAUSE_S)
            return None

    async def sweep(self, lock: int = 60, abort: float = 0.0) -> list[str]:
        """Begin jobs again whose worker is silent. It is not waited for: a dead one never says that it has stopped."""
        swept: list[str] = await super().sweep(lock, ABORT_WAIT_S)  # type: ignore[misc]
        return swept


class _OnRedis(_Patient, RedisQueue):
    pass


class _OnPostgres(_Patient, PostgresQueue):
    pool: Any

    def __init__(self, database_url: str) -> None:
        pool: Any = Pool(_conninfo(database_url), min_size=POOL_SIZE_MIN, max_size=POOL_SIZE_MAX, timeout=ANSWER_WAIT_S)
        super().__init__(pool, name=NAME, min_size=POOL_SIZE_MIN, max_size=POOL_SIZE_MAX, manage_pool_lifecycle=True)

    async def connect(self) -> None:
        """Connect, also again after ``disconnect``."""
        self.pool = self.pool.to_open()
        await super().connect()

    async def init_db(self) -> None:
        """Nothing: the schema files have made its tables, which the server's own role may not."""


def new_queue(redis_url: str | None, database_url: str) -> Queue:
    """The queue of an installation; ``connect`` before it is used, ``disconnect`` after."""
    if redis_url is not None:
        client: Any = aioredis.from_url(
            redis_url, socket_timeout=ANSWER_WAIT_S, socket_connect_timeout=ANSWER_WAIT_S, health_check_interval=15
        )
        return _OnRedis(client, name=NAME)
    return _OnPostgres(database_url)


def _conninfo(database_url: str) -> str:
    """Connections whose tables are those of the schema ``jobs``: SAQ names its own without one."""
    given = conninfo_to_dict(app_conninfo(database_url, application_name="hivesync-jobs"))
    return make_conninfo("", **{**given, "options": f"{given['options']} -c search_path=jobs"})


def key_of(review_id: UUID) -> str:
    """The key of a review's job: it is in the queue at most once. Keys of SAQ are unique over all queues."""
    return f"review:{review_id}"


async def submit(queue: Queue, review_id: UUID) -> None:
    """Put a review's job into the queue, where it is not yet; raises one of ``QUEUE_AWAY``."""
    async with asyncio.timeout(ANSWER_WAIT_S):
        await queue.enqueue(
            Job(
                function=GENERATE,
                kwargs={"review_id": str(review_id)},
                key=key_of(review_id),
                timeout=TIMEOUT_S,
                heartbeat=HEARTBEAT_S,
                retries=RETRIES,
                retry_delay=1.0,
                retry_backoff=30.0,
                # Kept no longer than it takes: the queue is not where anybody looks up what became of it.
                ttl=-1,
            )
        )


async def is_queued(queue: Queue, review_id: UUID) -> bool:
    """Whether the review's job waits or is worked on; raises one of ``QUEUE_AWAY``."""
    async with asyncio.timeout(ANSWER_WAIT_S):
        job = await queue.job(key_of(review_id))
        return job is not None and job.status in ACTIVE_STATUSES


async def abort(queue: Queue, review_id: UUID) -> None:
    """Have the review's job ended, wherever it is worked on; raises one of ``QUEUE_AWAY``."""
    async with asyncio.timeout(ANSWER_WAIT_S):
        job = await queue.job(key_of(review_id))
        if job is not None:
            await queue.abort(job, "cancelled")
