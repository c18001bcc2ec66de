"""HiveSync's server for benches, in a process of its own: a project with tasks, a token, and routes that do nothing.

`python -m tests.bench.api_server DATABASE_URL TASKS CHANGES` prints one line of JSON when it listens, and serves until its
standard input ends. Between the lines `sample` and `stop` there it notes what it is at, and answers the latter with that.
The empty routes stand in the same application behind the same edge, so that what they are faster by is what HiveSync's
own handlers do.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple
from uuid import UUID

import uvloop
from litestar import get, post

from adapters.ids import now, uuid7
from hivesync_core.eventstore.log import Context
from hivesync_core.kernel.roles import ApprovalPolicy, Role
from hivesync_core.projects.commands import CreateProject
from hivesync_core.projects.decider import project
from hivesync_core.tasks.commands import CommentTask, CompleteTask, CreateTask, DenyTask, EditTask
from hivesync_core.tasks.decider import task
from tests.bench.breakdown import Sampler
from tests.http.harness import RunningServer, build_for_tests

LABELS = ("bug", "documentation", "enhancement", "good first issue", "performance", "question", "dataset request")
DESCRIPTION = "What happens, what was expected, and how to see it happen again. " * 12
AT_ONCE = 200


class ApiServer(NamedTuple):
    """Where the server listens, a token for it, a project and its tasks."""

    port: int
    token: str
    project_id: str
    task_ids: list[str]
    pid: int
    said: IO[str]
    told: IO[str]

    @contextmanager
    def sampled(self) -> Iterator[dict[str, float]]:
        """What the server is at while the block runs: the share of each part, there when the block has ended."""
        shares: dict[str, float] = {}
        self._tell("sample")
        yield shares
        self._tell("stop")
        shares.update(json.loads(self.said.readline()))

    def _tell(self, line: str) -> None:
        self.told.write(f"{line}\n")
        self.told.flush()


@contextmanager
def api_server(url: str, tasks: int, changes: int = 0) -> Iterator[ApiServer]:
    """A server on this database until the block ends: so many open tasks in one project, each changed so often."""
    command = [sys.executable, "-m", "tests.bench.api_server", url, str(tasks), str(changes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the server for the bench did not start")
        try:
            yield ApiServer(**json.loads(line), pid=process.pid, said=process.stdout, told=process.stdin)
        finally:
            process.stdin.close()
            process.wait(timeout=30)


@get("/bench/empty")
async def empty_read() -> None:
    """Nothing."""


@post("/bench/empty", status_code=200)
async def empty_write() -> None:
    """Nothing."""


async def _serve(url: str, tasks: int, changes: int) -> None:
    parts = build_for_tests(url, access_log="none")
    parts.app.register(empty_read)
    parts.app.register(empty_write)
    async with RunningServer(parts) as server:
        person = await server.person("bench")
        token = await server.token(person.account_id)
        account_id: Any = person.account_id
        project_id: Any = uuid7()
        create = CreateProject(by=account_id, project_id=project_id, name="Bench", policy=ApprovalPolicy())
        await parts.log.execute(project, project_id, create, _context(account_id))
        task_ids = [str(uuid7()) for _ in range(tasks)]
        for first in range(0, tasks, AT_ONCE):
            await asyncio.gather(
                *(
                    _create(parts, account_id, project_id, number, task_ids[number])
                    for number in range(first, min(tasks, first + AT_ONCE))
                )
            )
        for number in range(changes):
            for first in range(0, tasks, AT_ONCE):
                await asyncio.gather(
                    *(_change(parts, account_id, number, task_id) for task_id in task_ids[first : first + AT_ONCE])
                )
        await parts.positions.wait("board", parts.follower.head, 120)
        ready = {
            "port": int(server.url.rsplit(":", 1)[1]),
            "token": token,
            "project_id": str(project_id),
            "task_ids": task_ids,
        }
        print(json.dumps(ready), flush=True)
        await _obey()


async def _obey() -> None:
    """Do what standard input says, until it ends."""
    loop, sampler = asyncio.get_running_loop(), Sampler()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line == "sample\n":
            sampler.start()
        else:
            sampler.stop()
            seen = sampler.seen
            print(json.dumps({part: count / seen.total() for part, count in seen.most_common()}), flush=True)


async def _create(parts: Any, account_id: Any, project_id: Any, number: int, task_id: str) -> None:
    command = CreateTask(
        by=account_id,
        role=Role.OWNER,
        at=now(),
        project_id=project_id,
        title=f"Loading a dataset of kind {number % 97} fails with an unclear message ({number})",
        description=DESCRIPTION,
        labels=(LABELS[number % len(LABELS)],),
    )
    await parts.log.execute(task, UUID(task_id), command, _context(account_id))


async def _change(parts: Any, account_id: Any, number: int, task_id: str) -> None:
    """What happens to a task in its life, over and over: talk, an edit, work done, and not well enough."""
    by: dict[str, Any] = {"by": account_id, "role": Role.OWNER, "at": now()}
    life = (
        CommentTask(**by, comment_id=uuid7(), text="It happens here too, with the newest version."),
        EditTask(**by, title=f"Loading a dataset fails with an unclear message, seen {number} times"),
        CommentTask(**by, comment_id=uuid7(), text="I have looked into it and think that I know why."),
        CompleteTask(**by),
        DenyTask(**by, policy=ApprovalPolicy(), reason="There is no test yet."),
    )
    stream_id = UUID(task_id)
    await parts.log.execute(task, stream_id, life[number % len(life)], _context(account_id))


def _context(account_id: Any) -> Context:
    command_id = uuid7()
    return Context(str(account_id), now(), command_id, command_id)


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
