"""Gives calls for help back to the queue when their helper's lease has run out (TASK-3)."""

from __future__ import annotations

import logging

from adapters.postgres.connections import Database
from hivesync_core.eventstore.errors import VersionConflict
from hivesync_core.eventstore.log import Context, Log
from hivesync_core.kernel.ids import SYSTEM_ACTOR
from hivesync_core.kernel.ports import Clock, IdSource
from hivesync_core.tasks.commands import ExpireHelpLease
from hivesync_core.tasks.decider import task
from projections.help_queue.queries import expired_leases

logger = logging.getLogger(__name__)

LEASES_MAX = 200
"""Leases that one turn ends; the rest wait for the next."""


class HelpLeases:
    """Ends the leases that have run out; the rules decide again whether one really has."""

    def __init__(self, log: Log, database: Database, clock: Clock, new_id: IdSource) -> None:
        self._log = log
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def expire(self) -> None:
        """One turn; several processes may take it at once, since a lease ends only once."""
        at = self._clock()
        for task_id in await expired_leases(self._database, at, LEASES_MAX):
            command_id = self._new_id()
            context = Context(SYSTEM_ACTOR, at, command_id, command_id)
            try:
                await self._log.execute(task, task_id, ExpireHelpLease(at=at), context)
            except VersionConflict as error:
                logger.info("the lease on %s waits for the next turn: %s", task_id, error)
