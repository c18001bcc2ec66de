"""Events and the envelope that they are stored in; the event says what happened, the envelope who, when, where."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """A fact that cannot change, and so cannot be part of a reference cycle: the garbage collector may pass it by.

    A subclass names its stored topic with ``tag="feature.what_happened.v1"``. The tag is the contract with every
    event ever stored: it outlives the class's name and module. A changed shape is a new tag and an upcaster.
    """

    @classmethod
    def topic(cls) -> str:
        """The tag under which events of this class are stored, for example ``task.help_claimed.v1``."""
        tag = cls.__struct_config__.tag
        assert isinstance(tag, str), f"{cls.__name__} has no tag"
        return tag


class Meta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who caused an event, when it was recorded, and by which command.

    ``actor`` is an account id as text, or ``system``. ``correlation_id`` is shared by everything that one request set
    in motion; ``causation_id`` is the event or command that led to this one, none for a person's own command;
    ``command_id`` is shared by the events of one command.
    """

    event_id: UUID
    recorded_at: datetime
    actor: str
    correlation_id: UUID
    causation_id: UUID | None = None
    command_id: UUID


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """A stored event: its place in the log, its place in its stream, and the event.

    ``position`` counts every event of the store from 1 without a gap; ``version`` counts the events of one stream
    from 1 without a gap.
    """

    position: int
    stream_id: UUID
    version: int
    event: Any
    meta: Meta
