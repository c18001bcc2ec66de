"""The decider: a feature's rules as three pure values, after Jérémie Chassaing's pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hivesync_core.kernel.event import Event

State = TypeVar("State")
Command = TypeVar("Command")


@dataclass(frozen=True, slots=True)
class Decider(Generic[State, Command]):
    """The rules of one kind of stream.

    ``decide(state, command)`` gives the events that follow, ``()`` where there is nothing to do, and raises a
    ``Refusal`` where the command is not allowed. ``evolve(state, event)`` gives the next state; it never fails on an
    event that ``decide`` gave. Both are pure. ``name`` is what the topics of its events begin with.
    """

    name: str
    initial: State
    decide: Callable[[State, Command], tuple[Event, ...]]
    evolve: Callable[[State, Event], State]

    def owns(self, event: Event) -> bool:
        """Whether an event is of this kind of stream."""
        return event.topic().startswith(f"{self.name}.")

    def fold(self, events: Iterable[Event], state: State | None = None) -> State:
        """The state after ``events``, from ``state`` or from the initial one."""
        folded = self.initial if state is None else state
        for event in events:
            folded = self.evolve(folded, event)
        return folded
