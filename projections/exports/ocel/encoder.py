"""Writes an object-centric event log as JSON: the events line by line as they come, then the objects they speak of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.errors import Undecodable, UnknownTopic
from hivesync_core.eventstore.records import stream_prefix
from projections.engine.stored_text import StoredText
from projections.exports.erasure import Erasures
from projections.exports.ocel.vocabulary import ACCOUNT, PROJECT, TASK, Told, declared, told_by, utc

_VERSION = ".v"


class OcelEncoder:
    """Writes OCEL 2.0 in JSON.

    Objects are tasks, projects and accounts; accounts have an id alone, ``erased-<id>`` where they were erased. Events
    happen when another system says that they happened, where it does, else when they were recorded. What it keeps in
    memory grows with the objects, not with the events.
    """

    media_type = "application/json"
    header = '{"events":[\n'
    defused = 0

    def __init__(self, erasures: Erasures, catalogue: Catalogue) -> None:
        self._erasures = erasures
        self._catalogue = catalogue
        self._event_types: dict[str, set[str]] = {}
        self._objects: dict[str, dict[str, Any]] = {}
        self._projects: dict[str, str] = {}
        self._events = 0

    def encode(self, rows: Sequence[StoredText]) -> str:
        """One line an event."""
        return "".join([self._line(row) for row in rows])

    def footer(self) -> str:
        """The objects and the types, after the last event."""
        attributes: dict[str, set[str]] = {PROJECT: set(), TASK: set(), ACCOUNT: set()}
        for thing in self._objects.values():
            attributes[thing["type"]].update(attribute["name"] for attribute in thing["attributes"])
        lines = ",\n".join([_json(thing) for thing in self._objects.values()])
        object_types = [{"name": name, "attributes": declared(names)} for name, names in attributes.items()]
        event_types = [
            {"name": name, "attributes": declared(names)} for name, names in sorted(self._event_types.items())
        ]
        return f'],"objects":[\n{lines}\n],"objectTypes":{_json(object_types)},"eventTypes":{_json(event_types)}}}\n'

    def _line(self, row: StoredText) -> str:
        position, recorded_at, topic, stream, _, actor, event_id, *_ = row
        told, project = self._read(topic, stream, row[11])
        at = recorded_at if told.at is None else utc(told.at)
        kind = topic.rpartition(_VERSION)[0] or topic
        attributes = {"position": str(position), "recorded_at": recorded_at, **told.attributes}
        self._event_types.setdefault(kind, set()).update(attributes)
        people = {"actor": actor, **{role: str(account) for role, account in told.people.items() if account}}
        related = [*self._things(stream_prefix(topic), stream, project, at, told)]
        related += [(self._account(account), role) for role, account in people.items()]
        event = {
            "id": event_id,
            "type": kind,
            "time": at,
            "attributes": [{"name": name, "value": value} for name, value in attributes.items()],
            "relationships": [{"objectId": thing, "qualifier": qualifier} for thing, qualifier in related],
        }
        self._events += 1
        return f"{',' if self._events > 1 else ''}{_json(event)}\n"

    def _read(self, topic: str, stream: str, state: str) -> tuple[Told, str | None]:
        """What the event says, and the project that its stream belongs to; an unreadable one says nothing."""
        try:
            event = self._catalogue.decode(topic, state)
        except (UnknownTopic, Undecodable):
            return Told(), self._projects.get(stream)
        project = getattr(event, "project_id", None)
        if project is not None:
            self._projects.setdefault(stream, str(project))
        return told_by(event), self._projects.get(stream)

    def _things(self, kind: str, stream: str, project: str | None, at: str, told: Told) -> list[tuple[str, str]]:
        """The task and the project of an event, brought up to date by what it changes."""
        if kind == PROJECT:
            self._change(stream, PROJECT, at, told)
            return [(stream, PROJECT)]
        if kind == ACCOUNT:
            return [(self._account(stream), ACCOUNT)]
        related = []
        if kind == TASK:
            self._change(stream, TASK, at, told)
            related.append((stream, TASK))
        if project is not None:
            self._object(project, PROJECT)
            related.append((project, PROJECT))
            if kind == TASK and not self._objects[stream]["relationships"]:
                self._objects[stream]["relationships"].append({"objectId": project, "qualifier": "belongs to"})
        return related

    def _change(self, key: str, kind: str, at: str, told: Told) -> None:
        values = {
            name: self._erasures.actor(value) if name == "assignee" else value for name, value in told.changes.items()
        }
        changes = [{"name": name, "time": at, "value": value} for name, value in values.items()]
        self._object(key, kind)["attributes"].extend(changes)

    def _account(self, account: str) -> str:
        shown = self._erasures.actor(account)
        self._object(shown, ACCOUNT)
        return shown

    def _object(self, key: str, kind: str) -> dict[str, Any]:
        thing = self._objects.get(key)
        if thing is None:
            thing = self._objects[key] = {"id": key, "type": kind, "attributes": [], "relationships": []}
        return thing


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
