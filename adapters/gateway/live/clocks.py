"""The clocks of live sessions: ten minutes for who dropped, an hour without viewers (R3).

They go by times in the database, so that they run on while a process is down, and several processes may look at once:
the rules decide again whether it really is time, and a session ends only once.
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import structlog

from adapters.gateway.live.elsewhere import Elsewhere
from adapters.gateway.live.faults import log_fault
from adapters.gateway.live.socket import Surroundings
from hivesync_core.eventstore.errors import StoreBusy, StoreUnavailable, VersionConflict
from hivesync_core.kernel.ids import SYSTEM_ACTOR
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.live.commands import AWAY_MAX, UNWATCHED_MAX, EndAbandoned, EndUnwatched, LeaveSession, LiveCommand
from hivesync_core.live.decider import live
from hivesync_core.live.events import LeaveReason

BEAT_S: Final = 2.0
"""How often a process says that it is alive, and what was shown is stored."""

TURN_EVERY: Final = 5
"""Beats from one look at the clocks to the next."""

LOST_VIEWERS_MAX: Final = 500
"""Viewers that one turn counts as having left; the rest wait for the next."""

logger = structlog.get_logger(__name__)


class Clocks:
    """Keeps the beat of this process and ends what is over."""

    def __init__(self, around: Surroundings, elsewhere: Elsewhere) -> None:
        self._around, self._elsewhere = around, elsewhere

    async def run(self) -> None:
        """Go on for ever."""
        beats = 0
        while True:
            try:
                await self.beat()
                if beats % TURN_EVERY == 0:
                    await self.turn()
            except (StoreUnavailable, StoreBusy, VersionConflict) as error:
                logger.warning("live_clocks_wait_for_the_database", error=str(error))
            except Exception as error:  # noqa: BLE001 - logged, without what it says
                log_fault("live_clocks_failed", error)
            beats += 1
            await asyncio.sleep(BEAT_S)

    async def beat(self) -> None:
        """Say that this process is alive, store what was shown, and find out which hosts are elsewhere by now."""
        around = self._around
        await around.rows.beat(around.node, around.clock())
        await around.ledger.store()
        await self._elsewhere.compare_places()

    async def turn(self) -> None:
        """End the sessions that are over, and count as left whoever was away for too long."""
        around, at = self._around, self._around.clock()
        for session_id, started_at, host_seen_at, watched_at in await around.rows.running():
            if at - host_seen_at >= AWAY_MAX:
                await self._give(session_id, EndAbandoned(at=at, host_seen_at=host_seen_at))
            if at - (watched_at or started_at) >= UNWATCHED_MAX:
                await self._give(session_id, EndUnwatched(at=at, watched_at=watched_at))
        lost = await around.rows.lost_viewers(at, LOST_VIEWERS_MAX)
        for session_id, viewer_id in lost:
            await self._give(session_id, LeaveSession(viewer_id=viewer_id, reason=LeaveReason.TIMED_OUT))
        if lost:
            await around.rows.end_viewers([viewer_id for _, viewer_id in lost], at)
        await around.rows.delete_expired_invites(at)

    async def _give(self, session_id: UUID, command: LiveCommand) -> None:
        try:
            await self._around.log.execute(
                live,
                session_id,
                command,
                self._around.rooms.context(SYSTEM_ACTOR),
            )
        except Refusal as refusal:
            # A row whose session the log does not know: its start was never stored.
            logger.info("live_clock_passed_by", code=refusal.code)
