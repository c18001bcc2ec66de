"""Async group commit: one transaction in flight, and what arrives meanwhile forms the next batch."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from adapters.postgres.batch import APPEND, Encoded, answers, encoded, parameters
from adapters.postgres.connections import CONNECT_TIMEOUT_S, Database, ImpatientConnection, app_conninfo
from adapters.postgres.errors import TOO_LARGE, UNAVAILABLE
from adapters.postgres.exchange import BINARY, Exchange
from hivesync_core.eventstore.errors import (
    IdempotencyKeyReused,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    VersionConflict,
)
from hivesync_core.eventstore.patience import within
from hivesync_core.eventstore.records import Append, Appended, Idempotency

logger = logging.getLogger(__name__)

QUEUE_MAX = 4096
QUEUE_BYTES_MAX = 64 * 1024 * 1024
"""Commands that may wait, and what their events may weigh; one more is told that the store is busy."""

BATCH_COMMANDS_MAX = 512
BATCH_EVENTS_MAX = 4096
BATCH_BYTES_MAX = 8 * 1024 * 1024
ALTERNATE_MIN = 64
"""From so many senders on they form two batches that take turns: while the database stores one of them, this process wakes
the senders of the other and takes what they send next. With fewer, a second commit costs more than that saves."""

PROMPT_S = 50e-6
"""Seconds a command up to which the database is at work. Beyond that it waits, for a disk or for a core, and would wait
twice for two batches: then all senders are told before the next batch is formed, and may be in it."""

PASSED_OVER_MAX = 1024
"""Commands that one search for a batch leaves behind, because they touch a stream or a key that is taken."""

APPEND_WAIT_S = 4.5
"""How long a command waits for its events to be durable before it is told that the database is away."""

TRANSACTION_WAIT_S = 4.0
RECONNECT_PAUSE_S = 0.1
STOP_WAIT_S = 5.0
"""How long a stop waits for the queue to be stored."""

_FIND_KEY = (
    "SELECT fingerprint, first_position, last_position, answer FROM eventlog.idempotency_keys "
    "WHERE scope = %s AND key = %s"
)


AroundCommit = Callable[[Sequence[Append]], contextlib.AbstractContextManager[object]]
"""What is entered before a transaction and left after it; it is told which commands are stored."""

_NOTHING = contextlib.nullcontext()


def _untraced(_: Sequence[Append]) -> contextlib.AbstractContextManager[object]:
    return _NOTHING


class _Waiting(NamedTuple):
    """A command in the queue, ready to be sent, the future that its sender waits on, and what its events weigh.

    ``claims`` are the streams that it touches and its idempotency key.
    """

    append: Append
    encoded: Encoded
    claims: frozenset[object]
    done: asyncio.Future[Appended]
    size_bytes: int


class GroupCommit:
    """Appends commands in batches over one connection of its own.

    ``append`` answers when the events are durable. A batch whose answer was lost is sent again when the database is
    back: ``eventlog.append`` knows what it has stored by the event ids, so nothing is stored twice. Only what a sender
    still waits for is sent again; a command that was given up is stored by the transaction that was under way then, or
    never.
    """

    def __init__(self, database: Database, around: AroundCommit = _untraced) -> None:
        self._database = database
        self._around = around
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._exchange: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._is_prompt = True
        self._batch_max = BATCH_COMMANDS_MAX
        self._waiting_bytes = 0
        self.waiting = 0
        self.batches = 0
        self.commands = 0

    async def start(self) -> None:
        """Begin to write."""
        self._stopping = False
        self._task = asyncio.create_task(self._run(), name="group-commit")

    async def stop(self) -> None:
        """Take no more commands, store those that wait, and end; what is not stored in time is told so."""
        self._stopping = True
        self._arrived.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_WAIT_S)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for waiting in self._queue:
            _fail(waiting, _stopping())
        self._queue.clear()
        self._drop_connection()

    async def append(self, append: Append) -> Appended:
        """Store the events of a command; see ``EventAppender``.

        After ``StoreUnavailable`` the command may still be stored by the transaction that is under way, never by a
        later one.
        """
        if self._stopping:
            raise _stopping()
        size_bytes = sum([len(event.state) for event in append.events])
        # A command of any size is taken when nothing else waits.
        too_heavy = self.waiting > 0 and self._waiting_bytes + size_bytes > QUEUE_BYTES_MAX
        if self.waiting >= QUEUE_MAX or too_heavy:
            raise StoreBusy(f"{self.waiting} commands are waiting to be stored")
        try:
            waiting = _waiting(append, size_bytes)
        except (ValueError, OverflowError) as error:
            raise StoreError(f"the store refuses the command: {error}") from error
        # Cheaper than asyncio.timeout, of which every command would need one.
        patience = asyncio.get_running_loop().call_later(APPEND_WAIT_S, _give_up, waiting.done)
        self._queue.append(waiting)
        self._arrived.set()
        self.waiting += 1
        self._waiting_bytes += size_bytes
        try:
            return await waiting.done
        finally:
            patience.cancel()
            self.waiting -= 1
            self._waiting_bytes -= size_bytes

    async def find_answer(self, idempotency: Idempotency) -> Appended | None:
        """What the earlier command with this key was answered; see ``EventAppender``."""
        row = await self._database.fetch_one(_FIND_KEY, (idempotency.scope, idempotency.key))
        if row is None:
            return None
        if row[0] != idempotency.fingerprint:
            raise _reused()
        return Appended(row[1], row[2], replayed=True, answer=row[3])

    async def _run(self) -> None:
        interruptions = 0
        while True:
            batch = self._next_batch()
            if not batch:
                if self._stopping:
                    return
                self._arrived.clear()
                await self._arrived.wait()
                continue
            try:
                await self._write(batch)
                self._batch_max = min(self._batch_max * 2, BATCH_COMMANDS_MAX)
                interruptions = 0
            except UNAVAILABLE as error:
                logger.warning("append interrupted: %s", str(error).strip() or type(error).__name__)
                self._drop_connection()
                self._queue.extendleft(reversed(batch))
                # Should the batch be what the database can not bear, then not all who are in it have to suffer.
                self._batch_max = max(1, len(batch) // 2)
                interruptions += 1
                await asyncio.sleep(RECONNECT_PAUSE_S if interruptions > 1 else 0)
            except asyncio.CancelledError:
                for waiting in batch:
                    _fail(waiting, _stopping())
                raise

    def _next_batch(self) -> list[_Waiting]:
        """What waits, up to the limits; a command that shares a stream or a key with an earlier one stays behind."""
        batch: list[_Waiting] = []
        behind: list[_Waiting] = []
        taken: set[object] = set()
        commands_max = min(self._batch_max, -(-self.waiting // 2)) if self._takes_turns() else self._batch_max
        events = size = 0
        while (
            self._queue
            and len(batch) < commands_max
            and len(behind) < PASSED_OVER_MAX
            and events < BATCH_EVENTS_MAX
            and size < BATCH_BYTES_MAX
        ):
            waiting = self._queue.popleft()
            if waiting.done.done():
                continue
            if taken.isdisjoint(waiting.claims):
                batch.append(waiting)
                events += len(waiting.append.events)
                size += waiting.size_bytes
            else:
                behind.append(waiting)
            # What stays behind keeps its place before later ones of the same stream.
            taken.update(waiting.claims)
        self._queue.extendleft(reversed(behind))
        return batch

    def _takes_turns(self) -> bool:
        # All who wait, not only the queue: the senders of the last batch are about to send again.
        return self._is_prompt and self.waiting >= ALTERNATE_MIN

    async def _write(self, batch: list[_Waiting]) -> None:
        """Store a batch; one that is refused as a whole is halved until only the command at fault is refused."""
        try:
            await self._transact(batch)
            return
        except TOO_LARGE as error:
            refused: Exception = error
        except UNAVAILABLE:
            raise
        except Exception as error:
            logger.exception("a batch of %d commands was refused", len(batch))
            refused = error
        if len(batch) == 1:
            _fail(batch[0], StoreError(f"the store refuses the command: {refused}"))
            return
        await self._write(batch[: len(batch) // 2])
        await self._write(batch[len(batch) // 2 :])

    async def _transact(self, batch: list[_Waiting]) -> None:
        appends = [waiting.append for waiting in batch]
        columns = parameters([waiting.encoded for waiting in batch])
        with self._around(appends), within(TRANSACTION_WAIT_S):
            exchange = await self._connected()
            began = time.perf_counter()
            rows = await exchange.run(columns)
        self._is_prompt = time.perf_counter() - began < PROMPT_S * len(batch)
        self.batches += 1
        self.commands += len(batch)
        if self._queue and self._takes_turns():
            # Once the next batch is sent: the database has work then, while this process wakes the senders.
            asyncio.get_running_loop().call_soon(_settle, batch, rows)
        else:
            _settle(batch, rows)
            await asyncio.sleep(0)

    async def _connected(self) -> Exchange:
        if self._exchange is not None and self._exchange.is_idle:
            return self._exchange
        self._drop_connection()
        conninfo = app_conninfo(self._database.url, application_name="hivesync-append")
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            connection = await ImpatientConnection.connect(conninfo, autocommit=True)
            self._exchange = await Exchange.open(connection, APPEND, parameter_format=BINARY)
        return self._exchange

    def _drop_connection(self) -> None:
        if self._exchange is not None:
            self._exchange.close()
            self._exchange = None


def _waiting(append: Append, size_bytes: int) -> _Waiting:
    ready = encoded(append)
    claims: list[object] = [event[0] for event in ready.events]
    if ready.key is not None:
        claims.append(ready.key[:2])
    return _Waiting(append, ready, frozenset(claims), asyncio.get_running_loop().create_future(), size_bytes)


def _settle(batch: Sequence[_Waiting], rows: Sequence[tuple[Any, ...]]) -> None:
    """Tell each sender of a batch what the database answered."""
    told = answers([waiting.append for waiting in batch], rows)
    for waiting, (outcome, appended) in zip(batch, told, strict=True):
        _resolve(waiting, outcome, appended)


def _resolve(waiting: _Waiting, outcome: bytes, appended: Appended) -> None:
    if waiting.done.done():
        return
    match outcome:
        case b"stored":
            waiting.done.set_result(appended)
        case b"replayed":
            waiting.done.set_result(appended._replace(replayed=True))
        case b"reused":
            waiting.done.set_exception(_reused())
        case _:
            waiting.done.set_exception(VersionConflict("the stream has moved on since it was read"))


def _give_up(done: asyncio.Future[Appended]) -> None:
    if not done.done():
        done.set_exception(StoreUnavailable(f"the database did not confirm the append within {APPEND_WAIT_S} s"))


def _fail(waiting: _Waiting, error: StoreError) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)


def _stopping() -> StoreUnavailable:
    return StoreUnavailable("the server is stopping")


def _reused() -> IdempotencyKeyReused:
    return IdempotencyKeyReused("the idempotency key was used for another command; use a new key for a new command")
