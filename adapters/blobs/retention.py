"""Drops what is older than the settings say that it is kept (ADMIN-2), and says beforehand what that would be."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from adapters.blobs.store import EXPIRED_AT_ONCE, BlobStore, Expired, Kind
from adapters.ids import now
from hivesync_core.eventstore.log import Log
from hivesync_core.settings.decider import SETTINGS_ID, Retention, ServerSettings, settings

logger = structlog.get_logger(__name__)


class BlobRetention:
    """Any number of processes may run it: what one has dropped is not there for the other."""

    def __init__(self, blobs: BlobStore, log: Log) -> None:
        self._blobs, self._log = blobs, log

    async def due(self, retention: Retention | None = None) -> dict[Kind, Expired]:
        """What would be dropped now, by the settings or by others that somebody thinks about."""
        moments = _moments(retention or await self._settings())
        return {kind: await self._blobs.expired(kind, before) for kind, before in moments.items()}

    async def drop(self) -> dict[Kind, int]:
        """Drop what is due; how many blobs of each kind."""
        dropped: dict[Kind, int] = {}
        for kind, before in _moments(await self._settings()).items():
            dropped[kind] = 0
            while count := await self._blobs.drop(kind, before):
                dropped[kind] += count
                if count < EXPIRED_AT_ONCE:
                    break
        if any(dropped.values()):
            logger.info("blobs_dropped", **dropped)
        return dropped

    async def run(self) -> None:
        """One turn."""
        await self.drop()

    async def _settings(self) -> Retention:
        stored: ServerSettings = (await self._log.state(settings, SETTINGS_ID, fresh=True)).state
        return stored.retention


def _moments(retention: Retention) -> dict[Kind, datetime]:
    at = now()
    return {
        "source": at - timedelta(days=retention.source_days),
        "words": at - timedelta(days=retention.comment_days),
    }
