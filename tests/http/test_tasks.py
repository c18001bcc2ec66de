"""Tasks over HTTP: every transition of TASK-2, what is refused, and how the board shows it, then and now."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest

from hivesync_core.tasks import commands as core
from hivesync_core.tasks.transitions import Status
from shared.api import tasks as api
from tests.http.harness import Person, RunningServer, problem


class Team(NamedTuple):
    """A project with an owner, two members and an auditor."""

    server: RunningServer
    project_id: UUID
    owner: Person
    ada: Person
    grace: Person
    auditor: Person

    async def board(self, position: int, **query: Any) -> list[dict[str, Any]]:
        """The board once it shows a position."""
        answer = await self.owner.get(
            f"/projects/{self.project_id}/tasks", params=query, headers={"hivesync-min-position": str(position)}
        )
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def state(self, task_id: UUID) -> str:
        """The state that a task is in by the log's own account."""
        shown = (await self.owner.get(f"/tasks/{task_id}", params={"min_position": await self.server.events()})).json()
        return str(shown["task"]["state"])


@pytest.fixture
async def team(server: RunningServer) -> Team:
    """Four people with one project."""
    owner, ada, grace, auditor = [await server.person(name) for name in ("Olga", "Ada", "Grace", "Augusta")]
    project_id = await owner.project(policy={"approvers": "owners", "may_approve_own_work": False})
    await owner.let_in(project_id, ada)
    await owner.let_in(project_id, grace)
    await owner.let_in(project_id, auditor, "auditor")
    return Team(server, project_id, owner, ada, grace, auditor)


