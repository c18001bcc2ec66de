"""Two Logs with caches of their own on one store, beside a model: whatever the order, they answer as one would."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adapters.ids import uuid7
from hivesync_core.eventstore.errors import UnexpectedVersion
from hivesync_core.eventstore.log import Log, Outcome, Submission
from hivesync_core.eventstore.memory import MemoryStore
from hivesync_core.kernel.refusal import Refusal
from tests.eventstore.tally import (
    CATALOGUE,
    MAPPER,
    Add,
    Close,
    Tally,
    context,
    decide,
    evolve,
    idempotency,
    tally,
)

STREAMS = 3
commands = st.builds(Add, st.integers(1, 4), st.integers(1, 2)) | st.just(Close())


class TwoLogs(RuleBasedStateMachine):
    """Commands come through either Log; each is decided here on the true state too."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = MemoryStore(CATALOGUE)
        self.logs = [Log(self.store, self.store, MAPPER, uuid7) for _ in range(2)]
        self.streams = [uuid7() for _ in range(STREAMS)]
        self.states = [Tally()] * STREAMS
        self.versions = [0] * STREAMS
        self.keys: dict[int, tuple[Any, list[Outcome]]] = {}

    @rule(
        log=st.integers(0, 1),
        stream=st.integers(0, STREAMS - 1),
        command=commands,
        expected=st.none() | st.integers(0, 4),
    )
    def execute(self, log: int, stream: int, command: Add | Close, expected: int | None) -> None:
        """One command, for a certain version or for any."""
        execution = self.logs[log].execute(tally, self.streams[stream], command, context(), expected_version=expected)
        if expected not in (None, self.versions[stream]):
            assert isinstance(self._run(execution), UnexpectedVersion)
            return
        self._check(self._run(execution), [(stream, command)])

    @rule(
        log=st.integers(0, 1), asked=st.lists(st.tuples(st.integers(0, STREAMS - 1), commands), min_size=2, max_size=3)
    )
    def execute_all(self, log: int, asked: list[tuple[int, Add | Close]]) -> None:
        """Several commands, on different streams or on the same, all or nothing."""
        submissions = [Submission(tally, self.streams[stream], command) for stream, command in asked]
        self._check(self._run(self.logs[log].execute_all(submissions, context())), asked)

    @rule(log=st.integers(0, 1), stream=st.integers(0, STREAMS - 1), command=commands, key=st.integers(0, 2))
    def execute_with_key(self, log: int, stream: int, command: Add | Close, key: int) -> None:
        """A command with a key: the first that succeeds counts, its repetitions do nothing."""
        body = f"{stream} {command}".encode()
        first = self.keys.get(key)
        if first is not None and first[0] != (stream, command):
            return
        answer = self._run(
            self.logs[log].execute(tally, self.streams[stream], command, context(idempotency(str(key), body[:32])))
        )
        if first is not None:
            assert isinstance(answer, Outcome)
            assert (answer.replayed, answer[:3]) == (True, first[1][0][:3])
            return
        self._check(answer, [(stream, command)])
        if isinstance(answer, Outcome):
            self.keys[key] = ((stream, command), [answer])

    @rule(log=st.integers(0, 1))
    def forget(self, log: int) -> None:
        """A cache is emptied."""
        self.logs[log].forget_all()

    @invariant()
    def what_is_stored_is_what_was_answered(self) -> None:
        """The log folds to the states that the model has, through fresh eyes and through old ones."""
        for number, stream in enumerate(self.streams):
            loaded = self._run(self.logs[0].state(tally, stream, fresh=True))
            assert (loaded.state, loaded.version) == (self.states[number], self.versions[number])

    def teardown(self) -> None:
        """The event loop ends with the machine."""
        self.runner.close()

    def _run(self, call: Coroutine[Any, Any, Any]) -> Any:
        """The answer, or the error that was raised."""
        try:
            return self.runner.run(call)
        except (Refusal, UnexpectedVersion) as error:
            return error

    def _check(self, answer: Any, asked: list[tuple[int, Add | Close]]) -> None:
        states, versions = list(self.states), list(self.versions)
        decided = []
        refused: Refusal | None = None
        try:
            for stream, command in asked:
                events = decide(states[stream], command)
                for event in events:
                    states[stream] = evolve(states[stream], event)
                versions[stream] += len(events)
                decided.append((self.streams[stream], versions[stream], events))
        except Refusal as refusal:
            refused = refusal
        if refused is not None:
            assert type(answer) is type(refused)
            return
        outcomes = [answer] if isinstance(answer, Outcome) else answer
        assert [(outcome.stream_id, outcome.version, outcome.events) for outcome in outcomes] == decided
        self.states, self.versions = states, versions


TestTwoLogs = TwoLogs.TestCase
TestTwoLogs.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
