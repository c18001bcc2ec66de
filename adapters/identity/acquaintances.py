"""Whose names somebody may know: of those who share a project, and of those who did something in one of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from adapters.identity.caller import Caller
from adapters.postgres.connections import Database

_KNOWN = """
    WITH mine AS (SELECT project_id, member_ids FROM readmodel.project WHERE member_ids @> ARRAY[%(me)s]::uuid[])
    SELECT asked.id FROM unnest(%(ids)s::uuid[]) AS asked(id)
    WHERE asked.id = %(me)s
       OR EXISTS (SELECT 1 FROM mine WHERE asked.id = ANY (mine.member_ids))
       OR EXISTS (SELECT 1 FROM readmodel.history_event h JOIN mine USING (project_id) WHERE h.actor = asked.id::text)"""


class Acquaintances:
    """Answers from the read models of projects and of the history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def among(self, caller: Caller, account_ids: Sequence[UUID]) -> list[UUID]:
        """Those of the ids that the caller may know; an admin may know everybody."""
        if caller.acts_as_admin:
            return list(account_ids)
        rows = await self._database.fetch_all(_KNOWN, {"me": caller.account_id, "ids": list(account_ids)})
        known = {row[0] for row in rows}
        return [account_id for account_id in account_ids if account_id in known]
