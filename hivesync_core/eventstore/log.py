"""The Log: the one door to the write side. It loads a stream, lets its rules decide, and appends what follows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from hivesync_core.eventstore.errors import StoreError, StoreUnavailable, UnexpectedVersion, VersionConflict
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.patience import within
from hivesync_core.eventstore.ports import EventAppender, StreamReader
from hivesync_core.eventstore.records import Append, Appended, Idempotency
from hivesync_core.eventstore.turns import Turns
from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event, Meta
from hivesync_core.kernel.ports import IdSource
from hivesync_core.kernel.refusal import Refusal

CACHED_STREAMS_MAX = 20_000
ATTEMPTS_MAX = 8
EXECUTE_WAIT_S = 4.5
"""How long a command may take in all, its wait for earlier commands on the same stream included, before it is told that
the store does not answer; under the five seconds promised, with room for what a request does before it."""


class Context(NamedTuple):
    """Who gives a command, when, and in the course of what.

    ``actor`` is an account id as text, or ``system``; ``at`` is UTC. The same context may serve several commands of
    one request.
    """

    actor: str
    at: datetime
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID | None = None
    idempotency: Idempotency | None = None


class Submission(NamedTuple):
    """A command for one stream."""

    decider: Decider[Any, Any]
    stream_id: UUID
    command: Any
    expected_version: int | None = None


class Loaded(NamedTuple):
    """A stream's state, and the version that it is the state of; version 0 where there is no such stream.

    ``position`` is a place in the log at which the stream already stood so. ``fresh`` says that it was read from the
    store just now, not taken from the cache.
    """

    state: Any
    version: int
    position: int = 0
    fresh: bool = False


class Outcome(NamedTuple):
    """What a command led to: the stream's version, the log's position, the events (none where nothing was to do).

    Whoever reads at ``position`` or after sees what the command did or found done. ``replayed`` says that the command
    had been given before under the same idempotency key.
    """

    stream_id: UUID
    version: int
    position: int
    events: tuple[Event, ...] = ()
    replayed: bool = False


class _Answer(msgspec.Struct, frozen=True):
    """What is kept for a repetition of a command: stream and version of each of its outcomes."""

    outcomes: list[tuple[UUID, int]]


class _Cached(NamedTuple):
    decider: Decider[Any, Any]
    loaded: Loaded


class _Decision(NamedTuple):
    """What follows from one command, and its stream's state before and after."""

    before: Loaded
    after: Loaded
    events: tuple[Event, ...]


