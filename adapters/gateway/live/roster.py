"""Who watches a session, as its host is told: all of it when the host comes, and then what changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

from adapters.gateway.live.hall import Hall
from adapters.gateway.live.rows import LiveRows, ViewerRow
from adapters.identity.account_rows import AccountRows
from hivesync_core.eventstore.errors import StoreUnavailable
from shared.socket.live import Viewer, ViewerNews, ViewerStatus

ROSTER_EVERY_S: Final = 0.25
"""A host hears who watches at most so often; with thousands of viewers less often."""


class Roster:
    """Reads who watches and tells the host; ``elsewhere`` is called where the host is not attached here."""

    def __init__(self, rows: LiveRows, accounts: AccountRows, elsewhere: Callable[[Hall], None]) -> None:
        self._rows, self._accounts, self._elsewhere = rows, accounts, elsewhere

    async def of(self, hall: Hall) -> tuple[Viewer, ...]:
        """Everybody who has joined and not gone; the host is told of what changes from here on."""
        hall.told = await self._read(hall)
        return tuple(hall.told.values())

    async def _read(self, hall: Hall) -> dict[UUID, Viewer]:
        rows = await self._rows.viewers(hall.session_id)
        accounts = {row.account_id for row in rows if row.account_id is not None}
        names = await self._accounts.display_names(accounts) if accounts else {}
        return {row.viewer_id: shown_viewer(row, names) for row in rows}

    def changed(self, hall: Hall) -> None:
        """Tell the host soon, wherever it is."""
        hall.roster_is_old = True
        if hall.host is None:
            self._elsewhere(hall)
        elif hall.roster_task is None or hall.roster_task.done():
            hall.roster_task = asyncio.create_task(self._tell(hall), name="live-roster")

    async def _tell(self, hall: Hall) -> None:
        while hall.roster_is_old and hall.host is not None:
            await asyncio.sleep(max(ROSTER_EVERY_S, len(hall.told) / 2_000))
            hall.roster_is_old = False
            try:
                now = await self._read(hall)
            except StoreUnavailable:
                hall.roster_is_old = True
                continue
            before, hall.told = hall.told, now
            self._tell_changes(hall, before)

    def _tell_changes(self, hall: Hall, before: dict[UUID, Viewer]) -> None:
        if hall.host is None:
            return
        for viewer_id, viewer in hall.told.items():
            if before.get(viewer_id) != viewer:
                hall.host.tell(ViewerNews(viewer=viewer))
        for viewer_id in before.keys() - hall.told.keys():
            status = hall.gone.pop(viewer_id, "left")
            hall.host.tell(ViewerNews(viewer=_with_status(before[viewer_id], status)))


def shown_viewer(row: ViewerRow, names: dict[UUID, str]) -> Viewer:
    """A viewer as others are shown it."""
    name = row.guest_name or "" if row.account_id is None else names.get(row.account_id, "")
    status: ViewerStatus = "away" if row.node is None else "watching"
    return Viewer(viewer_id=row.viewer_id, account_id=row.account_id, name=name, status=status, joined_at=row.joined_at)


def _with_status(viewer: Viewer, status: ViewerStatus) -> Viewer:
    return Viewer(
        viewer_id=viewer.viewer_id,
        account_id=viewer.account_id,
        name=viewer.name,
        status=status,
        joined_at=viewer.joined_at,
    )
