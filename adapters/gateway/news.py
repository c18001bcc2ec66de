"""An event of the log as sockets are sent it: whom it concerns, and its frame, made once when the first one wants it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from adapters.gateway.audience import Audience
from adapters.gateway.frames import text_frame
from projections.engine.entries import Entry, Unreadable
from shared.socket.messages import EventMessage

_encode = msgspec.json.Encoder().encode


class News:
    """One event and the audience that it has."""

    __slots__ = ("_frame", "account", "entry", "position", "project")

    def __init__(self, entry: Entry, audience: Audience) -> None:
        self.entry = entry
        self.position = entry.recorded.position
        self.project, self.account = audience
        self._frame: bytes | None = None

    @property
    def event(self) -> Any:
        """The event, or the mark of one that cannot be read here."""
        return self.entry.recorded.event

    @property
    def readable(self) -> bool:
        """Whether there is anything that could be sent."""
        return type(self.event) is not Unreadable

    @property
    def frame(self) -> bytes:
        """The WebSocket frame of the message."""
        if self._frame is None:
            self._frame = text_frame(_encode(event_message(self.entry, self.project)))
        return self._frame


def event_message(entry: Entry, project: int | None) -> EventMessage:
    """The message of an event in its envelope."""
    recorded, meta = entry.recorded, entry.recorded.meta
    event_type, schema_version = split_topic(type(recorded.event).topic())
    return EventMessage(
        event_type=event_type,
        payload=msgspec.Raw(_untagged(_encode(recorded.event))),
        position=recorded.position,
        stream_id=recorded.stream_id,
        version=recorded.version,
        time=meta.recorded_at,
        actor=meta.actor,
        project_id=None if project is None else UUID(int=project),
        event_id=meta.event_id,
        schema_version=schema_version,
    )


@lru_cache(maxsize=1_000)
def split_topic(topic: str) -> tuple[str, int]:
    """Name and version of a topic: ``task.created`` and 1 of ``task.created.v1``."""
    name, _, version = topic.rpartition(".v")
    return name, int(version)


def _untagged(text: bytes) -> bytes:
    """An event's JSON without its topic, which it begins with: ``{"type":"task.created.v1","title":…`` or no more."""
    end = text.index(b'"', len(b'{"type":"')) + 1
    return b"{" + text[end:].removeprefix(b",")
