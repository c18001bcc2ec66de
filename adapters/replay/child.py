"""The process that replays for the admin API: it takes its memory and its core with it, and ends with its parent."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time

import msgspec
import psycopg
from uvicorn.loops.auto import auto_loop_factory

from adapters.ids import uuid7
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.reader import PostgresStreamReader
from adapters.replay.messages import Order, Told
from adapters.replay.service import Replay
from hivesync_core.eventstore.errors import StoreError
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.log import Log
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.refusal import Refusal
from projections.registry import READ_MODELS
from shared.api.replay import ReplayProgress

NICENESS = 5
"""Replays let people go first."""

PROGRESS_EVERY_S = 0.25


def main() -> int:
    """Replay what is ordered on standard input, and tell of it on standard output."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(NICENESS)
    try:
        # In the loop that the server has too.
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(_replay(order))
    except Refusal as error:
        _tell(Told(failure=str(error)))
        return 1
    except (psycopg.OperationalError, StoreError, OSError, TimeoutError) as error:
        _tell(Told(failure=f"the database went away: {error}"))
        return 1
    return 0


async def _replay(order: Order) -> None:
    database = Database(order.url, size=3)
    appender = GroupCommit(database)
    catalogue = the_catalogue()
    log = Log(appender, PostgresStreamReader(database, catalogue), MsgspecMapper(catalogue), uuid7)
    await database.open()
    await appender.start()
    replay = Replay(database, log, catalogue, READ_MODELS, f"{socket.gethostname()}:{os.getpid()}:replay")
    try:
        for name in order.projections:
            result = await replay.replay(
                order.mode, name, by=AccountId(order.by), to=order.to, on_progress=_Seldom().tell
            )
            _tell(Told(result=result))
    finally:
        await appender.stop()
        await database.close()


class _Seldom:
    """Tells progress now and then, and every new step at once."""

    def __init__(self) -> None:
        self._step = ""
        self._told_at = 0.0

    def tell(self, progress: ReplayProgress) -> None:
        """Tell it where it is time."""
        at = time.monotonic()
        if progress.step != self._step or at - self._told_at >= PROGRESS_EVERY_S:
            self._step, self._told_at = progress.step, at
            _tell(Told(progress=progress))


def _tell(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    """Standard input ends when the parent does, however it ended."""
    # Not by way of the buffered file, whose lock the end of the interpreter wants.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
