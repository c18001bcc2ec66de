"""Jobs: cancelled while a model answers, lost with their queue, and taken up again by another server."""

from __future__ import annotations

import asyncio
from uuid import UUID

from adapters.ids import uuid7
from adapters.jobs.queue import is_queued
from hivesync_core.kernel.ids import ProjectId
from hivesync_core.kernel.roles import Role
from hivesync_core.reviews.commands import RequestReview, StartGeneration
from hivesync_core.reviews.decider import review
from tests.http.harness import context, problem, running
from tests.reviews.desk import WAIT_S, Desk
from tests.servers.model import Behaviour, ModelServer
from tests.servers.valkey import ValkeyServer


async def test_a_cancelled_review_ends_at_once_and_takes_no_answer(desk: Desk) -> None:
    desk.model.usual = Behaviour(pace_s=1.0)
    review_id = await desk.submit()
    await desk.until(review_id, "generating")
    assert await asyncio.to_thread(desk.model.waiting.wait, WAIT_S)
    assert (await desk.do(review_id, "cancel"))["status"] == "cancelled"
    async with asyncio.timeout(WAIT_S):
        while await is_queued(desk.server.parts.jobs, UUID(review_id)):
            await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    assert await desk.topics(review_id) == ["requested", "generation_started", "cancelled"]
    problem(await desk.ann.post(f"/reviews/{review_id}/approve", {}), 409, "review.not_open")


async def test_a_queue_that_was_emptied_is_filled_again_from_the_events(
    postgres_url: str, valkey: ValkeyServer, model: ModelServer
) -> None:
    settings = {"redis_url": valkey.url, "ai_api_key": "sk-test", "roles": frozenset(("api", "projector", "gateway"))}
    async with running(postgres_url, **settings) as server:
        desk = await Desk.open(server, model)
        review_id = await desk.submit()
        assert await is_queued(server.parts.jobs, UUID(review_id))
        valkey.flush()
        assert not await is_queued(server.parts.jobs, UUID(review_id))
        folder = server.parts.settings.data_dir
    async with running(postgres_url, redis_url=valkey.url, ai_api_key="sk-test", data_dir=folder) as server:
        again = desk._replace(server=server)
        again.ann.client = server.client(await server.token(again.ann.account_id))
        assert (await again.until(review_id, "ready", "failed"))["status"] == "ready"
        assert server.parts.worker.resubmitted == 1
        assert await again.topics(review_id) == ["requested", "generation_started", "ready"]


async def test_without_its_redis_a_file_can_be_submitted_and_waits(
    postgres_url: str, own_valkey: ValkeyServer, model: ModelServer
) -> None:
    async with running(postgres_url, redis_url=own_valkey.url, ai_api_key="sk-test") as server:
        desk = await Desk.open(server, model)
        own_valkey.kill()
        review_id = await desk.submit()
        own_valkey.restart()
        assert (await desk.until(review_id, "ready", "failed"))["status"] == "ready"


async def test_a_review_whose_workers_died_three_times_is_given_up(desk: Desk) -> None:
    review_id = uuid7()
    ask = RequestReview(
        by=desk.ann.account_id, role=Role.OWNER, review_id=review_id, project_id=ProjectId(desk.project_id),
        path="a.py", language="python", source_sha256="00" * 32, size_bytes=1, lines=1,
    )  # fmt: skip
    log = desk.server.parts.log
    await log.execute(review, review_id, ask, context())
    start = StartGeneration(prompt_version=1, prompt_sha256="00" * 32, provider="openai", model="gpt-4.1")
    for _ in range(3):
        await log.execute(review, review_id, start, context())
    shown = await desk.until(str(review_id), "failed")
    assert shown["code"] == "review.interrupted"
    assert desk.model.asked == []


async def test_a_worker_with_another_key_says_so_and_one_that_comes_too_late_too(desk: Desk) -> None:
    spoil = "UPDATE blobs.content SET sealed = sealed || '\\x00'::bytea WHERE kind = 'source'"
    gone = "DELETE FROM blobs.keys WHERE sha256 IN (SELECT sha256 FROM blobs.content WHERE kind = 'source')"
    for statement, code in ((spoil, "review.source_sealed"), (gone, "review.source_gone")):
        review_id = uuid7()
        sha256 = await desk.server.parts.blobs.put(desk.project_id, "source", b"x = 1\n")
        await desk.server.parts.database.execute(statement)
        ask = RequestReview(
            by=desk.ann.account_id, role=Role.OWNER, review_id=review_id, project_id=ProjectId(desk.project_id),
            path="a.py", language="python", source_sha256=sha256, size_bytes=6, lines=1,
        )  # fmt: skip
        await desk.server.parts.log.execute(review, review_id, ask, context())
        await desk.server.parts.worker.reconcile()
        assert (await desk.until(str(review_id), "failed"))["code"] == code
    assert desk.model.asked == []
