"""From the acknowledgement of a command to its row in the board, and to the end of a wait for one's own write."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import uvloop

from adapters.ids import now, uuid7
from hivesync_core.kernel.roles import Role
from hivesync_core.tasks.commands import CommentTask, CreateTask
from hivesync_core.tasks.decider import task
from tests.bench.report import Figure, Report, Target, percentile
from tests.bench.server import own_server
from tests.http.harness import RunningServer, build_for_tests, context

COMMANDS = 300
PAUSE_S = 0.01
WANTED_MS = 5.0
_ROW = "SELECT valid_from FROM readmodel.board_task WHERE task_id = %s"


def run() -> Report:
    """One command after the other on a whole server: each is waited for in one of the two ways, in turn."""
    with own_server() as url:
        row_ms, wait_ms = uvloop.run(_measure(url))
    return Report(
        figures=[
            Figure("commit to visible in the board, p99", percentile(row_ms, 0.99), "ms"),
            Figure("wait for own write, p99", percentile(wait_ms, 0.99), "ms"),
        ],
        targets=[
            Target("commit to visible in the board, p50", percentile(row_ms, 0.5), WANTED_MS, "ms", at_most=True),
            Target("wait for own write, p50", percentile(wait_ms, 0.5), WANTED_MS, "ms", at_most=True),
        ],
        notes=[
            f"{COMMANDS} commands of each kind, {PAUSE_S * 1e3:g} ms apart; visible: read from the table until it is there"
        ],
    )


async def _measure(url: str) -> tuple[list[float], list[float]]:
    parts = build_for_tests(url, access_log="none")
    async with RunningServer(parts):
        account_id: Any = uuid7()
        task_id: Any = uuid7()
        create = CreateTask(by=account_id, role=Role.OWNER, at=now(), project_id=uuid7(), title="Bench")  # type: ignore[arg-type]
        made = await parts.log.execute(task, task_id, create, context())
        await parts.positions.wait("board", made.position, 10)
        row_ms, wait_ms = [], []
        for number in range(COMMANDS * 2):
            await asyncio.sleep(PAUSE_S)
            comment = CommentTask(by=account_id, role=Role.OWNER, at=now(), comment_id=uuid7(), text="Said")
            position = (await parts.log.execute(task, task_id, comment, context())).position
            began = time.perf_counter()
            if number % 2:
                await _row(parts, task_id, position)
                row_ms.append((time.perf_counter() - began) * 1e3)
            else:
                assert await parts.positions.wait("board", position, 10)
                wait_ms.append((time.perf_counter() - began) * 1e3)
        return row_ms, wait_ms


async def _row(parts: Any, task_id: UUID, position: int) -> None:
    while (await parts.database.fetch_one(_ROW, (task_id,)))[0] < position:
        pass
