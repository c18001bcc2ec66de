"""The object-centric log keeps the rules of OCEL 2.0 and says of every task what its own rules say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.projects.events import MemberRemoved, ProjectEdited
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.events import (
    EVENTS,
    ExternalAssignee,
    HelpLeaseExpired,
    Priority,
    TaskApproved,
    TaskCompleted,
    TaskImported,
    TaskReassigned,
    TaskRestored,
)
from hivesync_core.tasks.transitions import Status
from projections.engine.stored_text import StoredText
from projections.exports.erasure import Erasures
from projections.exports.ocel.encoder import OcelEncoder
from projections.exports.ocel.vocabulary import TYPES, told_by
from tests.bench.story import Happening, Story

EVENTS_TOLD = 4_000
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ANN = AccountId(UUID(int=0xA1))
PROJECT = ProjectId(UUID(int=0xB1))
TASK = UUID(int=0xC1)


def rows_of(happenings: Iterable[Happening]) -> Iterator[StoredText]:
    catalogue = the_catalogue()
    for position, (stream, version, event, event_id, actor, at, command) in enumerate(happenings, 1):
        yield (
            position, f"{at:%Y-%m-%dT%H:%M:%S.%fZ}", event.topic(), str(stream), version, str(actor), str(event_id),
            str(command), None, str(command), "00" * 32, catalogue.encode(event).decode(),
        )  # fmt: skip


def happening(number: int, event: Event, stream: UUID = TASK) -> Happening:
    at = NOW + timedelta(seconds=number)
    return Happening(stream, number, event, UUID(int=number), str(ANN), at, UUID(int=1_000 + number))


def encoded(rows: Iterable[StoredText], erased: frozenset[str] = frozenset(), page: int = 100) -> dict[str, Any]:
    encoder = OcelEncoder(Erasures(erased), the_catalogue())
    every = list(rows)
    pages = [encoder.encode(every[start : start + page]) for start in range(0, len(every), page)]
    log: dict[str, Any] = json.loads("".join([encoder.header, *pages, encoder.footer()]))
    return log


@pytest.fixture(scope="module")
def story() -> list[Happening]:
    return list(Story(projects=5).happenings(EVENTS_TOLD))


@pytest.fixture(scope="module")
def log(story: list[Happening]) -> dict[str, Any]:
    return encoded(rows_of(story))


def is_time(text: str) -> bool:
    return datetime.fromisoformat(text).tzinfo is not None and "T" in text


def test_it_has_the_shape_that_the_standard_asks_for(log: dict[str, Any]) -> None:
    """What the standard's JSON schema demands: every name, id, type and value a text, and nothing missing."""
    assert set(log) == {"eventTypes", "objectTypes", "events", "objects"}
    for declared in (*log["eventTypes"], *log["objectTypes"]):
        assert isinstance(declared["name"], str)
        for attribute in declared["attributes"]:
            assert set(attribute) == {"name", "type"}
            assert attribute["type"] in ("string", "time", "integer", "float", "boolean")
    for event in log["events"]:
        assert set(event) == {"id", "type", "time", "attributes", "relationships"}
        assert is_time(event["time"])
        assert all(set(attribute) == {"name", "value"} for attribute in event["attributes"])
    for thing in log["objects"]:
        assert set(thing) == {"id", "type", "attributes", "relationships"}
        assert all(set(attribute) == {"name", "time", "value"} for attribute in thing["attributes"])
        assert all(is_time(attribute["time"]) for attribute in thing["attributes"])
    for one in (*log["events"], *log["objects"]):
        assert isinstance(one["id"], str)
        assert all(isinstance(attribute["value"], str) for attribute in one["attributes"])
        assert all(set(related) == {"objectId", "qualifier"} for related in one["relationships"])


def test_everything_that_is_referred_to_is_there_once_and_of_its_declared_type(log: dict[str, Any]) -> None:
    ids = [one["id"] for one in (*log["events"], *log["objects"])]
    assert len(ids) == len(set(ids)), "events and objects are named apart"
    objects = {thing["id"] for thing in log["objects"]}
    attributes = {
        kind: {declared["name"]: {a["name"]: a["type"] for a in declared["attributes"]} for declared in log[kind]}
        for kind in ("eventTypes", "objectTypes")
    }
    for kind, ones in (("eventTypes", log["events"]), ("objectTypes", log["objects"])):
        for one in ones:
            related = [(r["objectId"], r["qualifier"]) for r in one["relationships"]]
            assert len(related) == len(set(related))
            assert {key for key, _ in related} <= objects
            for attribute in one["attributes"]:
                assert fits(attribute["value"], attributes[kind][one["type"]][attribute["name"]])


def fits(value: str, kind: str) -> bool:
    match kind:
        case "integer":
            return str(int(value)) == value
        case "boolean":
            return value in ("true", "false")
        case "time":
            return is_time(value)
        case _:
            return kind == "string"


def test_every_event_is_told_once_with_its_task_its_project_and_its_actor(
    story: list[Happening], log: dict[str, Any]
) -> None:
    assert [event["id"] for event in log["events"]] == [str(one.event_id) for one in story]
    kinds = {thing["id"]: thing["type"] for thing in log["objects"]}
    for one, event in zip(story, log["events"], strict=True):
        related = {(kinds[r["objectId"]], r["qualifier"]): r["objectId"] for r in event["relationships"]}
        assert related["account", "actor"] == str(one.actor)
        if type(one.event) in EVENTS:
            assert related["task", "task"] == str(one.stream_id)
            assert ("project", "project") in related


