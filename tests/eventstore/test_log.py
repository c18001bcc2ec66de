"""The Log: it believes its cache only where the store would not know better, and answers a repetition as the first time."""

from __future__ import annotations

import asyncio

import pytest

from adapters.ids import uuid7
from hivesync_core.eventstore import log as log_module
from hivesync_core.eventstore.errors import (
    IdempotencyKeyReused,
    StoreUnavailable,
    UnexpectedVersion,
    VersionConflict,
)
from hivesync_core.eventstore.log import Loaded, Log, Submission
from hivesync_core.eventstore.memory import MemoryStore
from hivesync_core.eventstore.records import Append, Appended
from hivesync_core.kernel.decider import Decider
from tests.eventstore.tally import (
    CATALOGUE,
    LIMIT,
    MAPPER,
    Add,
    Added,
    AlreadyClosed,
    Close,
    Closed,
    OverTheLimit,
    Tally,
    context,
    idempotency,
    tally,
)


@pytest.fixture
def store() -> MemoryStore:
    """A store in memory."""
    return MemoryStore(CATALOGUE)


@pytest.fixture
def log(store: MemoryStore) -> Log:
    """The Log of this process."""
    return new_log(store)


@pytest.fixture
def other(store: MemoryStore) -> Log:
    """The Log of another process on the same store."""
    return new_log(store)


def new_log(store: MemoryStore) -> Log:
    """A Log with an empty cache."""
    return Log(store, store, MAPPER, uuid7)


async def test_a_command_is_decided_stored_and_answered(log: Log, store: MemoryStore) -> None:
    given = context()
    outcome = await log.execute(tally, stream := uuid7(), Add(2, times=2), given)
    assert outcome == (stream, 2, 2, (Added(amount=2), Added(amount=2)), False)
    assert await log.state(tally, stream) == Loaded(Tally(4), 2, position=2)
    first, second = store.log()
    assert (first.version, second.version) == (1, 2)
    assert first.meta.event_id != second.meta.event_id
    for recorded in (first, second):
        assert recorded.meta.recorded_at == given.at
        assert recorded.meta.actor == given.actor
        assert recorded.meta.command_id == given.command_id
        assert recorded.meta.correlation_id == given.correlation_id


async def test_a_stream_that_is_not_there_is_at_version_zero(log: Log) -> None:
    assert await log.state(tally, uuid7()) == Loaded(Tally(), 0, fresh=True)


async def test_a_decision_on_a_stale_cache_is_made_again(log: Log, other: Log) -> None:
    await log.execute(tally, stream := uuid7(), Add(), context())
    await other.execute(tally, stream, Add(), context())
    outcome = await log.execute(tally, stream, Add(), context())
    assert (outcome.version, (await log.state(tally, stream)).state) == (3, Tally(3))


async def test_a_refusal_on_a_stale_cache_is_not_believed(log: Log, other: Log) -> None:
    reopenable = Decider(name="tally", initial=Tally(), decide=tally.decide, evolve=_evolve_with_refunds)
    stream = uuid7()
    await log.execute(reopenable, stream, Add(LIMIT), context())
    await other.execute(reopenable, stream, Add(-LIMIT), context())
    assert (await log.execute(reopenable, stream, Add(), context())).version == 3


async def test_nothing_to_do_on_a_stale_cache_is_not_believed(log: Log, other: Log) -> None:
    def decide(state: int, command: int) -> tuple[Added, ...]:
        return () if state == command else (Added(amount=command - state),)

    level: Decider[int, int] = Decider("tally", 0, decide, lambda state, event: state + event.amount)  # type: ignore[attr-defined]
    await log.execute(level, stream := uuid7(), 5, context())
    await other.execute(level, stream, 7, context())
    assert (await log.execute(level, stream, 5, context())).events == (Added(amount=-2),)


async def test_a_refusal_that_the_store_confirms_is_raised(log: Log, store: MemoryStore) -> None:
    await log.execute(tally, stream := uuid7(), Add(LIMIT), context())
    with pytest.raises(OverTheLimit):
        await log.execute(tally, stream, Add(), context())
    assert len(store.log()) == 1


async def test_nothing_to_do_stores_nothing_and_says_where_it_was_found_done(log: Log, store: MemoryStore) -> None:
    await log.execute(tally, uuid7(), Add(), context())
    await log.execute(tally, stream := uuid7(), Close(), context())
    await log.execute(tally, uuid7(), Add(), context())
    assert await log.execute(tally, stream, Close(), context()) == (stream, 1, 2, (), False)
    assert await new_log(store).execute(tally, stream, Close(), context()) == (stream, 1, 2, (), False)
    assert len(store.log()) == 3