async def done(answer: httpx.Response) -> int:
    """The position of a command that was carried out."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    return int(answer.json()["position"])


async def test_a_task_goes_from_open_over_help_to_approved(team: Team) -> None:
    task_id = await team.ada.task(
        team.project_id, "Build the engine", labels=["hot"], priority="high", due="2027-01-31"
    )
    assert await team.state(task_id) == "open"
    await done(await team.ada.post(f"/tasks/{task_id}/request-help", {"reason": "It leaks"}))
    assert await team.state(task_id) == "help_requested"
    await done(await team.grace.post(f"/tasks/{task_id}/claim-help", {"lease_s": 600}))
    await done(await team.grace.post(f"/tasks/{task_id}/check-in", {"lease_s": 1_200}))
    assert await team.state(task_id) == "helping"
    await done(await team.grace.post(f"/tasks/{task_id}/release-help"))
    assert await team.state(task_id) == "help_requested"
    await done(await team.ada.post(f"/tasks/{task_id}/withdraw-help", {}))
    assert await team.state(task_id) == "open"
    await done(await team.ada.post(f"/tasks/{task_id}/complete"))
    await done(await team.owner.post(f"/tasks/{task_id}/deny", {"reason": "No tests"}))
    assert await team.state(task_id) == "open"
    await done(await team.ada.post(f"/tasks/{task_id}/complete"))
    await done(await team.owner.post(f"/tasks/{task_id}/approve"))
    assert await team.state(task_id) == "approved"
    await done(await team.ada.post(f"/tasks/{task_id}/archive"))
    assert await team.state(task_id) == "archived"
    await done(await team.ada.post(f"/tasks/{task_id}/restore"))
    assert await team.state(task_id) == "approved"


async def test_a_transition_that_is_not_allowed_names_those_that_are(team: Team) -> None:
    task_id = await team.ada.task(team.project_id)
    told = problem(await team.owner.post(f"/tasks/{task_id}/approve"), 409, "task.transition_not_allowed")
    assert told["state"] == "open"
    assert told["transition"] == "approve"
    assert set(told["allowed"]) == {"complete", "request_help", "reassign", "edit", "comment", "archive"}
    assert "approve" in told["detail"]
    shown = (await team.ada.get(f"/tasks/{task_id}")).json()
    assert shown["allowed"] == told["allowed"]


async def test_rules_about_people_are_kept_at_the_door(team: Team) -> None:
    task_id = await team.ada.task(team.project_id)
    problem(await team.auditor.post(f"/tasks/{task_id}/complete"), 403, "task.role_only_reads")
    problem(
        await team.auditor.post(f"/projects/{team.project_id}/tasks", {"title": "Mine"}), 403, "task.role_only_reads"
    )
    await done(await team.ada.post(f"/tasks/{task_id}/request-help", {"reason": "It leaks"}))
    problem(await team.ada.post(f"/tasks/{task_id}/claim-help"), 409, "task.own_help_call")
    await done(await team.grace.post(f"/tasks/{task_id}/claim-help"))
    problem(await team.ada.post(f"/tasks/{task_id}/check-in"), 403, "task.not_the_helper")
    await done(await team.grace.post(f"/tasks/{task_id}/complete"))
    problem(await team.ada.post(f"/tasks/{task_id}/approve"), 403, "task.not_a_reviewer")


async def test_the_policy_says_whether_one_approves_ones_own_work(team: Team) -> None:
    task_id = await team.owner.task(team.project_id)
    await done(await team.owner.post(f"/tasks/{task_id}/complete"))
    problem(await team.owner.post(f"/tasks/{task_id}/approve"), 403, "task.own_work_not_approvable")
    policy = {"approvers": "members", "may_approve_own_work": True}
    await done(await team.owner.send("PUT", f"/projects/{team.project_id}/policy", policy, if_match="*"))
    await done(await team.owner.post(f"/tasks/{task_id}/approve"))


async def test_a_task_is_given_to_those_who_may_work(team: Team) -> None:
    task_id = await team.ada.task(team.project_id, assignee_id=str(team.grace.account_id))
    await done(await team.ada.post(f"/tasks/{task_id}/reassign", {"assignee_id": str(team.ada.account_id)}))
    await done(await team.ada.post(f"/tasks/{task_id}/reassign", {"assignee_id": None}))
    for stranger in (team.auditor.account_id, uuid4()):
        answer = await team.ada.post(f"/tasks/{task_id}/reassign", {"assignee_id": str(stranger)})
        problem(answer, 422, "task.assignee_may_not_work")
        answer = await team.ada.post(f"/projects/{team.project_id}/tasks", {"title": "x", "assignee_id": str(stranger)})
        problem(answer, 422, "task.assignee_may_not_work")


async def test_an_edit_overwrites_only_what_was_read(team: Team) -> None:
    task_id = await team.ada.task(team.project_id, due="2027-01-31")
    path = f"/tasks/{task_id}"
    problem(await team.ada.send("PATCH", path, {"title": "New"}), 428, "precondition.required")
    problem(await team.ada.send("PATCH", path, {"title": "New"}, if_match='"2"'), 412, "precondition.failed")
    position = await done(await team.ada.send("PATCH", path, {"title": "New", "due": None}, if_match='"1"'))
    (card,) = await team.board(position)
    assert (card["title"], card["due"], card["priority"]) == ("New", None, "none")
    problem(await team.grace.send("PATCH", path, {"title": "Other"}, if_match='"1"'), 412, "precondition.failed")


async def test_a_transition_may_name_the_version_that_it_was_made_for(team: Team) -> None:
    task_id = await team.ada.task(team.project_id)
    await done(await team.grace.post(f"/tasks/{task_id}/comments", {"text": "Wait"}))
    problem(await team.ada.post(f"/tasks/{task_id}/complete", if_match='"1"'), 412, "precondition.failed")
    await done(await team.ada.post(f"/tasks/{task_id}/complete", if_match='"2"'))


async def test_an_edit_that_changes_nothing_stores_nothing(team: Team) -> None:
    task_id = await team.ada.task(team.project_id, "Same")
    before = await team.server.events()
    answer = await team.ada.send("PATCH", f"/tasks/{task_id}", {"title": "Same"}, if_match='"1"')
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert answer.json()["position"] >= before
    assert await team.server.events() == before


async def test_a_command_without_parameters_takes_no_others(team: Team) -> None:
    task_id = await team.ada.task(team.project_id)
    problem(await team.ada.post(f"/tasks/{task_id}/complete", {"force": True}), 400, "request.invalid")
    problem(await team.ada.client.post(f"/api/v1/tasks/{task_id}/complete", content=b"{"), 400, "request.malformed")


async def test_repeated_with_its_key_a_command_is_carried_out_once(team: Team) -> None:
    task_id = await team.ada.task(team.project_id)
    path = f"/tasks/{task_id}/complete"
    first = await team.ada.post(path, idempotency_key="done")
    again = await team.ada.post(path, idempotency_key="done")
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    problem(await team.ada.post(f"/tasks/{task_id}/archive", idempotency_key="done"), 422, "idempotency.key_reused")
    problem(await team.ada.post(path, {}, idempotency_key="done"), 422, "idempotency.key_reused")
    problem(await team.ada.post(path, idempotency_key="other"), 409, "task.transition_not_allowed")
    await done(await team.grace.post(f"/tasks/{task_id}/comments", {"text": "Well done"}, idempotency_key="done"))


async def test_of_many_who_claim_at_once_one_helps(team: Team) -> None:
    task_id = await team.ada.task(team.project_id)
    await done(await team.ada.post(f"/tasks/{task_id}/request-help", {"reason": "It leaks"}))
    helpers = [team.owner, team.grace] * 10
    answers = await asyncio.gather(*(helper.post(f"/tasks/{task_id}/claim-help") for helper in helpers))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19


async def test_a_stranger_cannot_tell_a_task_of_others_from_none(team: Team) -> None:
    eve = await team.server.person("Eve")
    task_id = await team.ada.task(team.project_id)
    varying = {"instance", "correlation_id"}
    for method, suffix, body in (
        ("GET", "", None),
        ("GET", "/history", None),
        ("GET", "/comments", None),
        ("PATCH", "", {"title": "Mine"}),
        ("POST", "/complete", None),
        ("POST", "/request-help", {"reason": "Help"}),
        ("POST", "/claim-help", None),
        ("POST", "/check-in", None),
        ("POST", "/release-help", None),
        ("POST", "/withdraw-help", None),
        ("POST", "/approve", None),
        ("POST", "/deny", {"reason": "No"}),
        ("POST", "/reassign", {"assignee_id": None}),
        ("POST", "/archive", None),
        ("POST", "/restore", None),
        ("POST", "/comments", {"text": "Hello"}),
    ):
        theirs = problem(
            await eve.send(method, f"/tasks/{task_id}{suffix}", body, if_match='"1"'), 404, "task.not_found"
        )
        none = problem(await eve.send(method, f"/tasks/{uuid4()}{suffix}", body, if_match='"1"'), 404, "task.not_found")
        assert {k: v for k, v in theirs.items() if k not in varying} == {
            k: v for k, v in none.items() if k not in varying
        }


async def test_a_token_without_the_scope_is_told_which_one_it_lacks(team: Team) -> None:
    task_id = await team.ada.task(team.project_id)
    reader = Person(team.ada.account_id, team.server.client(await team.server.token(team.ada.account_id, ("read",))))
    answer = await reader.post(f"/tasks/{task_id}/complete")
    assert problem(answer, 403, "auth.scope_missing")["scope"] == "write"
    writer = Person(team.ada.account_id, team.server.client(await team.server.token(team.ada.account_id, ("write",))))
    problem(await writer.get(f"/tasks/{task_id}"), 403, "auth.scope_missing")
    await done(await writer.post(f"/tasks/{task_id}/complete"))


async def test_the_board_filters_searches_sorts_and_pages(team: Team) -> None:
    titles = ("Alpha engine", "Beta hull", "Gamma engine")
    for number, title in enumerate(titles):
        await team.ada.task(
            team.project_id, title, labels=["hot"] if number else [], priority=("low", "high", "urgent")[number]
        )
    mine = await team.ada.task(team.project_id, "Delta fuel", assignee_id=str(team.grace.account_id))
    position = await done(await team.grace.post(f"/tasks/{mine}/complete"))

    async def found(**query: Any) -> list[str]:
        return [card["title"].split()[0] for card in await team.board(position, sort="title", **query)]

    assert await found() == ["Alpha", "Beta", "Delta", "Gamma"]
    assert await found(state="completed") == ["Delta"]
    assert await found(state=["completed", "open"]) == ["Alpha", "Beta", "Delta", "Gamma"]
    assert await found(label="hot") == ["Beta", "Gamma"]
    assert await found(assignee=str(team.grace.account_id)) == ["Delta"]
    assert await found(assignee="none") == ["Alpha", "Beta", "Gamma"]
    assert await found(q="engine") == ["Alpha", "Gamma"]
    assert await found(q="engine", label="hot", state="open") == ["Gamma"]
    by_priority = await team.board(position, sort="-priority", state="open")
    assert [card["priority"] for card in by_priority] == ["urgent", "high", "low"]
    seen, cursor = [], None
    while True:
        query = {"sort": "-title", "limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await team.ada.get(f"/projects/{team.project_id}/tasks", params=query)).json()
        seen += [card["title"].split()[0] for card in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["Gamma", "Delta", "Beta", "Alpha"]


async def test_the_board_as_it_stood_at_a_position_and_at_a_time(team: Team) -> None:
    first = await team.ada.task(team.project_id, "First")
    then = await team.server.events()
    at = datetime.now(UTC).isoformat()
    await team.ada.task(team.project_id, "Second")
    position = await done(await team.ada.send("PATCH", f"/tasks/{first}", {"title": "Renamed"}, if_match="*"))
    for moment in (str(then), at):
        assert [card["title"] for card in await team.board(position, as_of=moment)] == ["First"]
        detail = (await team.ada.get(f"/tasks/{first}", params={"as_of": moment})).json()
        assert (detail["task"]["title"], detail["text"]["title"]) == ("First", "First")
    assert {card["title"] for card in await team.board(position)} == {"Renamed", "Second"}
    problem(await team.ada.get(f"/tasks/{first}", params={"as_of": 1}), 404, "task.unknown")


async def test_the_difference_of_two_moments(team: Team) -> None:
    kept, renamed = await team.ada.task(team.project_id, "Kept"), await team.ada.task(team.project_id, "Old")
    low = await team.server.events()
    added = await team.ada.task(team.project_id, "Added")
    high = await done(await team.ada.send("PATCH", f"/tasks/{renamed}", {"title": "New"}, if_match="*"))
    path = f"/projects/{team.project_id}/changes"
    told = (await team.ada.get(path, params={"from": low, "to": high})).json()
    assert (told["from_position"], told["to_position"]) == (low, high)
    changes = {change["task_id"]: change for change in told["items"]}
    assert changes.keys() == {str(renamed), str(added)} - {str(kept)}
    assert changes[str(added)]["before"] is None
    assert (changes[str(renamed)]["before"]["title"], changes[str(renamed)]["after"]["title"]) == ("Old", "New")
    assert (await team.ada.get(path, params={"from": high})).json()["items"] == []
    problem(await team.ada.get(path), 400, "request.invalid")
    problem(await team.ada.get(path, params={"from": high, "to": low}), 400, "request.query_invalid")


async def test_why_is_it_in_this_state(team: Team) -> None:
    task_id = await team.ada.task(team.project_id)
    await done(await team.ada.post(f"/tasks/{task_id}/complete"))
    await done(await team.owner.post(f"/tasks/{task_id}/deny", {"reason": "No tests"}))
    first = (await team.auditor.get(f"/tasks/{task_id}/history", params={"limit": 2})).json()
    rest = (await team.auditor.get(f"/tasks/{task_id}/history", params={"cursor": first["next_cursor"]})).json()
    chain = first["items"] + rest["items"]
    assert rest["next_cursor"] is None
    assert [(entry["type"], entry["actor"]) for entry in chain] == [
        ("task.created.v1", str(team.ada.account_id)),
        ("task.completed.v1", str(team.ada.account_id)),
        ("task.denied.v1", str(team.owner.account_id)),
    ]
    assert chain[-1]["data"]["reason"] == "No tests"
    assert [entry["version"] for entry in chain] == [1, 2, 3]
    assert len({entry["command_id"] for entry in chain}) == 3


async def test_comments_are_shown_with_the_task_in_order(team: Team) -> None:
    task_id = await team.ada.task(team.project_id)
    for text in ("One", "Two\nlines", "Three"):
        position = await done(await team.grace.post(f"/tasks/{task_id}/comments", {"text": text}))
    shown = (await team.ada.get(f"/tasks/{task_id}", params={"min_position": position})).json()
    assert [comment["text"] for comment in shown["comments"]] == ["One", "Two\nlines", "Three"]
    page = (await team.ada.get(f"/tasks/{task_id}/comments", params={"limit": 2})).json()
    rest = (await team.ada.get(f"/tasks/{task_id}/comments", params={"cursor": page["next_cursor"]})).json()
    assert [comment["text"] for comment in page["items"] + rest["items"]] == ["One", "Two\nlines", "Three"]


async def test_the_help_queue_shows_place_and_waiting_time(team: Team) -> None:
    waiting = [await team.ada.task(team.project_id, title) for title in ("First", "Second", "Third")]
    for task_id in waiting:
        await done(await team.ada.post(f"/tasks/{task_id}/request-help", {"reason": "It leaks"}))
    position = await done(await team.grace.post(f"/tasks/{waiting[0]}/claim-help"))
    path = f"/projects/{team.project_id}/help-queue"
    queue = (await team.auditor.get(path, params={"min_position": position})).json()["items"]
    assert [(entry["place"], entry["call"]["title"]) for entry in queue] == [
        (1, "Second"),
        (2, "Third"),
        (None, "First"),
    ]
    assert all(0 <= entry["waiting_s"] < 60 for entry in queue)
    assert queue[-1]["call"]["helper_id"] == str(team.grace.account_id)
    assert queue[-1]["call"]["lease_expires_at"] > datetime.now(UTC).isoformat()
    before = (await team.auditor.get(path, params={"as_of": position - 1})).json()["items"]
    assert [entry["place"] for entry in before] == [1, 2, 3]


async def test_a_reader_who_has_the_task_already_is_told_so(team: Team) -> None:
    task_id = await team.ada.task(team.project_id)
    shown = await team.ada.get(f"/tasks/{task_id}")
    again = await team.grace.get(f"/tasks/{task_id}", headers={"if-none-match": shown.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    position = await done(await team.ada.post(f"/tasks/{task_id}/complete"))
    headers = {"if-none-match": shown.headers["etag"], "hivesync-min-position": str(position)}
    assert (await team.grace.get(f"/tasks/{task_id}", headers=headers)).status_code == 200


async def test_a_task_is_to_be_seen_at_once_by_who_made_it(team: Team) -> None:
    for number in range(20):
        task_id = await team.ada.task(team.project_id, f"Task {number}")
        assert (await team.ada.get(f"/tasks/{task_id}")).status_code == 200


def test_the_limits_that_clients_are_told_are_those_of_the_rules() -> None:
    for name in (
        "TITLE_MAX", "DESCRIPTION_MAX", "LABELS_MAX", "LABEL_MAX", "REASON_MAX", "COMMENT_MAX",
        "HELP_LEASE_S", "HELP_LEASE_MIN_S", "HELP_LEASE_MAX_S",
    ):  # fmt: skip
        assert getattr(api, name) == getattr(core, name), name
    assert set(api.StateName.__args__) == set(Status)  # type: ignore[attr-defined]
    assert set(api.PriorityName.__args__) == set(core.Priority)  # type: ignore[attr-defined]