def test_what_it_says_of_each_task_is_what_the_rules_of_tasks_say(story: list[Happening], log: dict[str, Any]) -> None:
    events: dict[UUID, list[Event]] = {}
    for one in story:
        if type(one.event) in EVENTS:
            events.setdefault(one.stream_id, []).append(one.event)
    tasks = {thing["id"]: thing for thing in log["objects"] if thing["type"] == "task"}
    assert tasks.keys() == {str(stream) for stream in events}
    for stream, told in events.items():
        state = task.fold(told)
        last = {attribute["name"]: attribute["value"] for attribute in tasks[str(stream)]["attributes"]}
        assert last["status"] == state.status
        assert last["assignee"] == str(state.assignee_id or "")
        assert tasks[str(stream)]["relationships"] == [{"objectId": str(state.project_id), "qualifier": "belongs to"}]


def test_pages_of_any_size_make_the_same_log(story: list[Happening]) -> None:
    some = list(rows_of(story[:300]))
    assert encoded(some, page=1) == encoded(some, page=7) == encoded(some, page=300)


def test_nothing_at_all_is_a_log_too() -> None:
    empty = encoded([])
    assert (empty["events"], empty["objects"], empty["eventTypes"]) == ([], [], [])


def test_what_was_imported_happened_when_the_other_system_says() -> None:
    created, closed = NOW - timedelta(days=400), NOW - timedelta(days=300)
    imported = TaskImported(
        project_id=PROJECT, source="github", external_id="7", url=None, title="A leak", description="", labels=(),
        priority=Priority.NONE, due=None, author="octocat", assignees=(ExternalAssignee(name="octocat"),),
        assignee_id=None, created_at=created, updated_at=None, closed_at=closed, closed_reason=None, shortened=(),
        imported_by=ANN,
    )  # fmt: skip
    events: list[Event] = [
        imported,
        TaskCompleted(completed_by=None, occurred_at=closed),
        TaskApproved(approved_by=None, occurred_at=closed),
    ]
    told = encoded(rows_of(happening(number, event) for number, event in enumerate(events, 1)))
    assert [datetime.fromisoformat(event["time"]) for event in told["events"]] == [created, closed, closed]
    recorded = {a["name"]: a["value"] for a in told["events"][0]["attributes"]}["recorded_at"]
    assert datetime.fromisoformat(recorded) == NOW + timedelta(seconds=1)
    assert "octocat" not in json.dumps(told), "names of people elsewhere stay out"


def test_an_erased_account_is_shown_as_erased_wherever_it_stands(story: list[Happening]) -> None:
    assigned = next(one for one in story if isinstance(one.event, TaskReassigned) and one.event.assignee_id)
    assert isinstance(assigned.event, TaskReassigned)
    erased = str(assigned.event.assignee_id)
    told = json.dumps(encoded(rows_of(story), frozenset({erased})))
    assert f"erased-{erased}" in told
    assert told.count(erased) == told.count(f"erased-{erased}")


def test_an_event_of_a_newer_version_is_told_without_its_words() -> None:
    (row,) = rows_of([happening(1, TaskCompleted(completed_by=ANN))])
    newer = (*row[:2], "task.levitated.v9", *row[3:11], '{"type":"task.levitated.v9","height":3}')
    told = encoded([newer])
    assert told["events"][0]["type"] == "task.levitated"
    assert told["objects"][0]["id"] == str(TASK)


@pytest.mark.parametrize("event_class", EVENTS)
def test_every_event_of_tasks_has_words_here(event_class: type[Event]) -> None:
    """An event that is added to the feature and forgotten here would change nothing and name nobody."""
    silent = {"task.help_withdrawn.v1": Status.OPEN, "task.archived.v1": Status.ARCHIVED}
    values = {
        field.name: _anything(field.name, field.type)
        for field in msgspec.structs.fields(event_class)
        if field.required or field.name == "title"
    }
    told = told_by(event_class(**values))
    assert told.people or told.changes or told.attributes
    if event_class.topic() in silent:
        assert told.changes["status"] == silent[event_class.topic()]
    assert set(told.attributes) | set(told.changes) <= set(TYPES)


def _anything(name: str, kind: Any) -> Any:
    if name == "status":
        return Status.OPEN
    if name == "priority":
        return Priority.LOW
    if name == "reopens":
        return True
    if name in ("labels", "assignees", "shortened"):
        return ()
    if name.endswith(("_id", "_by")):
        return ANN
    return NOW if name.endswith("_at") else "text"


def test_what_happens_to_a_project_and_to_leases_is_told() -> None:
    events = [
        happening(1, HelpLeaseExpired(helper_id=ANN, lease_expires_at=NOW)),
        happening(2, TaskRestored(status=Status.HELPING)),
        happening(3, MemberRemoved(account_id=ANN), PROJECT),
        happening(4, ProjectEdited(name="New"), PROJECT),
    ]
    told = encoded(rows_of(events))
    objects = {thing["id"]: {a["name"]: a["value"] for a in thing["attributes"]} for thing in told["objects"]}
    assert objects[str(TASK)]["status"] == "helping"
    assert objects[str(PROJECT)]["name"] == "New"
    assert {"objectId": str(ANN), "qualifier": "member"} in told["events"][2]["relationships"]
