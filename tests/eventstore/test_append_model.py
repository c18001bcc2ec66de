"""The stored function that appends, beside a small model of it: any batches of any commands come out the same."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from hivesync_core.eventstore.records import Append, Idempotency
from tests.eventstore import stored
from tests.eventstore.tally import added

STREAMS, KEYS = 4, 3


class Asked(NamedTuple):
    """A command: for each of some streams how many events and how far off the right version; a key; or a repetition."""

    events: dict[int, tuple[int, int]]
    key: int | None
    body: int
    repeats: int | None
    """The command, counted from the first of all, that is sent again as it was; none for a new one."""


asked = st.builds(
    Asked,
    events=st.dictionaries(
        st.integers(0, STREAMS - 1),
        st.tuples(st.integers(1, 3), st.sampled_from((0, 0, 0, 0, 1, -1))),
        max_size=2,
    ),
    key=st.none() | st.integers(0, KEYS - 1),
    body=st.sampled_from((0, 0, 1)),
    repeats=st.sampled_from((None, None, None, 0, 1, 2, 5)),
)


class Answer(NamedTuple):
    """What a command is answered; where its events stand, for those that have a place."""

    outcome: str
    place: tuple[int, int] | None = None


class Model:
    """The append function in plain Python."""

    def __init__(self, head: int) -> None:
        self.head = head
        self.versions: dict[Any, int] = {}
        self.keys: dict[tuple[str, str], tuple[bytes, tuple[int, int]]] = {}
        self.placed: dict[UUID, int] = {}

    def append(self, batch: list[Append]) -> list[Answer]:
        """What each command of a batch is answered."""
        answers: dict[int, Answer] = {}
        conflicting = {number for number in range(len(batch)) if self._conflicts(batch, number)}
        for number in conflicting:
            ids = [event.meta.event_id for event in batch[number].events]
            if all(event_id in self.placed for event_id in ids):
                answers[number] = Answer("stored", (self.placed[ids[0]], self.placed[ids[-1]]))
        answers |= self._known_keys(batch, set(answers))
        stored_now = [number for number in range(len(batch)) if number not in conflicting | set(answers)]
        answers |= {number: self._store(batch[number]) for number in stored_now}
        for number in stored_now:
            if (key := batch[number].idempotency) is not None:
                self.keys[key[:2]] = (key.fingerprint, answers[number].place or (self.head, self.head))
        return [answers.get(number, Answer("conflict")) for number in range(len(batch))]

    def _conflicts(self, batch: list[Append], number: int) -> bool:
        expected = dict(self.versions)
        for event in batch[number].events:
            stream, version = event.originator_id, event.originator_version
            if any(stream == other.originator_id for earlier in batch[:number] for other in earlier.events):
                return True
            if version != expected.get(stream, min(version - 1, 0)) + 1:
                return True
            expected[stream] = version
        return False

    def _known_keys(self, batch: list[Append], answered: set[int]) -> dict[int, Answer]:
        answers, seen = {}, set()
        for number, command in enumerate(batch):
            if command.idempotency is None or number in answered:
                continue
            key = command.idempotency[:2]
            if key in self.keys:
                fingerprint, place = self.keys[key]
                same = fingerprint == command.idempotency.fingerprint
                answers[number] = Answer("replayed" if same else "reused", place)
            elif key in seen:
                answers[number] = Answer("conflict")
            seen.add(key)
        return answers

    def _store(self, command: Append) -> Answer:
        for event in command.events:
            self.head += 1
            self.versions[event.originator_id] = event.originator_version
            self.placed[event.meta.event_id] = self.head
        return Answer("stored", (self.head - len(command.events) + 1, self.head) if command.events else None)


class Store:
    """The function itself, on a connection of its own; each of its runs has streams and keys of its own."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._streams = [uuid4() for _ in range(STREAMS)]
        self._scope = str(uuid4())
        self._sent: list[Append] = []
        row = connection.execute("SELECT coalesce(max(notification_id), 0) FROM eventlog.events").fetchone()
        assert row is not None
        self.model = Model(row[0])

    def command(self, asked: Asked) -> Append:
        """The command that is asked for, as things stand."""
        if asked.repeats is not None and asked.repeats < len(self._sent):
            return self._sent[asked.repeats]
        events = []
        for number, (count, off) in asked.events.items():
            stream = self._streams[number]
            after = self.model.versions.get(stream, 0) + off
            events += [added(stream, after + offset) for offset in range(1, count + 1) if after + offset >= 0]
        key = None
        if asked.key is not None:
            key = Idempotency(self._scope, str(asked.key), bytes([asked.body]) * 32)
        self._sent.append(Append(tuple(events), key, "answer"))
        return self._sent[-1]

    def append(self, batch: list[Append]) -> list[Answer]:
        """What the function answers."""
        return [
            Answer(outcome, None if _placeless(command, outcome) else (appended.first_position, appended.last_position))
            for command, (outcome, appended) in zip(batch, stored.append(self._connection, batch), strict=True)
        ]

    def placed(self) -> dict[UUID, int]:
        """Where the events of all commands stand in the table."""
        ids = [event.meta.event_id for command in self._sent for event in command.events]
        query = "SELECT event_id, notification_id FROM eventlog.events WHERE event_id = ANY(%s)"
        return dict(self._connection.execute(query, (ids,)).fetchall())


def _placeless(command: Append, outcome: str) -> bool:
    return outcome == "conflict" or (outcome == "stored" and not command.events)


def test_any_batches_come_out_as_in_the_model(any_postgres_url: str) -> None:
    with psycopg.connect(any_postgres_url, autocommit=True) as connection:

        @settings(max_examples=150, deadline=None)
        @given(st.lists(st.lists(asked, min_size=1, max_size=5), min_size=1, max_size=6))
        def check(batches: list[list[Asked]]) -> None:
            store = Store(connection)
            for batch in batches:
                commands = [store.command(command) for command in batch]
                assert store.append(commands) == store.model.append(commands)
            assert store.placed() == store.model.placed

        check()
    stored.whole_log(any_postgres_url)
