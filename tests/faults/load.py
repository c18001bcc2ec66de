"""Clients that work while faults happen: each sends one order after the other and keeps the journal."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from adapters.ids import uuid7
from tests.faults.doors import Door
from tests.faults.orders import Attempt, Entry, Journal, Kind, Order

TASKS_MAX = 12
"""Tasks of one client's own; beyond, it forgets an old one."""

HOT_TASKS = 3
"""Tasks that everybody changes, for eight clients or less; one more for every further three."""

RETRY_PAUSE_S = 0.05
GIVE_UP_SHARE = 0.1
"""The share of orders without an answer that are never sent again, as by a client that was closed."""

FINISH_WAIT_S = 20.0


@dataclass
class _Task:
    """A task as its client knows it; ``version`` 0 where others change it too."""

    task_id: UUID
    version: int
    asks_for_help: bool = False
    own: bool = True


@dataclass
class _Client:
    number: int
    random: random.Random
    tasks: list[_Task] = field(default_factory=list)


class Load:
    """``clients`` clients that send until they are told to stop, at any of the doors.

    Most tasks belong to one client; a few are everybody's, so that there are conflicts. An order without an answer is
    sent again with its idempotency key until one comes. ``read_back_share`` is the share of acknowledged orders whose
    client asks at once, at any door, for what it wrote.
    """

    def __init__(
        self,
        doors: Sequence[Door],
        seed: int,
        *,
        clients: int = 8,
        pause_s: float = 0.01,
        read_back_share: float = 0.1,
    ) -> None:
        self._doors = doors
        self._random = random.Random(seed)
        self._clients = clients
        self._pause_s = pause_s
        self._read_back_share = read_back_share
        self._hot: list[_Task] = []
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.journal = Journal()

    async def start(self) -> None:
        """Begin to send; the tasks that everybody shares are made first."""
        opener = _Client(0, self._random)
        while len(self._hot) < max(HOT_TASKS, self._clients // 3):
            entry = await self._carry_out(opener, _order("create"))
            answer = entry.last.answer
            if not answer.acknowledged or answer.task_id is None:
                raise RuntimeError(f"the load cannot begin: {answer.status} {answer.detail}")
            self._hot.append(_Task(answer.task_id, 0, own=False))
        for number in range(1, self._clients + 1):
            client = _Client(number, random.Random(self._random.random()))
            self._tasks.append(asyncio.create_task(self._run(client), name=f"client {number}"))

    async def stop(self) -> Journal:
        """Let every client finish the order in hand, and give the journal."""
        self._stopping.set()
        _, pending = await asyncio.wait(self._tasks, timeout=FINISH_WAIT_S)
        for task in pending:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for task in self._tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        return self.journal

    async def next_acknowledgement(self, since: float, timeout_s: float) -> Attempt | None:
        """The first acknowledgement of an attempt sent after ``since``; none when the time runs out first.

        ``since`` and the times of the attempt are of the monotonic clock.
        """
        until = time.monotonic() + timeout_s
        seen = len(self.journal.entries)
        while time.monotonic() < until:
            # An order from before may be sent again: those still open are among the last of all clients.
            for entry in self.journal.entries[max(0, seen - 16 * self._clients) :]:
                if entry.attempts and entry.last.answer.acknowledged and entry.last.sent >= since:
                    return entry.last
            await asyncio.sleep(0.01)
        return None

    async def _run(self, client: _Client) -> None:
        while not self._stopping.is_set():
            order, task = self._choose(client)
            entry = await self._carry_out(client, order)
            if entry.settled:
                _learn(client, order, task, entry)
                await self._read_back(client, entry)
            elif task is not None and task.own:
                client.tasks.remove(task)  # Nobody knows how it stands.
            await asyncio.sleep(self._pause_s * client.random.random() * 2)

    async def _read_back(self, client: _Client, entry: Entry) -> None:
        answer = entry.last.answer
        if not answer.acknowledged or client.random.random() > self._read_back_share:
            return
        shown = await client.random.choice(self._doors).shows(answer)
        self.journal.own_writes_seen += shown is True
        self.journal.own_writes_missed += shown is False

    def _choose(self, client: _Client) -> tuple[Order, _Task | None]:
        chance = client.random.random()
        if not client.tasks or chance < 0.1:
            return _order("create"), None
        if chance < 0.3:
            task = client.random.choice(self._hot)
            return _order("comment", task), task
        task = client.random.choice(client.tasks)
        if chance < 0.75:
            return _order("comment", task), task
        if chance < 0.9:
            return _order("edit", task), task
        return _order("withdraw_help" if task.asks_for_help else "request_help", task), task

    async def _carry_out(self, client: _Client, order: Order) -> Entry:
        """Send an order until it is settled, or given up."""
        entry = Entry(client.number, order)
        self.journal.entries.append(entry)
        while True:
            sent = time.monotonic()
            answer = await client.random.choice(self._doors).give(order)
            entry.attempts.append(Attempt(sent, time.monotonic(), answer))
            if entry.settled:
                return entry
            if client.random.random() < GIVE_UP_SHARE:
                return entry
            await asyncio.sleep(RETRY_PAUSE_S)


def _order(kind: Kind, task: _Task | None = None) -> Order:
    version = task.version if task is not None and kind == "edit" else None
    return Order(kind, f"mark {uuid7()}", str(uuid7()), None if task is None else task.task_id, version)


def _learn(client: _Client, order: Order, task: _Task | None, entry: Entry) -> None:
    """What a settled order teaches about the task."""
    answer = entry.last.answer
    if answer.acknowledged and order.kind == "create" and answer.task_id is not None:
        client.tasks.append(_Task(answer.task_id, answer.version))
        del client.tasks[:-TASKS_MAX]
    elif task is None or not task.own:
        return
    elif answer.acknowledged:
        task.version = answer.version
        if order.kind in ("request_help", "withdraw_help"):
            task.asks_for_help = order.kind == "request_help"
    else:
        client.tasks.remove(task)
