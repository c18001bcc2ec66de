"""The catalogue: every event that was ever stored, by its topic, and how old ones are read today."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Union

import msgspec

from hivesync_core.eventstore.errors import Undecodable, UnknownTopic
from hivesync_core.kernel.event import Event

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""A pure function from the JSON object of one stored version to that of the next, its new ``type`` included."""


class Catalogue:
    """Encodes events to their stored JSON and decodes any version that was ever stored.

    ``upcasters`` maps a topic that is no longer written to the function that lifts it one version up; they are chained
    until a topic that is written today is reached. A stored event is never rewritten.
    """

    def __init__(self, events: Iterable[type[Event]], upcasters: Mapping[str, Upcaster] | None = None) -> None:
        self.classes: dict[str, type[Event]] = {}
        for event_class in events:
            topic = event_class.topic()
            assert topic not in self.classes, f"two events have the topic {topic}"
            self.classes[topic] = event_class
        self.upcasters = dict(upcasters or {})
        assert not self.upcasters.keys() & self.classes.keys(), "a topic is either written or upcast"
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(Union[tuple(self.classes.values())])  # noqa: UP007 - built at run time
        self.decode_known = self._decoder.decode
        """``decode`` for those who read much, of what is written today: the topic is theirs to check, any error is
        msgspec's."""

    @property
    def topics(self) -> frozenset[str]:
        """Every topic that can be read: those written today and those that are upcast."""
        return frozenset(self.classes) | frozenset(self.upcasters)

    def encode(self, event: Event) -> bytes:
        """The event's stored form: JSON in UTF-8 with its topic under ``type``."""
        return self._encoder.encode(event)

    def decode(self, topic: str, state: bytes | str) -> Event:
        """The event of a stored topic and payload.

        Raises ``UnknownTopic`` where a newer version stored it, ``Undecodable`` where the payload does not fit.
        """
        try:
            event: Event = self._decoder.decode(state)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if topic in self.upcasters:
                return self._upcast(topic, state)
            if topic not in self.classes:
                raise UnknownTopic(topic) from error
            raise Undecodable(f"a stored {topic} does not decode: {error}") from error
        if self.classes.get(topic) is not type(event):
            raise Undecodable(f"a stored {topic} holds {type(event).topic()}")
        return event

    def _upcast(self, topic: str, state: bytes | str) -> Event:
        try:
            raw = msgspec.json.decode(state, type=dict[str, Any])
            for _ in self.upcasters:
                if topic not in self.upcasters:
                    break
                raw = self.upcasters[topic](raw)
                topic = raw["type"]
            if topic not in self.classes:
                raise UnknownTopic(topic)
            return msgspec.convert(raw, self.classes[topic])
        except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise Undecodable(f"a stored {topic} does not decode: {error}") from error
