"""Projects over HTTP: making, editing, members, policy, and who may know of them (TASK-1)."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from tests.http.harness import RunningServer, problem, running


async def test_who_makes_a_project_owns_it(server: RunningServer) -> None:
    ada = await server.person("Ada")
    answer = await ada.post("/projects", {"name": " Apollo ", "description": "To the moon"})
    assert answer.status_code == 201
    project_id = answer.json()["id"]
    assert answer.headers["location"] == f"/api/v1/projects/{project_id}"
    assert answer.headers["etag"] == '"1"'
    shown = (await ada.get(f"/projects/{project_id}")).json()
    assert (shown["name"], shown["description"], shown["version"]) == ("Apollo", "To the moon", 1)
    assert [(m["account_id"], m["role"]) for m in shown["members"]] == [(str(ada.account_id), "owner")]
    assert shown["policy"] == {"approvers": "owners", "may_approve_own_work": True}


async def test_an_edit_needs_the_version_that_was_read(server: RunningServer) -> None:
    ada = await server.person("Ada")
    project_id = await ada.project()
    path = f"/projects/{project_id}"
    problem(await ada.send("PATCH", path, {"name": "Gemini"}), 428, "precondition.required")
    problem(await ada.send("PATCH", path, {"name": "Gemini"}, if_match="3"), 400, "request.header_invalid")
    problem(await ada.send("PATCH", path, {"name": "Gemini"}, if_match='"1", "2"'), 400, "request.header_invalid")
    problem(await ada.send("PATCH", path, {"name": "Gemini"}, if_match='W/"1"'), 412, "precondition.failed")
    told = problem(await ada.send("PATCH", path, {"name": "Gemini"}, if_match='"7"'), 412, "precondition.failed")
    assert (told["expected_version"], told["actual_version"]) == (7, 1)
    edited = await ada.send("PATCH", path, {"name": "Gemini"}, if_match='"1"')
    assert (edited.status_code, edited.json()["version"], edited.headers["etag"]) == (200, 2, '"2"')
    problem(await ada.send("PATCH", path, {"name": "Mercury"}, if_match='"1"'), 412, "precondition.failed")
    anyway = await ada.send("PATCH", path, {"name": "Mercury"}, if_match="*")
    assert anyway.json()["version"] == 3


async def test_what_one_wrote_one_reads(server: RunningServer) -> None:
    ada = await server.person("Ada")
    project_id = await ada.project()
    for number in range(20):
        edited = await ada.send("PATCH", f"/projects/{project_id}", {"name": f"Apollo {number}"}, if_match="*")
        shown = await ada.get(
            f"/projects/{project_id}", headers={"hivesync-min-position": str(edited.json()["position"])}
        )
        assert shown.json()["name"] == f"Apollo {number}"


async def test_a_reader_waits_for_the_position_that_was_asked_for_and_no_longer_than_promised(
    postgres_url: str,
) -> None:
    async with running(postgres_url, roles=frozenset({"api"})) as server:
        ada = await server.person("Ada")
        edited = await ada.post("/projects", {"name": "Apollo"})
        wanted = {"hivesync-min-position": str(edited.json()["position"])}
        answer = await ada.get("/projects", headers=wanted)
        problem(answer, 503, "projection.not_yet_visible")
        assert answer.headers["retry-after"] == "1"
        waiting = asyncio.create_task(ada.get("/projects", headers=wanted))
        await server.parts.projector.prepare()
        await server.parts.projector.start()
        try:
            assert [project["name"] for project in (await waiting).json()["items"]] == ["Apollo"]
        finally:
            await server.parts.projector.stop()


async def test_a_reader_who_has_it_already_is_told_so(server: RunningServer) -> None:
    ada = await server.person("Ada")
    project_id = await ada.project()
    shown = await ada.get(f"/projects/{project_id}")
    again = await ada.get(f"/projects/{project_id}", headers={"if-none-match": shown.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", shown.headers["etag"])


async def test_an_owner_lets_others_in_changes_their_role_and_takes_them_out(server: RunningServer) -> None:
    ada, grace = await server.person("Ada"), await server.person("Grace")
    project_id = await ada.project()
    path = f"/projects/{project_id}/members/{grace.account_id}"
    problem(await grace.get(f"/projects/{project_id}"), 404, "project.not_found")
    assert (await ada.send("PUT", path, {"role": "auditor"})).status_code == 200
    assert (await grace.get(f"/projects/{project_id}")).status_code == 200
    assert (await ada.send("PUT", path, {"role": "member"})).status_code == 200
    assert (await ada.send("DELETE", path)).status_code == 200
    problem(await grace.get(f"/projects/{project_id}"), 404, "project.not_found")
    problem(await ada.send("DELETE", path), 404, "project.member_not_found")


async def test_an_account_that_does_not_exist_cannot_become_a_member(server: RunningServer) -> None:
    ada = await server.person("Ada")
    project_id = await ada.project()
    problem(
        await ada.send("PUT", f"/projects/{project_id}/members/{uuid4()}", {"role": "member"}), 404, "account.unknown"
    )


async def test_the_last_owner_stays(server: RunningServer) -> None:
    ada = await server.person("Ada")
    project_id = await ada.project()
    path = f"/projects/{project_id}/members/{ada.account_id}"
    problem(await ada.send("DELETE", path), 409, "project.last_owner")
    problem(await ada.send("PUT", path, {"role": "member"}), 409, "project.last_owner")


async def test_a_member_neither_edits_nor_invites_and_may_leave(server: RunningServer) -> None:
    ada, grace = await server.person("Ada"), await server.person("Grace")
    project_id = await ada.project()
    await ada.let_in(project_id, grace)
    policy = {"approvers": "members", "may_approve_own_work": True}
    for answer in (
        await grace.send("PATCH", f"/projects/{project_id}", {"name": "Mine"}, if_match="*"),
        await grace.send("PUT", f"/projects/{project_id}/policy", policy, if_match="*"),
        await grace.send("PUT", f"/projects/{project_id}/members/{grace.account_id}", {"role": "owner"}),
        await grace.send("DELETE", f"/projects/{project_id}/members/{ada.account_id}"),
    ):
        problem(answer, 403, "project.not_an_owner")
    assert (await grace.send("DELETE", f"/projects/{project_id}/members/{grace.account_id}")).status_code == 200


async def test_a_stranger_cannot_tell_a_project_of_others_from_none(server: RunningServer) -> None:
    ada, eve = await server.person("Ada"), await server.person("Eve")
    project_id = await ada.project()
    for method, suffix, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine"}),
        ("PUT", "/policy", {"approvers": "members", "may_approve_own_work": True}),
        ("PUT", f"/members/{eve.account_id}", {"role": "owner"}),
        ("DELETE", f"/members/{ada.account_id}", None),
        ("POST", "/tasks", {"title": "Mine"}),
        ("GET", "/tasks", None),
        ("GET", "/help-queue", None),
        ("GET", "/changes?from=0", None),
    ):
        theirs = await eve.send(method, f"/projects/{project_id}{suffix}", body, if_match='"1"')
        none = await eve.send(method, f"/projects/{uuid4()}{suffix}", body, if_match='"1"')
        told, nothing = problem(theirs, 404, "project.not_found"), problem(none, 404, "project.not_found")
        varying = {"instance", "correlation_id"}
        assert {k: v for k, v in told.items() if k not in varying} == {
            k: v for k, v in nothing.items() if k not in varying
        }


async def test_an_admin_manages_every_project_and_reads_the_tasks_of_none(server: RunningServer) -> None:
    ada, root = await server.person("Ada"), await server.person("Root", is_admin=True)
    project_id = await ada.project()
    await ada.task(project_id)
    assert (await root.get(f"/projects/{project_id}")).status_code == 200
    assert (
        await root.send("PUT", f"/projects/{project_id}/members/{root.account_id}", {"role": "owner"})
    ).status_code == 200
    stranger = await server.person("Rudi", is_admin=True)
    problem(await stranger.get(f"/projects/{project_id}/tasks"), 404, "project.not_found")
    without_scope = server.client(await server.token(stranger.account_id, ("read", "write")))
    assert (await without_scope.get(f"/api/v1/projects/{project_id}")).status_code == 404


async def test_one_sees_ones_projects_by_name_in_pages(server: RunningServer) -> None:
    ada, grace = await server.person("Ada"), await server.person("Grace")
    for name in ("Gemini", "Apollo", "Mercury"):
        last = await ada.post("/projects", {"name": name})
    await grace.project("Vostok")
    seen, cursor = [], None
    while True:
        query = {"limit": 2, "min_position": last.json()["position"], **({"cursor": cursor} if cursor else {})}
        page = (await ada.get("/projects", params=query)).json()
        seen += [project["name"] for project in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["Apollo", "Gemini", "Mercury"]


async def test_a_project_as_it_stood(server: RunningServer) -> None:
    ada, grace = await server.person("Ada"), await server.person("Grace")
    made = (await ada.post("/projects", {"name": "Apollo"})).json()
    await ada.let_in(made["id"], grace)
    renamed = (await ada.send("PATCH", f"/projects/{made['id']}", {"name": "Gemini"}, if_match="*")).json()
    path = f"/projects/{made['id']}"
    then = (await ada.get(path, params={"as_of": made["position"]})).json()
    now = (await ada.get(path, params={"as_of": renamed["position"]})).json()
    assert (then["name"], len(then["members"])) == ("Apollo", 1)
    assert (now["name"], len(now["members"])) == ("Gemini", 2)
    problem(await ada.get(path, params={"as_of": 0}), 404, "project.unknown")
    assert [p["name"] for p in (await grace.get("/projects", params={"as_of": made["position"]})).json()["items"]] == [
        "Apollo"
    ]


async def test_the_same_key_and_body_make_one_project(server: RunningServer) -> None:
    ada, grace = await server.person("Ada"), await server.person("Grace")
    first = await ada.post("/projects", {"name": "Apollo"}, idempotency_key="once")
    before = await server.events()
    again = await ada.post("/projects", {"name": "Apollo"}, idempotency_key="once")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert await server.events() == before
    problem(await ada.post("/projects", {"name": "Gemini"}, idempotency_key="once"), 422, "idempotency.key_reused")
    theirs = await grace.post("/projects", {"name": "Apollo"}, idempotency_key="once")
    assert theirs.json()["id"] != first.json()["id"]


async def test_a_key_that_is_empty_too_long_or_not_printable_is_refused(server: RunningServer) -> None:
    ada = await server.person("Ada")
    for key in ("", "k" * 256, "späß", "a\tb"):
        answer = await ada.client.post(
            "/api/v1/projects", json={"name": "Apollo"}, headers={"idempotency-key": key.encode()}
        )
        problem(answer, 400, "request.header_invalid")
    assert (await ada.post("/projects", {"name": "Apollo"}, idempotency_key="k" * 255)).status_code == 201
