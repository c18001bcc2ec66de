"""The store fails at its Nth call, for every N: a command has its whole effect or none, and once it is repeated, one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeVar
from uuid import UUID

import pytest

from adapters.ids import uuid7
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.log import Context, Log, Outcome, Submission
from hivesync_core.eventstore.memory import MemoryStore
from hivesync_core.eventstore.records import Append, Appended, Idempotency
from hivesync_core.kernel.event import Recorded
from tests.eventstore.tally import CATALOGUE, MAPPER, Add, Close, OverTheLimit, context, idempotency, tally

When = Literal["before", "after"]
Answer = TypeVar("Answer")
ONE, TWO, NEW = uuid7(), uuid7(), uuid7()


class FailingStore:
    """Fails at one of its calls: before it did anything, or after it did all and the answer got lost."""

    def __init__(self) -> None:
        self.memory = MemoryStore(CATALOGUE)
        self.fails_at = 0
        self.when: When = "before"
        self.calls = 0

    def arm(self, fails_at: int, when: When = "before") -> None:
        """Count calls from here; 0 fails at none."""
        self.fails_at, self.when, self.calls = fails_at, when, 0

    async def append(self, append: Append) -> Appended:
        """Append, or fail."""
        return await self._call(self.memory.append(append))

    async def find_answer(self, idempotency: Idempotency) -> Appended | None:
        """Find, or fail."""
        return await self._call(self.memory.find_answer(idempotency))

    async def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> Sequence[Recorded]:
        """Read, or fail."""
        return await self._call(self.memory.read_stream(stream_id, after_version=after_version))

    async def _call(self, call: Awaitable[Answer]) -> Answer:
        self.calls += 1
        if self.calls != self.fails_at:
            return await call
        if self.when == "after":
            await call
        else:
            call.close()  # type: ignore[attr-defined]
        raise StoreUnavailable("as the test wants it")


Command = Callable[[Log, Context], Awaitable[list[Outcome]]]


async def new_stream(log: Log, given: Context) -> list[Outcome]:
    """A stream that nobody has read."""
    return [await log.execute(tally, NEW, Add(times=3), given)]


async def stale_stream(log: Log, given: Context) -> list[Outcome]:
    """A stream on which others were faster: a conflict, another look, another decision."""
    return [await log.execute(tally, ONE, Add(times=2), given)]


async def stale_no_op(log: Log, given: Context) -> list[Outcome]:
    """Nothing to do, for another had done it already."""
    return [await log.execute(tally, TWO, Close(), given)]


async def two_stale_streams(log: Log, given: Context) -> list[Outcome]:
    """Two streams in one append, of which one has moved on."""
    return await log.execute_all([Submission(tally, NEW, Add()), Submission(tally, ONE, Add(times=2))], given)


COMMANDS: dict[Command, int] = {new_stream: 3, stale_stream: 2, stale_no_op: 0, two_stale_streams: 3}
"""Commands, and how many events follow from each."""


async def stale_log(store: FailingStore) -> Log:
    """A Log whose cache is behind."""
    store.arm(0)
    log, others = (Log(store, store, MAPPER, uuid7) for _ in range(2))
    await log.execute(tally, ONE, Add(), context())
    await log.execute(tally, TWO, Add(), context())
    await others.execute(tally, ONE, Add(), context())
    await others.execute(tally, TWO, Close(), context())
    return log


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_has_its_whole_effect_or_none_and_its_repetition_one(command: Command, when: When) -> None:
    effect, failed = COMMANDS[command], 0
    for fails_at in range(1, 50):
        store = FailingStore()
        log = await stale_log(store)
        before = len(store.memory.log())
        key = idempotency()
        store.arm(fails_at, when)
        try:
            await command(log, context(key))
        except StoreUnavailable:
            failed += 1
            assert len(store.memory.log()) in (before, before + effect)
        if store.calls < fails_at:
            break
        store.arm(0)
        outcomes = await command(log, context(key))
        assert len(store.memory.log()) == before + effect
        assert all(outcome.position <= before + effect for outcome in outcomes)
        for stream in (ONE, TWO, NEW):
            from_zero = await Log(store, store, MAPPER, uuid7).state(tally, stream)
            assert (await log.state(tally, stream, fresh=True))[:2] == from_zero[:2]
    else:
        pytest.fail("the command never got through")
    assert failed >= 2


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_refusal_is_only_given_when_the_store_could_confirm_it(when: When) -> None:
    refused = 0
    for fails_at in range(1, 10):
        store = FailingStore()
        log = await stale_log(store)
        store.arm(fails_at, when)
        with pytest.raises((StoreUnavailable, OverTheLimit)) as answer:
            await log.execute(tally, ONE, Add(100), context(idempotency()))
        assert len(store.memory.log()) == 4
        if store.calls >= fails_at:
            assert answer.type is StoreUnavailable
        else:
            assert answer.type is OverTheLimit
            refused += 1
    assert refused == 7  # It looks at the stream, and for an earlier answer.
