"""Replay over the admin API: jobs in processes of their own, parked streams, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any, NamedTuple
from uuid import UUID

import psutil
import psycopg
import pytest

from adapters.ids import uuid7
from projections.registry import READ_MODELS
from shared.api.replay import ReplayRequest
from tests.http.harness import Person, RunningServer, running
from tests.projections.holding import held_before_swap, waits_for_a_lock
from tests.projections.stories import many_tasks, task_id
from tests.projections.support import eventually, store


class Installation(NamedTuple):
    """A server with an admin."""

    server: RunningServer
    admin: Person

    async def get(self, path: str) -> Any:
        """GET below ``/api/v1/admin``."""
        answer = await self.admin.get(f"/admin{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def replayed(self, **wanted: Any) -> dict[str, Any]:
        """A replay that was asked for, when it has ended."""
        answer = await self.admin.post("/admin/replays", wanted)
        assert answer.status_code == 202, answer.text
        assert answer.headers["location"] == f"/api/v1/admin/replays/{answer.json()['replay_id']}"
        return await self.ended(answer.json()["replay_id"])

    async def ended(self, replay_id: str) -> dict[str, Any]:
        """A replay when it runs no more."""
        shown: dict[str, Any] = {}

        async def has_ended() -> bool:
            shown.update(await self.get(f"/replays/{replay_id}"))
            return shown["status"] != "running"

        await eventually(has_ended, timeout_s=180)
        return shown

    async def sql(self, statement: str, *params: Any) -> None:
        """What no API would do."""
        await self.server.parts.database.execute(statement, params)


@pytest.fixture
async def installation(postgres_url: str) -> AsyncIterator[Installation]:
    """A server whose log was filled before it started."""
    log = many_tasks(10, comments=200)
    await asyncio.to_thread(store, postgres_url, log)
    async with running(postgres_url) as server:
        for model in READ_MODELS:
            assert await server.parts.positions.wait(model.name, len(log), 120)
        yield Installation(server, await server.person("admin", is_admin=True))


async def test_every_read_model_is_listed_with_its_lag(installation: Installation) -> None:
    async def caught_up() -> bool:
        listed = await installation.get("/projections")
        assert [each["projection"] for each in listed["items"]] == sorted(model.name for model in READ_MODELS)
        assert all(each["lag"] == listed["head"] - each["position"] for each in listed["items"])
        return all(each["lag"] == 0 and each["owner"] for each in listed["items"])

    await eventually(caught_up, timeout_s=120)


async def test_a_check_finds_what_a_rebuild_mends(installation: Installation) -> None:
    await installation.sql("UPDATE readmodel.board_task SET title = 'Forged' WHERE task_id = %s", task_id(1))
    found = await installation.replayed(mode="check", projection="board")
    assert (found["status"], found["cause"]) == ("completed", None)
    assert found["results"][0]["differing"] == 1
    assert found["results"][0]["differences"][0]["live"]["title"] == "Forged"
    done = await installation.replayed(projection="board")
    assert done["results"][0]["swapped"] is True
    again = await installation.replayed(mode="check", projection="board")
    assert again["results"][0]["differing"] == 0
    listed = await installation.get("/replays")
    assert [each["replay_id"] for each in listed["items"]] == [each["replay_id"] for each in (again, done, found)]
    history = (await installation.admin.get("/history?type=projection.rebuilt.v1")).json()
    assert [entry["actor"] for entry in history["items"]] == [str(installation.admin.account_id)]


async def test_an_audit_of_every_read_model(installation: Installation) -> None:
    found = await installation.replayed(mode="audit")
    assert [each["projection"] for each in found["results"]] == [model.name for model in READ_MODELS]
    assert all(each["flaws"] == [] for each in found["results"])


async def _refilled(installation: Installation, url: str) -> int:
    """Another log, which the live board has seen as far as anybody knows; how many events it has."""
    log = many_tasks(50, comments=6_000)
    await asyncio.to_thread(store, url, log, anew=True)
    await installation.sql("UPDATE ops.projections SET position = %s WHERE name = 'board'", len(log))
    return len(log)


async def test_a_replay_tells_how_far_it_is_and_can_be_cancelled_and_gone_on_with(
    postgres_url: str, installation: Installation
) -> None:
    head = await _refilled(installation, postgres_url)
    begun: dict[str, Any] = {}
    told: list[dict[str, Any]] = []

    async def about_to_swap() -> bool:
        shown = await installation.get(f"/replays/{begun['replay_id']}")
        assert shown["status"] == "running", shown
        told.extend([shown["progress"]] if shown["progress"] else [])
        return bool(told) and told[-1]["step"] == "swapping"

    async def free_again() -> bool:
        answer = await installation.admin.post("/admin/replays", {"projection": "board"})
        if answer.status_code == 202:
            begun.update(answer.json())
        return answer.status_code == 202

    async with held_before_swap(postgres_url, "board"):
        begun.update((await installation.admin.post("/admin/replays", {"projection": "board"})).json())
        await eventually(about_to_swap, timeout_s=120)
        assert [each["position"] for each in told] == sorted(each["position"] for each in told)
        assert told[-1]["position"] == head
        busy = await installation.admin.post("/admin/replays", {"projection": "history"})
        assert (busy.status_code, busy.json()["type"]) == (409, "/problems/replay.busy")
        cancelled = await installation.admin.post(f"/admin/replays/{begun['replay_id']}/cancel")
        assert cancelled.json()["status"] == "cancelled"
        ended = await installation.admin.post(f"/admin/replays/{begun['replay_id']}/cancel")
        assert (ended.status_code, ended.json()["type"]) == (409, "/problems/replay.ended")
        await eventually(_nobody_replays, timeout_s=120)
    await eventually(_has_no_session(postgres_url), timeout_s=120)
    await eventually(free_again, timeout_s=120)
    done = await installation.ended(begun["replay_id"])
    assert done["status"] == "completed", done["cause"]
    assert (done["results"][0]["resumed_at"], done["results"][0]["swapped"]) == (head, True)


async def _nobody_replays() -> bool:
    """Whether the process that replayed for this one has ended."""
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if "adapters.replay.child" in child.cmdline():
                return False
    return True


async def _replaying(url: str) -> list[int]:
    """The sessions of replays."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'hivesync-replay' AND datname = current_database()"
        )
        return [pid for (pid,) in await cursor.fetchall()]


