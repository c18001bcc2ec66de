"""The composition root: settings become objects, objects become a server with its roles."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import structlog

from adapters.ai.library import PromptLibrary
from adapters.blobs.keys import blob_key
from adapters.blobs.retention import BlobRetention
from adapters.blobs.store import BlobStore
from adapters.exports.storage import ExportFiles
from adapters.exports.worker import ExportWorker
from adapters.gateway.gateway import PATH, Gateway
from adapters.gateway.live.gateway import LIVE_PATH, LiveGateway
from adapters.gateway.live.metrics import offer_metrics as offer_live_metrics
from adapters.gateway.live.rows import LiveRows
from adapters.gateway.live.sessions import LiveSessions
from adapters.gateway.metrics import offer_metrics as offer_socket_metrics
from adapters.gateway.mount import Application, beside
from adapters.http.app import HiveSyncApp, create_app
from adapters.http.edge import Edge
from adapters.http.services import Services
from adapters.identity.identity import Identity
from adapters.identity.settings import MINUTE_S, Attempts, IdentitySettings
from adapters.ids import now, uuid7
from adapters.jobs.generation import Generation
from adapters.jobs.queue import new_queue
from adapters.jobs.worker import JobWorker
from adapters.observability.metrics import Metrics
from adapters.observability.readiness import Readiness
from adapters.observability.tracing import tracing
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.durability import NotDurable, check_durability
from adapters.postgres.reader import PostgresStreamReader
from adapters.postgres.schema import SchemaTooNew, create_schema
from adapters.proof.keeper import INTERVAL_S as CHECKPOINTS_EVERY_S
from adapters.proof.keeper import CheckpointKeeper
from adapters.proof.keys import installation_key
from adapters.replay.jobs import ReplayJobs
from adapters.replay.service import Replay
from adapters.reviewing.insertion import Inserter
from adapters.safety.checker import SafetyChecker
from adapters.worker.help_leases import HelpLeases
from adapters.worker.housekeeping import delete_old_idempotency_keys
from adapters.worker.periodic import Periodic
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.mapper import MsgspecMapper
from projections.engine.entries import Entry
from projections.engine.follower import LogFollower
from projections.engine.positions import Positions
from projections.engine.projector import Projector
from projections.engine.shared_reads import SharedReads
from projections.engine.tasks import end
from projections.history_file import HistoryKeeper
from projections.registry import READ_MODELS
from shared.settings import Settings

logger = structlog.get_logger(__name__)

RETRY_PAUSE_S = 0.5
LEASES_EVERY_S = 1.0
KEYS_EVERY_S = 300.0
EXPORTS_EVERY_S = 0.5
OLD_EXPORTS_EVERY_S = 3_600.0
OLD_BLOBS_EVERY_S = 3_600.0
LOST_JOBS_EVERY_S = 5.0

COLLECTED_AFTER = (50_000, 50, 1_000)
"""The thresholds of the collector once a process serves."""

NOT_YET = (psycopg.OperationalError, StoreUnavailable, OSError, TimeoutError)
"""What a start waits out: the database is not there yet."""

FATAL = (SchemaTooNew, NotDurable)
"""What no waiting heals: the process stops and says why."""


class Server:
    """One process: made by ``build``, alive between ``start`` and ``stop``."""

    def __init__(self, settings: Settings, identity: IdentitySettings | None = None) -> None:
        assert settings.database_url is not None, "the command has started the embedded PostgreSQL"
        self.settings = settings
        self.url = settings.database_url
        self.database = Database(self.url)
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid7().hex[-8:]}"
        self.tracing = tracing(settings, owner)
        self.appender = GroupCommit(self.database, self.tracing.commit)
        catalogue = the_catalogue()
        reader = PostgresStreamReader(self.database, catalogue)
        self.log = self.tracing.log(self.appender, reader, MsgspecMapper(catalogue), uuid7)
        self.positions = Positions()
        self.follower = LogFollower(self.database, catalogue, self.positions)
        self.follower.subscribe(self._forget, on_interruption=self.log.forget_all)
        self.projector = Projector(self.database, self.follower, self.positions, READ_MODELS, owner, self.tracing.batch)
        self.identity = Identity(self.database, self.log, identity or identity_settings(settings))
        self.gateway = Gateway(
            self.database,
            catalogue,
            self.follower,
            self.identity,
            public_url=settings.public_url,
            allowed_origins=settings.allowed_origins,
            around=self.tracing.batch,
        )
        self.live = LiveGateway(
            self.database,
            self.log,
            self.follower,
            self.identity,
            public_url=settings.public_url,
            allowed_origins=settings.allowed_origins,
            redis_url=settings.redis_url,
            clock=now,
        )
        self.sockets: dict[str, Application] = {PATH: self.gateway, LIVE_PATH: self.live}
        self.proof = CheckpointKeeper(self.database, installation_key(settings), Path(settings.data_dir))
        self.export_files = ExportFiles(Path(settings.exports_folder))
        self.exports = ExportWorker(self.database, self.log, self.export_files, settings, self.url)
        self.history_file = HistoryKeeper(self.database, self.follower, Path(settings.history_folder))
        self.metrics = Metrics()
        self.readiness = Readiness(self.database, frozenset(model.name for model in READ_MODELS))
        self.replay = Replay(self.database, self.log, catalogue, READ_MODELS, owner)
        self.replays = ReplayJobs(self.database, self.replay, self.url)
        self.blobs = BlobStore(self.database, lambda: blob_key(settings))
        self.retention = BlobRetention(self.blobs, self.log)
        self.jobs = new_queue(settings.redis_url, self.url)
        self.library = PromptLibrary(self.log, self.blobs)
        self.checker = SafetyChecker()
        self.generation = Generation(
            self.database, self.log, self.blobs, self.library, self.checker, settings.ai_api_key
        )
        self.worker = JobWorker(self.jobs, self.generation, self.log, self.database)
        self.services = Services(
            settings=settings,
            database=self.database,
            log=self.log,
            streams=reader,
            follower=self.follower,
            positions=self.positions,
            board_pages=SharedReads(),
            identity=self.identity,
            proof=self.proof,
            export_files=self.export_files,
            live=LiveSessions(self.log, LiveRows(self.database)),
            live_rows=LiveRows(self.database),
            replay=self.replay,
            replays=self.replays,
            blobs=self.blobs,
            retention=self.retention,
            jobs=self.jobs,
            library=self.library,
            checker=self.checker,
            inserter=Inserter(self.blobs, self.checker),
            readiness=self.readiness,
            metrics=self.metrics,
        )
        self.app: HiveSyncApp = create_app(self.services, lifespan=self._lifespan)
        self.asgi = Edge(
            self.tracing.requests(beside(self.app, self.sockets) if "gateway" in settings.roles else self.app),
            self.metrics,
            self.readiness,
            https=settings.public_url.startswith("https:"),
            access_log=settings.access_log,
        )
        self.failure: Exception | None = None
        self._when_failed: list[Callable[[], None]] = []
        self._when_serving: list[Callable[[], Awaitable[None]]] = []
        self._stops: list[Callable[[], Awaitable[Any]]] = []
        self._starting: asyncio.Task[None] | None = None
        self._offer_metrics()

    def when_serving(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call ``callback`` once everything is started."""
        self._when_serving.append(callback)

    def when_failed(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` when the server cannot start at all; ``failure`` says why."""
        self._when_failed.append(callback)

    async def start(self) -> None:
        """Bring everything up, waiting for a database that is not there yet; raises one of ``FATAL``."""
        while True:
            try:
                await self._bring_up()
                break
            except NOT_YET as error:
                logger.warning("start_waits_for_the_database", error=error)
                self.readiness.step = "waiting for the database"
                await self._take_down()
                await asyncio.sleep(RETRY_PAUSE_S)
        settle_memory()
        self.readiness.phase = "serving"
        for callback in self._when_serving:
            await callback()

    async def stop(self) -> None:
        """Take everything down; what was acknowledged is stored."""
        self.readiness.phase = "stopping"
        await end(self._starting)
        await self._take_down()
        await self.tracing.stop()

    async def _bring_up(self) -> None:
        self.readiness.step = "making the schema"
        await asyncio.to_thread(create_schema, self.url)
        await asyncio.to_thread(check_durability, self.url)
        self.readiness.step = "connecting"
        await self._started(self.database.open(), self.database.close)
        await self._started(self.appender.start(), self.appender.stop)
        await self._started(self.follower.start(), self.follower.stop)
        await self._started(self.identity.start(), self.identity.stop)
        if "projector" in self.settings.roles:
            await self.projector.prepare(self._tell_step)
            await self._started(self.projector.start(), self.projector.stop)
            await self._started(self.history_file.start(), self.history_file.stop)
        self._stops.append(self.replays.stop)
        await self._started(self.jobs.connect(), self.jobs.disconnect)
        self._stops.append(self.checker.close)
        if "gateway" in self.settings.roles:
            await self._started(self.gateway.start(), self.gateway.stop)
            await self._started(self.live.start(), self.live.stop)
        if "worker" in self.settings.roles:
            self._stops.append(self.exports.stop)
            await self._started(self.worker.start(), self.worker.stop)
            for work in self._work():
                work.start()
                self._stops.append(work.stop)

    async def _started(self, starting: Awaitable[Any], stop: Callable[[], Awaitable[Any]]) -> None:
        self._stops.append(stop)
        await starting

    def _tell_step(self, step: str) -> None:
        self.readiness.step = step

    async def _take_down(self) -> None:
        while self._stops:
            try:
                await self._stops.pop()()
            except Exception:
                logger.exception("a part did not stop cleanly")

    def _work(self) -> Sequence[Periodic]:
        leases = HelpLeases(self.log, self.database, now, uuid7)
        return (
            Periodic("help leases", LEASES_EVERY_S, leases.expire),
            Periodic("idempotency keys", KEYS_EVERY_S, self._delete_old_keys),
            Periodic("exports", EXPORTS_EVERY_S, self.exports.turn),
            Periodic("old exports", OLD_EXPORTS_EVERY_S, self.exports.expire),
            Periodic("lost jobs", LOST_JOBS_EVERY_S, self.worker.reconcile),
            Periodic("old blobs", OLD_BLOBS_EVERY_S, self.retention.run),
            Periodic("checkpoints", CHECKPOINTS_EVERY_S, self.proof.keep_signing),
        )

    async def _delete_old_keys(self) -> None:
        await delete_old_idempotency_keys(self.database)

    def _forget(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self.log.forget(entry.recorded.stream_id, entry.recorded.version)

    @contextlib.asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        """Starts in the background, so that the port answers at once and ``/ready`` says what the start waits for."""
        self._starting = asyncio.create_task(self._start_or_fail(), name="start")
        try:
            yield
        finally:
            await self.stop()

    async def _start_or_fail(self) -> None:
        try:
            await self.start()
        except Exception as error:
            if not isinstance(error, FATAL):
                logger.exception("start_failed")
            self.failure = error
            self.readiness.phase, self.readiness.step = "failed", "the start failed; the log says why"
            for callback in self._when_failed:
                callback()

    def _offer_metrics(self) -> None:
        metrics, appender, follower, told = self.metrics, self.appender, self.follower, self.projector.told
        metrics.gauge("hivesync_append_queue", "Commands that wait to be stored.", lambda: appender.waiting)
        metrics.counter("hivesync_appends", "Commands that were stored.", lambda: appender.commands)
        metrics.counter("hivesync_append_batches", "Transactions that stored them.", lambda: appender.batches)
        metrics.gauge("hivesync_log_position", "Last position of the log that was seen.", lambda: follower.head)
        metrics.counter("hivesync_log_reconnects", "Times that the log was lost sight of.", lambda: follower.reconnects)
        metrics.gauge(
            "hivesync_log_rewritten", "1 when the log is not what was signed.", lambda: bool(self.proof.alarm)
        )
        metrics.counter("hivesync_checkpoints", "Checkpoints that were signed.", lambda: self.proof.signed)
        metrics.gauge("hivesync_projection_lag", "Events that a read model is behind.", self._lag)
        metrics.counter("hivesync_projection_events", "Events projected.", lambda: told("events"))
        metrics.counter(
            "hivesync_ai_generations", "Files that a model was asked about.", lambda: self.generation.generations
        )
        metrics.counter("hivesync_ai_tries", "Requests to the AI provider.", lambda: self.generation.tries)
        metrics.counter("hivesync_jobs_made_again", "Jobs that the queue had lost.", lambda: self.worker.resubmitted)
        metrics.counter("hivesync_projection_restarts", "Restarts.", lambda: told("restarts"))
        metrics.gauge("hivesync_projection_parked", "Streams that wait for a retry or a skip.", lambda: told("parked"))
        metrics.counter("hivesync_projection_busy_seconds", "Time spent on batches.", lambda: told("busy_s"))
        metrics.gauge(
            "hivesync_history_file_position", "Last position in history.jsonl.", lambda: self.history_file.position
        )
        metrics.gauge(
            "hivesync_history_file_stuck", "1 when it cannot be written.", lambda: bool(self.history_file.problem)
        )
        if self.settings.traces_url is not None:
            metrics.counter(
                "hivesync_trace_spans", "Spans sent, and lost for want of a collector.", self.tracing.figures
            )
        if "gateway" in self.settings.roles:
            offer_socket_metrics(metrics, self.gateway, lambda: follower.head)
            offer_live_metrics(metrics, self.live)

    def _lag(self) -> dict[str, float]:
        return {m.name: max(0, self.follower.head - self.positions.reached(m.name)) for m in READ_MODELS}


def settle_memory() -> None:
    """Take what the start has made out of the collector's sight, and let it look more rarely.

    Otherwise it goes through everything that was ever imported every few hundred requests, which costs a quarter of the
    server's time and makes the slowest requests slow. Once a process is enough.
    """
    if gc.get_threshold() != COLLECTED_AFTER:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTED_AFTER)


def build(settings: Settings, identity: IdentitySettings | None = None) -> Server:
    """The server of a process, with nothing started yet; ``identity`` stands in for what the settings would say."""
    return Server(settings, identity)


def identity_settings(settings: Settings) -> IdentitySettings:
    """What accounts and access take from the settings."""
    return IdentitySettings(
        public_url=settings.public_url,
        redis_url=settings.redis_url,
        trusted_proxies=settings.trusted_proxies,
        requests_by_account=Attempts(settings.requests_per_minute, MINUTE_S),
        requests_by_ip=Attempts(settings.anonymous_requests_per_minute, MINUTE_S),
    )
