"""`python -m tests.projections.rebuilding URL`: a process that rebuilds half of the board page by page, to be killed."""

from __future__ import annotations

import asyncio
import sys

from hivesync_core.eventstore.events import the_catalogue
from projections.board import Board
from projections.engine import bulk
from projections.engine import rebuild as rebuilding
from projections.engine.entries import LogReader
from tests.projections.support import database


async def _work(url: str) -> None:
    rebuilding.PAGE_EVENTS = bulk.WINDOW_EVENTS = 1_000
    async with database(url) as pool, pool.direct("hivesync-tests") as connection:
        reader = LogReader(pool, the_catalogue())
        rebuild = rebuilding.Rebuild(connection, reader, Board(), "to be killed")
        await rebuild.begin()
        await rebuild.run(await reader.head() // 2)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
