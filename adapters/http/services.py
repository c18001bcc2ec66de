"""What the handlers call: the parts that the composition root has put together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.http.limits import IMPORTS_AT_ONCE

if TYPE_CHECKING:
    from saq.queue import Queue

    from adapters.ai.library import PromptLibrary
    from adapters.blobs.retention import BlobRetention
    from adapters.blobs.store import BlobStore
    from adapters.exports.storage import ExportFiles
    from adapters.gateway.live.rows import LiveRows
    from adapters.gateway.live.sessions import LiveSessions
    from adapters.identity.identity import Identity
    from adapters.observability.metrics import Metrics
    from adapters.observability.readiness import Readiness
    from adapters.postgres.connections import Database
    from adapters.proof.keeper import CheckpointKeeper
    from adapters.replay.jobs import ReplayJobs
    from adapters.replay.service import Replay
    from adapters.reviewing.insertion import Inserter
    from adapters.safety.checker import SafetyChecker
    from hivesync_core.eventstore.log import Log
    from hivesync_core.eventstore.ports import StreamReader
    from projections.engine.follower import LogFollower
    from projections.engine.positions import Positions
    from projections.engine.shared_reads import SharedReads
    from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """One of everything; ``request.services`` in a handler."""

    settings: Settings
    database: Database
    log: Log
    streams: StreamReader
    follower: LogFollower
    positions: Positions
    board_pages: SharedReads
    identity: Identity
    proof: CheckpointKeeper
    export_files: ExportFiles
    live: LiveSessions
    live_rows: LiveRows
    replay: Replay
    replays: ReplayJobs
    blobs: BlobStore
    retention: BlobRetention
    jobs: Queue
    library: PromptLibrary
    checker: SafetyChecker
    inserter: Inserter
    readiness: Readiness
    metrics: Metrics
    import_turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IMPORTS_AT_ONCE))
    """Imports that this process runs at the same time; further ones wait for their turn."""
