"""The upkeep of a read model (REPLAY-3): which events it leaves out, and when it was rebuilt."""

from __future__ import annotations

from typing import assert_never
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from hivesync_core.kernel.decider import Decider
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.text import many_lines
from hivesync_core.operations.commands import REASON_MAX, NoteRebuild, OperationsCommand, SkipEvent
from hivesync_core.operations.events import OperationsEvent, ProjectionEventSkipped, ProjectionRebuilt


class Upkeep(msgspec.Struct, frozen=True):
    """The positions of the events that a read model leaves out."""

    skipped: frozenset[int] = frozenset()


def upkeep_stream(projection: str) -> UUID:
    """The stream of a read model's upkeep."""
    return uuid5(NAMESPACE_URL, f"hivesync:projection:{projection}")


def decide(state: Upkeep, command: OperationsCommand) -> tuple[OperationsEvent, ...]:
    """The events that follow from a command, ``()`` where the event is left out already."""
    match command:
        case SkipEvent():
            reason = many_lines(command.reason, "reason", chars_max=REASON_MAX)
            if command.position in state.skipped:
                return ()
            return (
                ProjectionEventSkipped(
                    projection=command.projection,
                    stream_id=command.stream_id,
                    position=command.position,
                    reason=reason,
                    skipped_by=command.by,
                ),
            )
        case NoteRebuild():
            return (
                ProjectionRebuilt(
                    projection=command.projection,
                    version=command.version,
                    position=command.position,
                    events=command.events,
                    rebuilt_by=command.by,
                ),
            )
        case _:
            assert_never(command)


def evolve(state: Upkeep, event: Event) -> Upkeep:
    """The upkeep after ``event``."""
    match event:
        case ProjectionEventSkipped():
            return Upkeep(state.skipped | {event.position})
        case ProjectionRebuilt():
            return state
        case _:
            raise AssertionError(f"not an event of a read model's upkeep: {event!r}")


upkeep: Decider[Upkeep, OperationsCommand] = Decider(name="projection", initial=Upkeep(), decide=decide, evolve=evolve)
"""The rules of a read model's upkeep; the stream is ``upkeep_stream(projection)``."""