class Log:
    """Executes commands against streams.

    States are cached by process. The cache may be behind: an append names the version that it was decided on and is
    refused when that is not the last, and a refusal or an empty decision is only believed when the state was read from
    the store. ``forget`` drops a stream that another process moved on.
    """

    def __init__(self, appender: EventAppender, reader: StreamReader, mapper: MsgspecMapper, new_id: IdSource) -> None:
        self._appender = appender
        self._reader = reader
        self._mapper = mapper
        self._new_id = new_id
        self._states: OrderedDict[UUID, _Cached] = OrderedDict()
        self._turns = Turns()

    async def state(self, decider: Decider[Any, Any], stream_id: UUID, *, fresh: bool = False) -> Loaded:
        """A stream's state, from the cache unless ``fresh`` is asked for; raises ``StoreUnavailable``."""
        cached = None if fresh else self._cached(decider, stream_id)
        return cached or await self._read(decider, stream_id)

    def forget(self, stream_id: UUID, version: int) -> None:
        """Drop what is cached of a stream that is known to have reached ``version``."""
        cached = self._states.get(stream_id)
        if cached is not None and cached.loaded.version < version:
            del self._states[stream_id]

    def forget_all(self) -> None:
        """Drop everything cached: what happened meanwhile is not known."""
        self._states.clear()

    async def execute(
        self,
        decider: Decider[Any, Any],
        stream_id: UUID,
        command: Any,
        context: Context,
        *,
        expected_version: int | None = None,
    ) -> Outcome:
        """Give one command to one stream; see ``execute_all``."""
        outcomes = await self.execute_all([Submission(decider, stream_id, command, expected_version)], context)
        return outcomes[0]

    async def execute_all(self, submissions: Sequence[Submission], context: Context) -> list[Outcome]:
        """Give commands to one stream or several; all that follows from them is stored together, or nothing.

        Commands to the same stream are decided one after the other. A stream on which nothing follows is not held: it
        may have moved on by the time that the others are stored.

        Raises ``Refusal`` where the rules do not allow one, ``UnexpectedVersion`` where a stream is not where the
        caller believes it, ``IdempotencyKeyReused``, ``StoreBusy``, ``StoreUnavailable``, and ``VersionConflict`` when
        others were faster ``ATTEMPTS_MAX`` times.
        """
        # In one order, so that no two commands wait for each other.
        streams = sorted({submission.stream_id for submission in submissions})
        taken = 0
        try:
            with within(EXECUTE_WAIT_S):
                for stream_id in streams:
                    await self._turns.take(stream_id)
                    taken += 1
                return await self._execute(submissions, context)
        except TimeoutError as error:
            raise StoreUnavailable(f"the command was not confirmed within {EXECUTE_WAIT_S} s") from error
        finally:
            for stream_id in streams[:taken]:
                self._turns.leave(stream_id)

    async def _execute(self, submissions: Sequence[Submission], context: Context) -> list[Outcome]:
        fresh = False
        for _ in range(ATTEMPTS_MAX):
            loaded = await self._load(submissions, fresh=fresh)
            try:
                outcomes = await self._attempt(submissions, loaded, context)
            except VersionConflict:
                outcomes = None
            if outcomes is not None:
                return outcomes
            fresh = True
        raise VersionConflict("others changed the same thing at the same time; try again")

    async def _load(self, submissions: Sequence[Submission], *, fresh: bool) -> dict[UUID, Loaded]:
        loaded: dict[UUID, Loaded] = {}
        for decider, stream_id, _, _ in submissions:
            if stream_id in loaded:
                continue
            cached = None if fresh else self._cached(decider, stream_id)
            # Not by way of ``state``: most commands find everything here, and nothing to wait for.
            loaded[stream_id] = cached or await self._read(decider, stream_id)
        return loaded

    async def _attempt(
        self, submissions: Sequence[Submission], loaded: Mapping[UUID, Loaded], context: Context
    ) -> list[Outcome] | None:
        """One decision and its append; none where the states must be read again before the answer can be given."""
        believed = all(state.fresh for state in loaded.values())
        try:
            decisions = _decide(submissions, loaded)
        except (Refusal, UnexpectedVersion):
            if not believed:
                return None
            earlier = context.idempotency and await self._appender.find_answer(context.idempotency)
            if not earlier:
                raise
            return _repeated(earlier)
        if not believed and not all(decision.events for decision in decisions):
            return None
        return await self._append(submissions, decisions, context)

    async def _append(
        self, submissions: Sequence[Submission], decisions: Sequence[_Decision], context: Context
    ) -> list[Outcome]:
        events, reached = [], []
        for (_, stream_id, _, _), (before, after, decided) in zip(submissions, decisions, strict=True):
            for version, event in enumerate(decided, before.version + 1):
                events.append(self._mapper.to_new_event(stream_id, version, event, self._meta(context)))
            reached.append((stream_id, after.version))
        if not events and context.idempotency is None:
            position = max((decision.before.position for decision in decisions), default=0)
            return [Outcome(stream_id, version, position) for stream_id, version in reached]
        answer = msgspec.json.encode(_Answer(reached)).decode() if context.idempotency else ""
        try:
            appended = await self._appender.append(Append(tuple(events), context.idempotency, answer))
        except StoreError:
            for stream_id, _ in reached:
                self._states.pop(stream_id, None)
            raise
        if appended.replayed:
            return _repeated(appended)
        for submission, decision in zip(submissions, decisions, strict=True):
            after = decision.after._replace(position=appended.last_position)
            self._cache(submission.decider, submission.stream_id, after)
        return [
            Outcome(stream_id, version, appended.last_position, decision.events)
            for (stream_id, version), decision in zip(reached, decisions, strict=True)
        ]

    def _meta(self, context: Context) -> Meta:
        return Meta(
            event_id=self._new_id(),
            recorded_at=context.at,
            actor=context.actor,
            correlation_id=context.correlation_id,
            causation_id=context.causation_id,
            command_id=context.command_id,
        )

    def _cached(self, decider: Decider[Any, Any], stream_id: UUID) -> Loaded | None:
        """What is known of a stream; a cache that is full forgets what was not asked for the longest."""
        cached = self._states.get(stream_id)
        if cached is None or cached.decider is not decider:
            return None
        self._states.move_to_end(stream_id)
        return cached.loaded

    async def _read(self, decider: Decider[Any, Any], stream_id: UUID) -> Loaded:
        """Read a stream, from where the cache stands."""
        before = self._cached(decider, stream_id) or Loaded(decider.initial, 0)
        recorded = await self._reader.read_stream(stream_id, after_version=before.version)
        if not recorded:
            return before._replace(fresh=True)
        if not decider.owns(recorded[0].event):
            # The id of another kind of stream: of this kind there is none with it.
            return Loaded(decider.initial, 0, fresh=True)
        state = decider.fold((r.event for r in recorded), before.state)
        loaded = Loaded(state, recorded[-1].version, recorded[-1].position)
        self._cache(decider, stream_id, loaded)
        return loaded._replace(fresh=True)

    def _cache(self, decider: Decider[Any, Any], stream_id: UUID, loaded: Loaded) -> None:
        self._states[stream_id] = _Cached(decider, loaded)
        self._states.move_to_end(stream_id)
        if len(self._states) > CACHED_STREAMS_MAX:
            self._states.popitem(last=False)


def _decide(submissions: Sequence[Submission], loaded: Mapping[UUID, Loaded]) -> list[_Decision]:
    """What follows from each command, in turn; the state after it is folded before anything is stored."""
    states = dict(loaded)
    decisions = []
    for decider, stream_id, command, expected in submissions:
        before = states[stream_id]
        if expected is not None and expected != before.version:
            raise UnexpectedVersion(stream_id, expected, before.version)
        events = decider.decide(before.state, command)
        after = Loaded(decider.fold(events, before.state), before.version + len(events), before.position)
        states[stream_id] = after
        decisions.append(_Decision(before, after, events))
    return decisions


def _repeated(earlier: Appended) -> list[Outcome]:
    """The outcomes that an earlier command with the same key had."""
    answer = msgspec.json.decode(earlier.answer, type=_Answer)
    return [Outcome(stream_id, version, earlier.last_position, replayed=True) for stream_id, version in answer.outcomes]
