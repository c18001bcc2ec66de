"""Whether this server can do its work now: the phases of its start, the database, and how far read models are behind."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import msgspec

from adapters.postgres.connections import Database
from hivesync_core.eventstore.errors import StoreUnavailable

Phase = Literal["starting", "serving", "stopping", "failed"]

READY_WAIT_S = 3.0
"""How long the database may take to answer; a monitor that waits five seconds hears the cause."""

CAUGHT_UP_EVENTS = 1_000
"""A read model this close behind the log counts as caught up: under load it is never at the very head."""

_PROGRESS = """
    SELECT (SELECT coalesce(max(notification_id), 0) FROM eventlog.events), p.name, p.position
    FROM (SELECT 1) one LEFT JOIN ops.projections p ON p.build = 'live'
"""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to "are you ready"."""

    status: Literal["ready", "starting", "stopping", "unavailable"]
    cause: str | None = None
    head: int | None = None
    lag: dict[str, int] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether requests may come."""
        return self.status == "ready"


class Readiness:
    """The phase of this process, and what it is busy with while it starts."""

    def __init__(self, database: Database, projections: frozenset[str]) -> None:
        self._database = database
        self._projections = projections
        self._has_caught_up = False
        self.phase: Phase = "starting"
        self.step = "starting"

    @property
    def serves(self) -> bool:
        """Whether requests are answered: everything is started, though read models may still catch up."""
        return self.phase == "serving"

    async def report(self) -> Report:
        """Whether requests may come, and why not; answers within ``READY_WAIT_S`` and a bit."""
        if self.phase == "stopping":
            return Report(status="stopping", cause="the server is stopping")
        if self.phase != "serving":
            return Report(status="starting", cause=self.step)
        try:
            async with asyncio.timeout(READY_WAIT_S):
                rows = await self._database.fetch_all(_PROGRESS)
        except TimeoutError:
            return Report(status="unavailable", cause=f"the database did not answer within {READY_WAIT_S:g} s")
        except StoreUnavailable:
            return Report(status="unavailable", cause="the database does not answer")
        return self._judge(rows)

    def _judge(self, rows: list[tuple[Any, ...]]) -> Report:
        head = rows[0][0]
        positions = {name: position for _, name, position in rows if name in self._projections}
        lag = {name: head - positions.get(name, 0) for name in sorted(self._projections)}
        behind = [name for name, events in lag.items() if events > CAUGHT_UP_EVENTS]
        if not self._has_caught_up and (behind or positions.keys() != self._projections):
            names = ", ".join(behind or sorted(self._projections - positions.keys()))
            return Report(status="starting", cause=f"catching up: {names}", head=head, lag=lag)
        self._has_caught_up = True
        return Report(status="ready", head=head, lag=lag)
