"""The language of the rules' tests: given these events, when this command, then those events or that refusal."""

from __future__ import annotations

from typing import Any, Generic

from hivesync_core.kernel.decider import Command, Decider, State
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.refusal import Refusal


class Given(Generic[State, Command]):
    """What has happened so far on one stream."""

    def __init__(self, decider: Decider[State, Command], *events: Event) -> None:
        self._decider = decider
        self._events = events

    def when(self, command: Command) -> Then[State, Command]:
        """Decide ``command`` on the state after what has happened."""
        state = self._decider.fold(self._events)
        try:
            return Then(self._decider, state, self._decider.decide(state, command), None)
        except Refusal as refusal:
            return Then(self._decider, state, (), refusal)


class Then(Generic[State, Command]):
    """What a command led to; each check returns this, so that checks can be chained."""

    def __init__(
        self, decider: Decider[State, Command], before: State, events: tuple[Event, ...], refusal: Refusal | None
    ) -> None:
        self._decider = decider
        self._before = before
        self._events = events
        self._refusal = refusal

    def then(self, *events: Event) -> Then[State, Command]:
        """Exactly these events follow."""
        assert self._refusal is None, f"refused with {self._refusal!r}"
        assert self._events == events
        return self

    def then_nothing(self) -> Then[State, Command]:
        """There is nothing to do, and that is no refusal."""
        return self.then()

    def then_refused(self, refusal: type[Refusal], **facts: Any) -> Then[State, Command]:
        """This very refusal follows, and its facts include ``facts``."""
        assert self._refusal is not None, f"not refused, but led to {self._events}"
        assert type(self._refusal) is refusal, f"refused with {self._refusal!r}"
        assert {name: self._refusal.facts.get(name) for name in facts} == facts
        return self

    def then_state(self, **fields: Any) -> Then[State, Command]:
        """The state after it has these fields."""
        assert self._refusal is None, f"refused with {self._refusal!r}"
        state = self._decider.fold(self._events, self._before)
        assert {name: getattr(state, name) for name in fields} == fields
        return self