def _waits_to_swap(url: str) -> Callable[[], Awaitable[bool]]:
    return lambda: waits_for_a_lock(url, "hivesync-replay")


def _has_no_session(url: str) -> Callable[[], Awaitable[bool]]:
    async def has_none() -> bool:
        return not await _replaying(url)

    return has_none


async def test_a_replay_that_loses_the_database_says_so(installation: Installation, postgres_url: str) -> None:
    await _refilled(installation, postgres_url)
    async with held_before_swap(postgres_url, "board"):
        begun = (await installation.admin.post("/admin/replays", {"projection": "board"})).json()
        await eventually(_waits_to_swap(postgres_url), timeout_s=120)
        (pid,) = await _replaying(postgres_url)
        async with await psycopg.AsyncConnection.connect(postgres_url) as connection:
            await connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        ended = await installation.ended(begun["replay_id"])
    assert ended["status"] == "failed"
    assert "database went away" in ended["cause"]


async def test_parked_streams_are_listed_tried_again_and_skipped(postgres_url: str) -> None:
    log = many_tasks(4, comments=30)
    await asyncio.to_thread(store, postgres_url, log, topics={10: "task.commented.v9"})
    stream_id = log[9].stream_id
    async with running(postgres_url) as server:
        admin = await server.person("admin", is_admin=True)
        here = Installation(server, admin)

        async def parked() -> bool:
            return bool((await here.get("/parked"))["items"])

        await eventually(parked, timeout_s=120)
        boards = [each for each in (await here.get("/parked"))["items"] if each["projection"] == "board"]
        assert [(each["stream_id"], each["position"]) for each in boards] == [(str(stream_id), 10)]
        at = f"/admin/projections/board/parked/{stream_id}"
        retried = await admin.post(f"{at}/retry")
        assert (retried.status_code, retried.json()["position"]) == (200, 10)
        assert (await admin.post(f"{at}/skip", {"reason": " "})).status_code == 400
        skipped = await admin.post(f"{at}/skip", {"reason": "Of no use."})
        assert (skipped.status_code, skipped.json()["position"]) == (200, None)
        assert (await admin.post(f"{at}/retry")).status_code == 404
        assert [each for each in (await here.get("/parked"))["items"] if each["projection"] == "board"] == []
        history = (await admin.get("/history?type=projection.event_skipped.v1")).json()
        assert [entry["data"]["skipped_by"] for entry in history["items"]] == [str(admin.account_id)]


async def test_what_cannot_be_replayed_is_refused(installation: Installation) -> None:
    async def refused(status: int, kind: str, **wanted: Any) -> None:
        answer = await installation.admin.post("/admin/replays", wanted)
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}"), answer.text

    await refused(404, "replay.projection_unknown", projection="nothing")
    await refused(422, "history.moment_unknown", projection="board", to="99999999")
    await refused(422, "history.moment_unknown", projection="board", to="2999-01-01T00:00:00Z")
    await refused(422, "replay.to_not_meant", projection="board", mode="check", to="3")
    for nonsense in ("2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"):
        await refused(422, "replay.no_moment", projection="board", to=nonsense)
    unknown = await installation.admin.post(f"/admin/replays/{uuid7()}/cancel")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/replay.unknown")
    retry = await installation.admin.post(f"/admin/projections/board/parked/{UUID(int=9)}/retry")
    assert (retry.status_code, retry.json()["type"]) == (404, "/problems/replay.not_parked")


async def test_a_stop_of_the_server_ends_the_replay_and_leaves_it_to_be_gone_on_with(postgres_url: str) -> None:
    log = many_tasks(10, comments=200)
    await asyncio.to_thread(store, postgres_url, log)
    async with AsyncExitStack() as held, running(postgres_url) as server:
        admin = await server.person("admin", is_admin=True)
        assert await server.parts.positions.wait("board", await server.events(), 60)
        await held.enter_async_context(held_before_swap(postgres_url, "board"))
        begun = (await admin.post("/admin/replays", {"projection": "board"})).json()
        await eventually(_waits_to_swap(postgres_url), timeout_s=120)
    async with running(postgres_url) as server:
        await server.parts.database.execute("UPDATE ops.replays SET heard_at = heard_at - interval '1 minute'")
        shown = await server.parts.replays.find(UUID(begun["replay_id"]))
        assert (shown.status, shown.results) == ("interrupted", [])
        again = await server.parts.replays.begin(ReplayRequest(projection="board"), admin.account_id)
        gone_on_with = Installation(server, await server.person("other", is_admin=True))
        done = await gone_on_with.ended(str(again.replay_id))
        assert done["status"] == "completed", done["cause"]
        assert done["results"][0]["resumed_at"] >= len(log)
