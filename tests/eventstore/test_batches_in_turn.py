"""Two batches that take turns: who forms them, who is told when, and that each is told once and told the truth."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator, Sequence
from uuid import UUID

import psycopg
import pytest

from adapters.ids import uuid7
from adapters.postgres import appender
from adapters.postgres.appender import ALTERNATE_MIN, GroupCommit
from adapters.postgres.connections import Database
from hivesync_core.eventstore.errors import VersionConflict
from hivesync_core.eventstore.records import Append, Appended, originator
from tests.eventstore import stored
from tests.eventstore.tally import added, idempotency, one


class Watched:
    """What a group commit is given to enter around its transactions: it notes them, and makes some fail."""

    def __init__(self, *, failing: Sequence[int] = ()) -> None:
        self.batches: list[int] = []
        self.told: list[int] = []
        """How many senders had been told by the time that each transaction was about to begin."""
        self.senders: list[asyncio.Task[Appended]] = []
        self._failing = failing

    @contextlib.contextmanager
    def __call__(self, commands: Sequence[Append]) -> Iterator[None]:
        """Around one transaction."""
        self.batches.append(len(commands))
        self.told.append(sum(sender.done() for sender in self.senders))
        if len(self.batches) - 1 in self._failing:
            raise psycopg.OperationalError("the line is cut")
        yield

    async def send(
        self, database: Database, commands: Sequence[Append], *, times: int = 1
    ) -> list[Appended | BaseException]:
        """Send commands all at once, and others as soon as they are answered; the last answers."""
        commit = GroupCommit(database, self)
        await commit.start()

        async def sender(command: Append) -> Appended:
            for _ in range(times - 1):
                await commit.append(one())
            return await commit.append(command)

        self.senders = [asyncio.create_task(sender(command)) for command in commands]
        answers = await asyncio.gather(*self.senders, return_exceptions=True)
        await commit.stop()
        return answers


async def test_many_senders_form_two_batches_and_the_second_is_sent_before_the_first_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "PROMPT_S", 60.0)
    watched = Watched()
    answers = await watched.send(database, [one() for _ in range(ALTERNATE_MIN)])
    assert watched.batches == [ALTERNATE_MIN // 2] * 2
    assert watched.told == [0, 0]
    assert answers == [Appended(position, position) for position in range(1, ALTERNATE_MIN + 1)]


async def test_many_senders_go_on_to_take_turns(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appender, "PROMPT_S", 60.0)
    watched = Watched()
    await watched.send(database, [one() for _ in range(ALTERNATE_MIN)], times=3)
    assert watched.batches == [ALTERNATE_MIN // 2] * 6


async def test_where_the_database_lets_wait_the_senders_that_are_told_come_into_the_next_batch(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "PROMPT_S", 0.0)
    watched = Watched()
    await watched.send(database, [one() for _ in range(ALTERNATE_MIN)], times=3)
    # The first is formed before anything is known of the database.
    assert watched.batches == [ALTERNATE_MIN // 2, ALTERNATE_MIN, ALTERNATE_MIN, ALTERNATE_MIN // 2]


async def test_few_senders_form_one_batch(database: Database) -> None:
    watched = Watched()
    await watched.send(database, [one() for _ in range(ALTERNATE_MIN - 1)])
    assert watched.batches == [ALTERNATE_MIN - 1]


async def test_who_was_stored_is_told_though_the_next_batch_fails_at_once(
    database: Database, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appender, "PROMPT_S", 60.0)
    watched = Watched(failing=[1])
    commands = [one() for _ in range(ALTERNATE_MIN)]
    answers = await watched.send(database, commands)
    assert len(watched.batches) > 2, "nothing had to be sent again"
    assert answers == [Appended(position, position) for position in range(1, ALTERNATE_MIN + 1)]
    assert _places(postgres_url) == {
        command.events[0].meta.event_id: position for position, command in enumerate(commands, 1)
    }


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_sent_at_once_each_is_told_where_its_events_stand(
    commit: GroupCommit, postgres_url: str, seed: int
) -> None:
    chance = random.Random(seed)
    streams = [uuid7() for _ in range(40)]
    versions = dict.fromkeys(streams, 0)
    sent: list[Append] = []
    known: list[Append] = []
    answers: list[Appended | BaseException] = []
    for _ in range(6):
        round_ = [_command(chance, streams, versions, known) for _ in range(chance.choice((5, 150)))]
        answers += await asyncio.gather(*(commit.append(command) for command in round_), return_exceptions=True)
        sent += round_
        known = [command for command, answer in zip(sent, answers, strict=True) if isinstance(answer, Appended)]
        versions |= {originator(record): record.originator_version for record in stored.log(postgres_url)}
    places = _places(postgres_url)
    for command, answer in zip(sent, answers, strict=True):
        own = [places.get(event.meta.event_id) for event in command.events]
        if isinstance(answer, Appended) and not answer.replayed and own:
            assert own == list(range(answer.first_position, answer.last_position + 1))
        elif isinstance(answer, Appended) and answer.replayed:
            first = next(c for c in sent if c.idempotency == command.idempotency)
            assert places[first.events[0].meta.event_id] == answer.first_position
        elif own:
            assert isinstance(answer, VersionConflict)
            assert own == [None] * len(own)
    kinds = {type(answer) for answer in answers} | {
        "replayed" for a in answers if isinstance(a, Appended) and a.replayed
    }
    assert kinds == {Appended, VersionConflict, "replayed"}
    stored.whole_log(postgres_url)


def _command(chance: random.Random, streams: list[UUID], versions: dict[UUID, int], known: list[Append]) -> Append:
    """One event or some, on a stream or two, at the right version or not; nothing; or what was stored before, again."""
    kind = chance.randrange(10)
    if kind == 0 and known:
        return chance.choice(known)
    if kind == 1:
        return Append(())
    if kind == 2:
        return one(key=idempotency(str(chance.randrange(5))), answer="the answer")
    events = []
    for stream in chance.sample(streams, chance.choice((0, 1, 1, 2))) or [uuid7()]:
        after = versions.get(stream, 0) + chance.choice((0, 0, 0, 1))
        events += [added(stream, after + number) for number in range(1, chance.choice((2, 2, 4)))]
    return Append(tuple(events))


def _places(url: str) -> dict[UUID, int]:
    return {record.meta.event_id: record.id for record in stored.log(url)}
