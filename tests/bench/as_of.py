"""A board of 2,000 tasks with 100,000 events as it stood at former moments, beside a fold of the events before them."""

from __future__ import annotations

import asyncio
import statistics
import time

import httpx
import psycopg

from adapters.postgres.connections import Database
from hivesync_core.eventstore.events import the_catalogue
from projections.board import Board
from projections.engine.entries import LogReader
from projections.engine.rows import fold
from tests.bench.api_server import ApiServer, api_server
from tests.bench.report import Figure, Report, Target
from tests.bench.server import own_server

TASKS = 2_000
CHANGES = 49
MOMENTS = (0.1, 0.3, 0.5, 0.7, 0.9)
WANTED_MS = 300.0
PAGE = 200
FOLD_PAGE_EVENTS = 10_000


def run() -> Report:
    """The whole board over HTTP in pages, a first page alone, and the fold, at several moments of the past."""
    with own_server() as url, api_server(url, TASKS, CHANGES) as server:
        with psycopg.connect(url, autocommit=True) as connection:
            # A year's changes came within a minute: what the server does by itself each minute is not waited for.
            connection.execute("VACUUM ANALYZE readmodel.board_task, readmodel.board_task_history")
        return asyncio.run(_measure(url, server))


async def _measure(url: str, server: ApiServer) -> Report:
    database = Database(url, size=2)
    await database.open()
    reader = LogReader(database, the_catalogue())
    head = await reader.head()
    boards, pages, folds = [], [], []
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.port}/api/v1/projects/{server.project_id}",
        headers={"authorization": f"Bearer {server.token}"}, timeout=60, trust_env=False,
    ) as client:  # fmt: skip
        for share in MOMENTS:
            position = int(head * share)
            began = time.perf_counter()
            tasks = await _board(client, position)
            boards.append(1000 * (time.perf_counter() - began))
            began = time.perf_counter()
            (await client.get("/tasks", params={"as_of": position, "limit": 50})).raise_for_status()
            pages.append(1000 * (time.perf_counter() - began))
            began = time.perf_counter()
            folded = await _fold(reader, position)
            folds.append(1000 * (time.perf_counter() - began))
            if tasks != folded:
                raise RuntimeError(f"the board as of {position} has {tasks} tasks by state, the fold {folded}")
    await database.close()
    return Report(
        figures=[
            Figure("a page of 50 tasks as of then, median", statistics.median(pages), "ms"),
            Figure("all of the board as of then, median", statistics.median(boards), "ms"),
            Figure("the same by folding the events, median", statistics.median(folds), "ms"),
            Figure("fold / board", statistics.median(folds) / statistics.median(boards), "x"),
        ],
        targets=[
            Target("a page of 50, slowest moment", max(pages), WANTED_MS, "ms", at_most=True),
            Target("all of the board, slowest moment", max(boards), WANTED_MS, "ms", at_most=True),
        ],
        notes=[
            f"{TASKS:,} tasks, {head:,} events; all of the board is {TASKS // PAGE} pages of {PAGE} over HTTP",
            "no snapshots: each version of a card is kept with the positions between which it stood",
        ],
    )


async def _board(client: httpx.AsyncClient, position: int) -> dict[str, int]:
    """How many tasks stood in each state, from every page of the board."""
    states: dict[str, int] = {}
    params: dict[str, str | int] = {"as_of": position, "limit": PAGE}
    while True:
        answer = (await client.get("/tasks", params=params)).raise_for_status().json()
        for task in answer["items"]:
            states[task["state"]] = states.get(task["state"], 0) + 1
        if answer["next_cursor"] is None:
            return states
        params["cursor"] = answer["next_cursor"]


async def _fold(reader: LogReader, position: int) -> dict[str, int]:
    """The same from the events up to the position."""
    recorded, after = [], 0
    while entries := await reader.page(after, FOLD_PAGE_EVENTS, last=position, brief=True):
        recorded += [entry.recorded for entry in entries]
        after = entries[-1].recorded.position
    states: dict[str, int] = {}
    for row in fold(Board(), recorded).of(Board.tables[0]).all().values():
        states[row.state] = states.get(row.state, 0) + 1
    return states
