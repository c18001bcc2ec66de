"""What has to be done again and again: write last uses, settle what a dead process left, delete what has expired."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import structlog

from adapters.identity.directory import Directory
from adapters.identity.password_policy import common_passwords
from adapters.identity.verification import TokenVerifier
from adapters.postgres.connections import Database
from hivesync_core.eventstore.errors import StoreError
from projections.engine.tasks import end

logger = structlog.get_logger(__name__)

ROUND_S = 5.0
CLEANING_EVERY_S = 60.0
DELETED_AT_ONCE_MAX = 1_000

_EXPIRED: tuple[tuple[str, str, str], ...] = (
    ("access_tokens", "token_hash", "expires_at < clock_timestamp()"),
    ("sessions", "session_id", "expires_at < clock_timestamp()"),
    ("socket_tickets", "ticket_hash", "expires_at < clock_timestamp()"),
    ("browser_sessions", "cookie_hash", "expires_at < clock_timestamp()"),
    ("invitations", "invitation_id", "expires_at < clock_timestamp()"),
    # A used code that comes back must be known for what it is, and a device is told that its code has expired.
    ("authorization_codes", "code_hash", "expires_at < clock_timestamp() - interval '1 hour'"),
    ("device_codes", "device_hash", "expires_at < clock_timestamp() - interval '1 hour'"),
)


class Upkeep:
    """A background task of each process; several at once do no harm."""

    def __init__(self, database: Database, directory: Directory, verifier: TokenVerifier) -> None:
        self._database, self._directory, self._verifier = database, directory, verifier
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._run(), name="identity upkeep")

    async def stop(self) -> None:
        """End, and write the last uses that were not written yet."""
        await end(self._task)
        with suppress(StoreError):
            await self._verifier.write_last_uses()

    async def clean(self) -> None:
        """Settle leftovers and delete what has expired, a bounded number of rows a table."""
        await self._directory.settle_leftovers()
        for table, key, condition in _EXPIRED:
            await self._database.execute(
                f"DELETE FROM identity.{table} WHERE {key} IN "
                f"(SELECT {key} FROM identity.{table} WHERE {condition} LIMIT {DELETED_AT_ONCE_MAX})"
            )

    async def _run(self) -> None:
        # Some tenths of a second the first time: in a thread now, not on the event loop when the first person comes.
        await asyncio.to_thread(common_passwords)
        cleaned_at = float("-inf")
        while True:
            try:
                await self._verifier.write_last_uses()
                if time.monotonic() - cleaned_at >= CLEANING_EVERY_S:
                    await self.clean()
                    cleaned_at = time.monotonic()
            except StoreError as error:
                logger.warning("identity_upkeep_delayed", error=str(error))
            except Exception:
                logger.exception("identity_upkeep_failed")
            await asyncio.sleep(ROUND_S)
