"""The history over HTTP: the events that one may see, by every filter, in pages and as a stream."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from tests.http.conftest import server
from tests.http.harness import Person, RunningServer, problem

__all__ = ["server"]


async def two_projects(server: RunningServer) -> tuple[Person, Person, UUID, UUID]:
    """Two people with a project each, in which they did this and that."""
    ann, ben = await server.person("ann"), await server.person("ben")
    gardens = []
    for person in (ann, ben):
        project_id = await person.project()
        tasks = [await person.task(project_id, f"Task {number}", description="x" * 100) for number in range(6)]
        for task_id in tasks[:3]:
            await person.post(f"/tasks/{task_id}/complete")
            await person.post(f"/tasks/{task_id}/comments", {"text": "hm"})
        gardens.append(project_id)
    return ann, ben, gardens[0], gardens[1]


async def seeing(server: RunningServer) -> dict[str, str]:
    """The header of a reader who wants to see everything so far."""
    return {"hivesync-min-position": str(await server.events())}


async def every_page(server: RunningServer, person: Person, limit: int = 3, **filters: Any) -> list[dict[str, Any]]:
    """All that the pages hold, in their order."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await person.get(
            "/history", params={"limit": limit, **filters, **cursor}, headers=await seeing(server)
        )
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next_cursor"]}


async def stored(server: RunningServer) -> list[tuple[Any, ...]]:
    """The log, in order: position, stream, topic, actor, time, payload."""
    async with await psycopg.AsyncConnection.connect(server.parts.url) as connection:
        cursor = await connection.execute(
            "SELECT notification_id, originator_id, topic, actor, recorded_at, state FROM eventlog.events ORDER BY 1"
        )
        return await cursor.fetchall()


async def test_each_sees_the_events_of_their_own_projects_and_an_admin_all(server: RunningServer) -> None:
    ann, ben, garden, house = await two_projects(server)
    of_ann, of_ben = await every_page(server, ann), await every_page(server, ben)
    assert {one["project_id"] for one in of_ann} == {str(garden)}
    assert {one["project_id"] for one in of_ben} == {str(house)}
    admin = await server.person("admin", is_admin=True)
    assert len(await every_page(server, admin)) == await server.events()
    plain = Person(admin.account_id, server.client(await server.token(admin.account_id, {"read"})))
    assert await every_page(server, plain) == []
    problem(await ann.get("/history", params={"project_id": str(house)}), 404, "project.not_found")
    stranger = await server.person("stranger")
    assert await every_page(server, stranger) == []


async def test_an_event_is_shown_with_who_when_and_why(server: RunningServer) -> None:
    ann, _, garden, _ = await two_projects(server)
    newest = (await every_page(server, ann, type="task.commented"))[0]
    rows = {row[0]: row for row in await stored(server)}
    _, stream, topic, actor, at, state = rows[newest["position"]]
    payload = msgspec.json.decode(state)
    assert payload.pop("type") == topic == newest["type"] == "task.commented.v1"
    assert newest["data"] == payload
    assert (newest["stream_id"], newest["actor"], newest["project_id"]) == (str(stream), actor, str(garden))
    assert (datetime.fromisoformat(newest["recorded_at"]), newest["version"]) == (at, 3)
    assert newest["actor"] == str(ann.account_id)
    assert newest["command_id"]


async def test_every_filter_gives_exactly_the_events_that_meet_it(server: RunningServer) -> None:
    await two_projects(server)
    admin = await server.person("admin", is_admin=True)
    rows = await stored(server)
    chance = random.Random(5)
    for _ in range(25):
        one, other = sorted(chance.sample(rows, 2))
        filters: dict[str, Any] = {}
        kept = rows
        if chance.random() < 0.4:
            filters["actor"] = one[3]
            kept = [row for row in kept if row[3] == one[3]]
        if chance.random() < 0.4:
            wanted = chance.choice([one[2], one[2].split(".")[0], one[2].rpartition(".")[0]])
            filters["type"] = [wanted, "nothing.v1"]
            kept = [row for row in kept if row[2] == wanted or row[2].startswith(f"{wanted}.")]
        if chance.random() < 0.2:
            filters["stream_id"] = str(one[1])
            kept = [row for row in kept if row[1] == one[1]]
        if chance.random() < 0.4:
            filters["since"], filters["until"] = one[4].isoformat(), other[4].isoformat()
            kept = [row for row in kept if one[4] <= row[4] < other[4]]
        if chance.random() < 0.4:
            filters["after"], filters["through"] = one[0], other[0]
            kept = [row for row in kept if one[0] < row[0] <= other[0]]
        positions = [row[0] for row in kept]
        found = [item["position"] for item in await every_page(server, admin, 11, **filters)]
        assert found == positions[::-1], filters
        found = [item["position"] for item in await every_page(server, admin, 7, order="oldest", **filters)]
        assert found == positions, filters
        answer = await admin.get(
            "/history", params=filters, headers={"accept": "application/x-ndjson", **await seeing(server)}
        )
        assert [msgspec.json.decode(line)["position"] for line in answer.content.splitlines()] == positions


async def test_the_stream_is_lines_of_the_same_events(server: RunningServer) -> None:
    ann, *_ = await two_projects(server)
    answer = await ann.get("/history", headers={"accept": "application/x-ndjson", **await seeing(server)})
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [msgspec.json.decode(line) for line in answer.content.splitlines()]
    assert lines == await every_page(server, ann, order="oldest")


async def test_a_page_of_large_events_ends_early_and_loses_none(server: RunningServer) -> None:
    ann = await server.person("ann")
    project_id = await ann.project()
    for number in range(70):
        await ann.task(project_id, f"Task {number}", description="ü" * 65_000)
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    sizes = []
    while True:
        params = {"limit": "200", "type": "task", **cursor}
        page = (await ann.get("/history", params=params, headers=await seeing(server))).json()
        found += page["items"]
        sizes.append(len(page["items"]))
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(sizes) > 1
    assert [item["data"]["title"] for item in found] == [f"Task {number}" for number in reversed(range(70))]


async def test_nonsense_is_refused(server: RunningServer) -> None:
    ann = await server.person("ann")
    for params in (
        {"actor": "me"}, {"type": "Bad"}, {"since": "yesterday"}, {"until": "2025-13-01T00:00:00Z"}, {"after": "-1"},
        {"order": "best"}, {"limit": "0"}, {"stream_id": "x"},
    ):  # fmt: skip
        assert (await ann.get("/history", params=params)).status_code == 400, params
    problem(await ann.get("/history", params={"cursor": "nonsense"}), 422, "paging.cursor_invalid")
    problem(await ann.get("/history", params={"after": "5", "through": "4"}), 422, "export.selection_refused")
