"""Replays as jobs of the admin API: begun here, seen and cancelled from every node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID

import msgspec

from adapters.ids import uuid7
from adapters.postgres.connections import Database
from adapters.replay.messages import Order, Told
from adapters.replay.runner import run_replay
from adapters.replay.service import Replay, ReplayBusy, ToNotMeant
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.kernel.refusal import Conflict, NotFound
from projections.engine.tasks import end
from shared.api.replay import Replayed, ReplayProgress, ReplayRequest, ShownReplay

logger = logging.getLogger(__name__)

SAID_EVERY_S = 1.0
SILENT_S = 15
"""After so long without a word the process that ran a replay is taken for dead, and the replay for interrupted."""

REPLAYS_MAX = 50
"""Replays that one list names."""

CAUSE_CHARS_MAX = 2_000

_COLUMNS = (
    "replay_id, mode, projections, up_to, "
    f"CASE WHEN status = 'running' AND heard_at < clock_timestamp() - interval '{SILENT_S} s' "
    "THEN 'interrupted' ELSE status END, requested_by, requested_at, ended_at, progress, results, cause"
)
_BEGIN = f"""
    INSERT INTO ops.replays (replay_id, mode, projections, up_to, requested_by) VALUES (%s, %s, %s, %s, %s)
    RETURNING {_COLUMNS}
"""
_FIND = f"SELECT {_COLUMNS} FROM ops.replays WHERE replay_id = %s"
_LATEST = f"SELECT {_COLUMNS} FROM ops.replays ORDER BY requested_at DESC, replay_id DESC LIMIT %s"
_SAY = """
    UPDATE ops.replays SET heard_at = clock_timestamp(), progress = %s, results = %s
    WHERE replay_id = %s AND status = 'running' RETURNING status
"""
_END = """
    UPDATE ops.replays SET heard_at = clock_timestamp(), ended_at = clock_timestamp(), status = %s, progress = NULL,
        results = %s, cause = %s
    WHERE replay_id = %s AND status = 'running'
"""
_CANCEL = f"""
    UPDATE ops.replays SET status = 'cancelled', ended_at = clock_timestamp(), progress = NULL
    WHERE replay_id = %s AND status = 'running' RETURNING {_COLUMNS}
