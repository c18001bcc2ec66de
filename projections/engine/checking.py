"""Checks a live read model: rebuilds it beside, to the same position, and compares the two in one snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from projections.engine.comparison import Comparison, compare
from projections.engine.entries import LogDatabase, LogReader
from projections.engine.readmodel import ReadModel
from projections.engine.rebuild import CLOSE_ENOUGH_EVENTS, Listener, Rebuild

_LOCK_LIVE = b"SELECT position FROM ops.projections WHERE name = %s AND build = 'live' FOR UPDATE"
_PIN = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_TAKE_TIME = b"SET LOCAL statement_timeout = 0"


class Checked(NamedTuple):
    """What a check found at a position: what differs, and how many streams the rebuild could not go on with."""

    position: int
    parked: int
    comparison: Comparison


async def check(
    database: LogDatabase,
    reader: LogReader,
    model: ReadModel,
    owner: str,
    on_progress: Listener = lambda progress: None,
) -> Checked:
    """Rebuild the read model beside the live one, compare every row, and throw the rebuild away.

    The live one is held still only for as long as the last few events and the beginning of a snapshot take. Raises
    ``RebuildBusy``, and ``LeaseLost`` where another process has taken the rebuild over.
    """
    async with database.direct("hivesync-check") as connection:
        rebuild = Rebuild(connection, reader, model, owner)
        await rebuild.begin(up_to=await rebuild.live_position())
        while (live := await rebuild.live_position()) - rebuild.progress.position > CLOSE_ENOUGH_EVENTS:
            await rebuild.run(live, on_progress)
        async with _pinned(database, rebuild, model) as pinned, rebuild.kept():
            comparison = await compare(pinned, model)
        checked = Checked(rebuild.progress.position, rebuild.parked, comparison)
        await rebuild.discard()
    return checked


@asynccontextmanager
async def _pinned(database: LogDatabase, rebuild: Rebuild, model: ReadModel) -> AsyncIterator[AsyncConnection[Any]]:
    """A transaction that sees the live and the rebuilt tables at the same position, whatever is written meanwhile."""
    async with database.direct("hivesync-compare") as pinned, pinned.transaction():
        await pinned.execute(_PIN)
        async with database.direct("hivesync-hold") as holding, holding.transaction():
            ((live,),) = await (await holding.execute(_LOCK_LIVE, (model.name,))).fetchall()
            await rebuild.run(live)
            # The first statement takes the snapshot that the others see.
            await pinned.execute(_TAKE_TIME)
            await pinned.execute(b"SELECT 1 FROM ops.projections LIMIT 1")
        yield pinned