@pytest.mark.parametrize("stale", [False, True])
async def test_a_command_for_another_version_is_refused(log: Log, other: Log, stale: bool) -> None:
    await log.execute(tally, stream := uuid7(), Add(), context())
    await (other if stale else log).execute(tally, stream, Add(), context())
    for expected in (0, 1, 3):
        with pytest.raises(UnexpectedVersion) as refused:
            await log.execute(tally, stream, Add(), context(), expected_version=expected)
        assert (refused.value.expected, refused.value.actual) == (expected, 2)
    assert (await log.execute(tally, stream, Add(), context(), expected_version=2)).version == 3


async def test_a_command_for_a_version_that_the_cache_has_not_seen_is_taken(log: Log, other: Log) -> None:
    await log.execute(tally, stream := uuid7(), Add(), context())
    await other.execute(tally, stream, Add(), context())
    assert (await log.execute(tally, stream, Add(), context(), expected_version=2)).version == 3


async def test_commands_to_one_stream_take_turns_instead_of_conflicting() -> None:
    class Counting(MemoryStore):
        appends = 0

        async def append(self, append: Append) -> Appended:
            self.appends += 1
            await asyncio.sleep(0)
            return await super().append(append)

    store = Counting(CATALOGUE)
    log, stream = new_log(store), uuid7()
    answers = await asyncio.gather(
        *(log.execute(tally, stream, Add(), context()) for _ in range(LIMIT + 3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers[LIMIT:]] == [OverTheLimit] * 3
    assert len(store.log()) == store.appends == LIMIT
    assert not log._turns


async def test_several_streams_change_together_or_not_at_all(log: Log, store: MemoryStore) -> None:
    full, empty = uuid7(), uuid7()
    await log.execute(tally, full, Add(LIMIT), context())
    with pytest.raises(OverTheLimit):
        await log.execute_all([Submission(tally, empty, Add()), Submission(tally, full, Add())], context())
    assert len(store.log()) == 1
    outcomes = await log.execute_all([Submission(tally, empty, Add()), Submission(tally, full, Close())], context())
    assert [(outcome.stream_id, outcome.version) for outcome in outcomes] == [(empty, 1), (full, 2)]
    assert [outcome.position for outcome in outcomes] == [3, 3]


async def test_several_streams_of_which_one_has_moved_on_are_decided_again(log: Log, other: Log) -> None:
    streams = [uuid7(), uuid7()]
    for stream in streams:
        await log.execute(tally, stream, Add(), context())
    await other.execute(tally, streams[1], Add(LIMIT - 1), context())
    with pytest.raises(OverTheLimit):
        await log.execute_all([Submission(tally, stream, Add()) for stream in streams], context())
    assert [(await log.state(tally, stream)).state.total for stream in streams] == [1, LIMIT]


async def test_commands_to_the_same_stream_are_decided_one_after_the_other(log: Log, store: MemoryStore) -> None:
    stream = uuid7()
    outcomes = await log.execute_all(
        [Submission(tally, stream, Add(3)), Submission(tally, stream, Close()), Submission(tally, stream, Close())],
        context(),
    )
    assert [(outcome.version, outcome.events) for outcome in outcomes] == [
        (1, (Added(amount=3),)),
        (2, (Closed(),)),
        (2, ()),
    ]
    assert (await log.state(tally, stream, fresh=True))[:2] == (Tally(3, closed=True), 2)
    other = uuid7()
    with pytest.raises(AlreadyClosed):
        await log.execute_all([Submission(tally, other, command) for command in (Add(), Close(), Add())], context())
    assert (await log.state(tally, other)).version == 0


async def test_no_commands_are_no_work(log: Log) -> None:
    assert await log.execute_all([], context()) == []


async def test_a_repetition_has_one_effect_and_the_same_answer(log: Log, other: Log, store: MemoryStore) -> None:
    key = idempotency()
    stream = uuid7()
    first = await log.execute(tally, stream, Add(), context(key))
    await log.execute(tally, uuid7(), Add(), context())
    for repeated in (
        await log.execute(tally, stream, Add(), context(key)),
        await other.execute(tally, stream, Add(), context(key)),
    ):
        assert repeated.replayed
        assert (repeated.stream_id, repeated.version, repeated.position) == first[:3]
    assert len(store.log()) == 2


async def test_a_repetition_that_would_be_refused_now_is_answered_as_the_first_time(log: Log) -> None:
    key = idempotency()
    first = await log.execute(tally, stream := uuid7(), Add(LIMIT), context(key))
    again = await log.execute(tally, stream, Add(LIMIT), context(key))
    assert (again.replayed, again[:3]) == (True, first[:3])
    at_version = await log.execute(tally, stream, Add(LIMIT), context(key), expected_version=0)
    assert (at_version.replayed, at_version[:3]) == (True, first[:3])


async def test_another_command_under_the_key_is_refused_whatever_it_would_do(log: Log, store: MemoryStore) -> None:
    await log.execute(tally, stream := uuid7(), Add(LIMIT), context(idempotency(body=b"one")))
    for command in (Add(LIMIT), Close()):
        with pytest.raises(IdempotencyKeyReused):
            await log.execute(tally, stream, command, context(idempotency(body=b"two")))
    assert len(store.log()) == 1


async def test_a_refused_command_does_not_use_up_its_key(log: Log) -> None:
    key = idempotency()
    await log.execute(tally, stream := uuid7(), Add(LIMIT), context())
    with pytest.raises(OverTheLimit):
        await log.execute(tally, stream, Add(), context(key))
    assert not (await log.execute(tally, uuid7(), Add(), context(key))).replayed


async def test_what_others_did_is_read_after_the_cache_is_told_of_it(log: Log, other: Log) -> None:
    await log.execute(tally, stream := uuid7(), Add(), context())
    await other.execute(tally, stream, Add(), context())
    log.forget(stream, 1)
    assert (await log.state(tally, stream)).version == 1
    log.forget(stream, 2)
    assert (await log.state(tally, stream)).version == 2
    await other.execute(tally, stream, Add(), context())
    log.forget_all()
    assert (await log.state(tally, stream)).version == 3


async def test_two_rules_on_one_stream_do_not_see_each_others_states(log: Log) -> None:
    counting: Decider[int, Add] = Decider("tally", 0, lambda state, command: (), lambda state, event: state + 1)
    await log.execute(tally, stream := uuid7(), Add(4, times=2), context())
    assert (await log.state(counting, stream)).state == 2
    assert (await log.state(tally, stream)).state == Tally(8)


async def test_the_id_of_another_kind_of_stream_is_the_id_of_nothing(log: Log, store: MemoryStore) -> None:
    other_kind = Decider(name="weight", initial=Tally(), decide=tally.decide, evolve=tally.evolve)
    await log.execute(tally, stream := uuid7(), Add(LIMIT), context())
    assert (await log.state(other_kind, stream))[:2] == (Tally(), 0)
    with pytest.raises(VersionConflict):
        await log.execute(other_kind, stream, Add(), context())
    assert len(store.log()) == 1


async def test_the_cache_is_bounded(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "CACHED_STREAMS_MAX", 3)
    streams = [uuid7() for _ in range(5)]
    for stream in streams:
        await log.execute(tally, stream, Add(), context())
    assert [(await log.state(tally, stream)).fresh for stream in reversed(streams)] == [False] * 3 + [True] * 2


async def test_others_who_are_always_faster_end_in_a_conflict_not_in_a_loop(store: MemoryStore) -> None:
    class AlwaysLate(MemoryStore):
        attempts = 0

        async def append(self, append: Append) -> Appended:
            self.attempts += 1
            raise VersionConflict

    late = AlwaysLate(CATALOGUE)
    with pytest.raises(VersionConflict):
        await new_log(late).execute(tally, uuid7(), Add(), context())
    assert late.attempts == log_module.ATTEMPTS_MAX


async def test_a_command_that_waits_too_long_for_its_turn_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(MemoryStore):
        async def append(self, append: Append) -> Appended:
            if len(self.log()) == 2:
                await asyncio.Event().wait()
            return await super().append(append)

    monkeypatch.setattr(log_module, "EXECUTE_WAIT_S", 1.0)
    slow = Slow(CATALOGUE)
    log, stream = new_log(slow), uuid7()
    answers = await asyncio.gather(
        *(log.execute(tally, stream, Add(), context()) for _ in range(8)), return_exceptions=True
    )
    done = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert {type(answer) for answer in answers if isinstance(answer, BaseException)} == {StoreUnavailable}
    assert len(done) == len(slow.log()) == 2
    assert not log._turns


async def test_a_command_that_is_cancelled_leaves_its_turn(log: Log) -> None:
    stream = uuid7()
    tasks = [asyncio.create_task(log.execute(tally, stream, Add(), context())) for _ in range(6)]
    await asyncio.sleep(0)
    for task in tasks[:4]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not log._turns
    assert (await log.state(tally, stream, fresh=True)).version <= 6


async def test_an_event_that_cannot_be_folded_is_not_stored(log: Log, store: MemoryStore) -> None:
    def broken(state: Tally, event: object) -> Tally:
        raise ArithmeticError

    wrong: Decider[Tally, Add | Close] = Decider("tally", Tally(), tally.decide, broken)
    with pytest.raises(ArithmeticError):
        await log.execute(wrong, uuid7(), Add(), context())
    assert store.log() == []


def _evolve_with_refunds(state: Tally, event: object) -> Tally:
    assert isinstance(event, Added)
    return Tally(state.total + event.amount)