"""


class ReplayUnknown(NotFound):
    """There is no such replay."""

    code = "replay.unknown"
    title = "There is no such replay"


class ReplayEnded(Conflict):
    """The replay has ended; the facts name its status."""

    code = "replay.ended"
    title = "The replay has ended already"


class ReplayJobs:
    """Begins replays in processes of their own, one at a time, and keeps what they tell where every node can read it.

    One that was interrupted, by a cancellation or a crash, goes on where it stood when it is asked for again.
    """

    def __init__(self, database: Database, replay: Replay, url: str) -> None:
        self._database = database
        self._replay = replay
        self._url = url
        self._running: asyncio.Task[None] | None = None

    async def begin(self, wanted: ReplayRequest, by: UUID) -> ShownReplay:
        """Begin a replay.

        Raises ``ProjectionUnknown``, ``MomentUnknown``, ``NoMoment``, ``ToNotMeant``, ``ReplayBusy`` and
        ``StoreUnavailable``.
        """
        names = self._replay.names if wanted.projection is None else [self._replay.model(wanted.projection).name]
        if wanted.to is not None:
            if wanted.mode != "rebuild":
                raise ToNotMeant
            await self._replay.position_of(wanted.to)
        if self._running is not None and not self._running.done():
            raise ReplayBusy("this process replays already; wait for it, or cancel it")
        replay_id = uuid7()
        row = await self._database.fetch_one(_BEGIN, (replay_id, wanted.mode, names, wanted.to, by))
        assert row is not None, "what was inserted is returned"
        order = Order(url=self._url, mode=wanted.mode, projections=tuple(names), to=wanted.to, by=by)
        self._running = asyncio.create_task(self._run(replay_id, order), name=f"replay-{replay_id}")
        return _shown(row)

    async def find(self, replay_id: UUID) -> ShownReplay:
        """One replay; raises ``ReplayUnknown``."""
        row = await self._database.fetch_one(_FIND, (replay_id,))
        if row is None:
            raise ReplayUnknown
        return _shown(row)

    async def latest(self) -> list[ShownReplay]:
        """The latest replays, the newest first."""
        return [_shown(row) for row in await self._database.fetch_all(_LATEST, (REPLAYS_MAX,))]

    async def cancel(self, replay_id: UUID) -> ShownReplay:
        """End a replay; whichever node runs it hears within ``SAID_EVERY_S``. Raises ``ReplayEnded``."""
        row = await self._database.fetch_one(_CANCEL, (replay_id,))
        if row is None:
            found = await self.find(replay_id)
            raise ReplayEnded(f"It is {found.status}.", status=found.status)
        return _shown(row)

    async def stop(self) -> None:
        """End what runs here; it is shown as interrupted, and goes on where it stood when it is asked for again."""
        await end(self._running)

    async def _run(self, replay_id: UUID, order: Order) -> None:
        heard = _Heard()
        saying = asyncio.create_task(self._say(replay_id, heard), name=f"say-{replay_id}")
        hearing = asyncio.create_task(heard.all_of(order), name=f"hear-{replay_id}")
        try:
            await asyncio.wait((saying, hearing), return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                hearing.result()
                status = "completed" if heard.failure is None else "failed"
                await self._end(replay_id, status, heard)
        except Exception as error:
            logger.exception("replay %s failed", replay_id)
            heard.failure = f"{type(error).__name__}: {error}"
            await self._end(replay_id, "failed", heard)
        finally:
            await end(saying, hearing)

    async def _say(self, replay_id: UUID, heard: _Heard) -> None:
        """Keep what was heard where others see it; returns when the replay was cancelled."""
        while True:
            await asyncio.sleep(SAID_EVERY_S)
            with contextlib.suppress(StoreUnavailable):
                if not await self._database.fetch_all(_SAY, (heard.encoded_progress, heard.encoded_results, replay_id)):
                    return

    async def _end(self, replay_id: UUID, status: str, heard: _Heard) -> None:
        cause = None if heard.failure is None else heard.failure[:CAUSE_CHARS_MAX]
        try:
            await self._database.execute(_END, (status, heard.encoded_results, cause, replay_id))
        except StoreUnavailable as error:
            logger.warning("that replay %s is %s could not be noted: %s", replay_id, status, error)


class _Heard:
    """What the process has told so far."""

    def __init__(self) -> None:
        self.progress: ReplayProgress | None = None
        self.results: list[Replayed] = []
        self.failure: str | None = None

    async def all_of(self, order: Order) -> None:
        """Run the process, and hear it to its end."""
        async with aclosing(run_replay(order)) as telling:
            async for told in telling:
                self.take(told)

    def take(self, told: Told) -> None:
        """Remember it."""
        self.progress = told.progress or self.progress
        if told.result is not None:
            self.results.append(told.result)
        self.failure = told.failure or self.failure

    @property
    def encoded_progress(self) -> str | None:
        """The progress as it is kept."""
        return None if self.progress is None else msgspec.json.encode(self.progress).decode()

    @property
    def encoded_results(self) -> str:
        """The results as they are kept."""
        return msgspec.json.encode(self.results).decode()


def _shown(row: Sequence[Any]) -> ShownReplay:
    replay_id, mode, projections, to, status, by, requested_at, ended_at, progress, results, cause = row
    return ShownReplay(
        replay_id=replay_id,
        mode=mode,
        projections=projections,
        to=to,
        status=status,
        requested_by=by,
        requested_at=requested_at,
        ended_at=ended_at,
        progress=None if progress is None else msgspec.json.decode(progress, type=ReplayProgress),
        results=msgspec.json.decode(results, type=list[Replayed]),
        cause=cause,
    )
