"""Imports over HTTP: a file as the body; a report, or progress and a report, as the answer."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import msgspec
import pytest

from adapters.http import imports as door
from tests.http.conftest import server
from tests.http.harness import Person, RunningServer, problem
from tests.imports.files import closed, issue, lines_of

__all__ = ["server"]

ISSUES = [closed(number) if number % 4 == 0 else issue(number) for number in range(1, 101)]


async def send(
    sender: Person, project_id: UUID, data: bytes, media_type: str = "application/x-ndjson", **query: object
) -> httpx.Response:
    """Import a file; ``accept`` among the query is the header."""
    headers = {"content-type": media_type, "accept": str(query.pop("accept", "application/json"))}
    path = f"/api/v1/projects/{project_id}/imports"
    return await sender.client.post(path, content=data, headers=headers, params=query)  # type: ignore[arg-type]


async def test_issues_arrive_on_the_board_once(server: RunningServer) -> None:
    owner = await server.person("owner")
    project_id = await owner.project()
    report = (await send(owner, project_id, gzip.compress(lines_of(ISSUES)), "application/gzip")).json()
    assert (report["created"], report["existing"], report["bad"], report["complete"]) == (100, 0, 0, True)
    again = (await send(owner, project_id, lines_of(ISSUES))).json()
    assert (again["created"], again["existing"]) == (0, 100)
    page = (
        await owner.get(
            f"/projects/{project_id}/tasks",
            params={"limit": 200, "state": "approved"},
            headers={"hivesync-min-position": str(report["position"])},
        )
    ).json()
    assert len(page["items"]) == 25
    assert {item["project_id"] for item in page["items"]} == {str(project_id)}


async def test_progress_comes_line_by_line_and_the_report_last(server: RunningServer) -> None:
    owner = await server.person("owner")
    project_id = await owner.project()
    answer = await send(owner, project_id, lines_of(ISSUES), accept="application/x-ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    *told, last = [msgspec.json.decode(line) for line in answer.content.splitlines()]
    assert told
    assert all(line["progress"] and not line["report"] for line in told)
    assert (last["report"]["created"], last["progress"]) == (100, None)


async def test_a_table_is_imported_with_its_columns_and_checked_in_a_dry_run(server: RunningServer) -> None:
    owner, other = await server.person("owner"), await server.person("other")
    project_id = await owner.project()
    await owner.let_in(project_id, other)
    data = b"what;who;when\nOne;bob;2025-01-02\n;bob;\nThree;;never\n"
    query = {
        "column": ["title:what", "assignees:who", "due:when"],
        "person": f"bob:{other.account_id}",
    }
    dry = (await send(owner, project_id, data, "text/csv", dry_run="true", **query)).json()
    assert (dry["created"], dry["dry_run"]) == (1, True)
    assert [(row["line"], row["field"]) for row in dry["bad_rows"]] == [(3, "what"), (4, "when")]
    events = await server.events()
    wet = (await send(owner, project_id, data, "text/csv", **query)).json()
    assert await server.events() == events + 1
    page = (
        await owner.get(f"/projects/{project_id}/tasks", headers={"hivesync-min-position": str(wet["position"])})
    ).json()
    assert [(item["title"], item["assignee_id"]) for item in page["items"]] == [("One", str(other.account_id))]


async def test_a_torn_file_is_answered_with_where_to_go_on(server: RunningServer) -> None:
    owner = await server.person("owner")
    project_id = await owner.project()
    many = gzip.compress(lines_of([issue(number) for number in range(1, 1_001)]))
    torn = (await send(owner, project_id, many[: len(many) // 2], "application/gzip")).json()
    assert (torn["complete"], torn["go_on_from_line"]) == (False, torn["created"] + 1)
    rest = (await send(owner, project_id, many, "application/gzip", from_line=torn["go_on_from_line"])).json()
    assert (rest["complete"], rest["created"] + torn["created"]) == (True, 1_000)


async def test_auditors_and_strangers_import_nothing(server: RunningServer) -> None:
    owner, auditor, stranger = [await server.person(name) for name in ("owner", "auditor", "stranger")]
    project_id = await owner.project()
    await owner.let_in(project_id, auditor, "auditor")
    events = await server.events()
    problem(await send(auditor, project_id, lines_of(ISSUES)), 403, "import.not_allowed")
    problem(await send(stranger, project_id, lines_of(ISSUES)), 404, "project.not_found")
    assert await server.events() == events


async def test_what_cannot_be_meant_is_refused_before_anything_is_stored(server: RunningServer) -> None:
    owner, stranger = await server.person("owner"), await server.person("stranger")
    project_id = await owner.project()
    events = await server.events()
    problem(await send(owner, project_id, b"x", "image/png"), 415, "request.media_type")
    problem(await send(owner, project_id, b"a,b\n1,2\n", "text/csv"), 422, "import.mapping_refused")
    ndjson = await send(owner, project_id, b"a,b\n1,2\n", "text/csv", accept="application/x-ndjson")
    problem(ndjson, 422, "import.mapping_refused")
    nobody = {"person": f"bob:{stranger.account_id}"}
    problem(await send(owner, project_id, lines_of(ISSUES), **nobody), 422, "import.person_refused")
    for query in ({"person": "bob:me"}, {"person": "bob"}, {"from_line": 0}, {"encoding": "ebcdic"}, {"format": "xml"}):
        assert (await send(owner, project_id, lines_of(ISSUES), **query)).status_code == 400, query
    assert await server.events() == events


@pytest.mark.parametrize(
    "data", [b"", b"null", b"{" * 100_000, b"\xff\xfe\x00\x00", b"\x1f\x8b\x08", b'{"title":"a\\u0000b"}', b"\0" * 9]
)
async def test_no_body_is_a_fault_of_the_server(server: RunningServer, data: bytes) -> None:
    owner = await server.person("owner")
    project_id = await owner.project()
    for media_type in ("application/json", "text/csv", "application/octet-stream"):
        answer = await send(owner, project_id, data, media_type)
        assert answer.status_code in (200, 422), answer.text
        if answer.status_code == 200:
            assert answer.json()["created"] == 0


async def test_a_file_that_is_too_large_is_refused_while_it_comes(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await server.person("owner")
    project_id = await owner.project()
    monkeypatch.setattr(door, "IMPORT_BYTES_MAX", 10_000)
    problem(await send(owner, project_id, lines_of(ISSUES)), 413, "request.too_large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 1_000

    answer = await owner.client.post(
        f"/api/v1/projects/{project_id}/imports", content=chunks(), headers={"content-type": "application/json"}
    )
    problem(answer, 413, "request.too_large")


async def test_a_file_of_other_bytes_is_answered_with_words(server: RunningServer) -> None:
    owner = await server.person("owner")
    project_id = await owner.project()
    latin = await send(owner, project_id, b"id,titl\xe9\n1,a\n", "text/csv")
    assert problem(latin, 422, "import.mapping_refused")["detail"].endswith("The columns are id, titl")
    time = b"title,created\none,0001-01-01T00:00+14:00\ntwo,\n"
    report = (await send(owner, project_id, time, "text/csv")).json()
    assert (report["created"], [row["line"] for row in report["bad_rows"]]) == (1, [2])
    mac = (await send(owner, project_id, b"title\rthree\rfour\r", "text/csv")).json()
    assert (mac["created"], mac["bad"]) == (2, 0)
