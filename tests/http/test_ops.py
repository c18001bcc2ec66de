"""What monitors ask, over real sockets: alive, ready, metrics, the registry, and what each problem means (OPS-2)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
import structlog
from playwright.async_api import async_playwright

from adapters.http.errors import every_kind
from adapters.ids import uuid7
from adapters.postgres.durability import NotDurable, check_durability
from adapters.postgres.schema import create_schema
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.projects.commands import CreateProject
from hivesync_core.projects.decider import project
from tests.http.harness import PATIENCE_S, RunningServer, build_for_tests, context, problem
from tests.servers.browser import ARGUMENTS
from tests.servers.patience import loop_time
from tests.servers.postgres import PostgresServer


async def test_health_says_ok(server: RunningServer) -> None:
    answer = await server.anyone.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_tells_how_far_each_read_model_is_behind(server: RunningServer) -> None:
    ada = await server.person("Ada")
    await ada.task(await ada.project())
    await _is_ready(server)
    answer = await server.anyone.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert set(answer.json()["lag"]) >= {"board", "help_queue", "history", "projects"}
    assert answer.json()["head"] == await server.events()


async def test_while_the_database_is_away_the_server_lives_and_says_that_it_is_starting(empty_database: str) -> None:
    away = RunningServer(build_for_tests("postgresql://nobody@127.0.0.1:1/nothing"))
    await away.listen()
    try:
        assert (await away.anyone.get("/health")).status_code == 200
        ready = await away.anyone.get("/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "starting")
        assert ready.headers["retry-after"] == "1"
        problem(await away.anyone.get("/api/v1/projects"), 503, "server.starting")
    finally:
        await away.__aexit__()


async def test_a_server_that_waited_for_its_database_serves_when_it_comes() -> None:
    postgres = PostgresServer("18")
    postgres.start()
    try:
        url = postgres.server.url("hivesync")
        postgres.server.stop()
        waiting = RunningServer(build_for_tests(url))
        await waiting.listen()
        try:
            await asyncio.sleep(1.2)
            assert (await waiting.anyone.get("/ready")).status_code == 503
            await asyncio.to_thread(postgres.server.start)
            await waiting.serving()
            await _is_ready(waiting)
        finally:
            await waiting.__aexit__()
    finally:
        postgres.stop()


async def test_a_database_that_hangs_makes_the_server_not_ready_within_five_seconds() -> None:
    postgres = PostgresServer("18")
    postgres.start()
    try:
        async with RunningServer(build_for_tests(postgres.server.url())) as hanging:
            ada = await hanging.person("Ada")
            project_id = await ada.project()
            await _is_ready(hanging)
            _hang(postgres, True)
            async with loop_time() as waited:
                ready, command = await asyncio.gather(
                    hanging.anyone.get("/ready"), ada.post(f"/projects/{project_id}/tasks", {"title": "In the dark"})
                )
            _hang(postgres, False)
            assert ready.status_code == 503
            assert ready.json()["cause"].startswith("the database d")
            problem(command, 503, "server.database_unavailable")
            assert command.headers["retry-after"]
            assert waited.seconds < 5
            assert (await hanging.anyone.get("/health")).status_code == 200
    finally:
        _hang(postgres, False)
        postgres.stop()


def test_a_database_that_may_lose_what_it_acknowledged_is_refused_with_every_reason() -> None:
    postgres = PostgresServer("18")
    postgres.server.settings = {**postgres.server.settings, "fsync": "off", "full_page_writes": "off"}
    postgres.start()
    try:
        create_schema(postgres.server.url())
        with pytest.raises(NotDurable, match=r"(?s)fsync is off.*full_page_writes is off"):
            check_durability(postgres.server.url())
    finally:
        postgres.stop()


def test_a_role_that_turned_synchronous_commit_off_for_itself_is_refused_too(empty_database: str) -> None:
    create_schema(empty_database)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
    with pytest.raises(NotDurable, match="synchronous_commit is off"):
        check_durability(empty_database)


async def test_metrics_count_requests_by_route_and_status(server: RunningServer) -> None:
    ada = await server.person("Ada")
    project_id = await ada.project()
    await ada.task(project_id)
    await ada.get(f"/tasks/{uuid4()}")
    text = (await server.anyone.get("/metrics")).text
    created = 'hivesync_http_requests_total{method="POST",route="/api/v1/projects/{project_id}/tasks",status="201"}'
    assert f"{created} 1.0" in text
    assert 'route="/api/v1/tasks/{task_id}",status="404"} 1.0' in text
    assert str(project_id) not in text
    assert 'hivesync_projection_lag{name="board"}' in text
    assert "hivesync_appends_total" in text


async def test_the_registry_names_where_clients_find_the_backend(server: RunningServer) -> None:
    answer = await server.anyone.get("/config/connection_registry.json")
    assert answer.json() == {
        "current_backend_url": "http://localhost:4000",
        "planned_backend_url": None,
        "fallback_backend_url": None,
        "grace_period": None,
        "migration.pending": False,
    }


async def test_every_type_of_problem_explains_itself(server: RunningServer) -> None:
    for code, kind in every_kind().items():
        answer = await server.anyone.get(f"/problems/{code}")
        assert answer.status_code == 200, code
        assert answer.json()["title"] == kind.title
        assert answer.json()["explanation"], code
    page = await server.anyone.get("/problems/task.transition_not_allowed", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "does not allow this transition" in page.text
    problem(await server.anyone.get("/problems/no.such.thing"), 404, "problem.unknown_type")


async def test_an_answer_carries_the_clients_request_id_or_one_of_its_own(server: RunningServer) -> None:
    mine = await server.anyone.get("/health", headers={"x-request-id": "client-42"})
    assert mine.headers["x-request-id"] == "client-42"
    for unusable in ("", "x" * 129, "two words", "späß"):
        theirs = await server.anyone.get("/health", headers={"x-request-id": unusable.encode()})
        assert UUID(theirs.headers["x-request-id"]).version == 7


async def test_a_request_id_that_is_a_uuid_becomes_the_correlation_of_the_events(server: RunningServer) -> None:
    ada = await server.person("Ada")
    correlation = str(uuid4())
    project_id = await ada.project()
    made = await ada.post(f"/projects/{project_id}/tasks", {"title": "Traced"}, x_request_id=correlation)
    history = (await ada.get(f"/tasks/{made.json()['id']}/history")).json()
    assert [entry["correlation_id"] for entry in history["items"]] == [correlation]


async def test_every_answer_has_security_headers(server: RunningServer) -> None:
    for path in ("/health", "/nothing", "/api/v1/projects"):
        headers = (await server.anyone.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


async def test_head_is_a_get_without_its_body(server: RunningServer) -> None:
    get, head = await server.anyone.get("/health"), await server.anyone.head("/health")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


async def test_the_wrong_method_is_told_the_right_ones(server: RunningServer) -> None:
    answer = await server.anyone.delete("/health")
    problem(answer, 405, "request.method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_an_error_that_nobody_foresaw_is_a_problem_that_tells_nothing(server: RunningServer) -> None:
    ada = await server.person("Ada")

    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the secret is postgresql://user:hunter2@db/x")

    server.parts.log.execute = fail  # type: ignore[method-assign, assignment]
    with structlog.testing.capture_logs() as logged:
        answer = await ada.post("/projects", {"name": "Apollo"})
    told = problem(answer, 500, "server.error")
    assert "hunter2" not in answer.text
    assert "ZeroDivision" not in answer.text
    assert [line["correlation_id"] for line in logged if line["event"] == "request_failed"] == [told["correlation_id"]]


async def test_the_page_to_try_the_api_is_served_by_the_server_itself(server: RunningServer) -> None:
    page = await server.anyone.get("/api/v1/docs")
    assert page.status_code == 200
    assert "//" not in page.text.replace("<!doctype html>", "")
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert (await server.anyone.get(f"/api/v1/docs/{asset}")).status_code == 200
    described = (await server.anyone.get("/api/v1/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    assert described["paths"]["/api/v1/tasks/{task_id}/complete"]["post"]["responses"].keys() >= {"200", "409", "412"}


async def test_the_page_draws_the_api_without_asking_anybody_else(server: RunningServer, chromium: Path) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        page = await browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{server.url}/api/v1/docs")
        await page.get_by_text("Say that the work is done").wait_for(timeout=20_000)
        await browser.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []


async def _is_ready(server: RunningServer) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await server.anyone.get("/ready")).status_code != 200:
            await asyncio.sleep(0.02)


def _hang(postgres: PostgresServer, hang: bool) -> None:
    """Stop every process of the server without killing one, or let them go on."""
    import psutil

    pid = postgres.server.pid
    if pid is None:
        return
    main = psutil.Process(pid)
    for process in (main, *main.children(recursive=True)):
        process.suspend() if hang else process.resume()


async def test_a_server_whose_parts_were_taken_down_brings_all_of_them_up_again(postgres_url: str) -> None:
    parts = build_for_tests(postgres_url)
    for number in range(2):
        await parts.start()
        person, project_id = AccountId(uuid7()), ProjectId(uuid7())
        command = CreateProject(by=person, project_id=project_id, name=f"Project {number}")
        made = await parts.log.execute(project, project_id, command, context())
        assert await parts.positions.wait("projects", made.position, 10)
        assert not await parts.identity.directory.has_admin()
        await parts.stop()
