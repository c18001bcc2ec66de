"""Several server processes: the host on one, viewers on others, and hints over Redis that may be lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from adapters.gateway.live.relay import Relay
from tests.http.harness import RunningServer, running
from tests.live.stage import Stage
from tests.servers.valkey import ValkeyServer


@pytest.fixture
async def two(postgres_url: str, own_valkey: ValkeyServer) -> AsyncIterator[tuple[Stage, RunningServer]]:
    """A session on the first of two servers that share a database and a Redis."""
    async with running(postgres_url, redis_url=own_valkey.url) as here:
        stage = await Stage(here).set_up()
        async with running(postgres_url, redis_url=own_valkey.url) as there:
            yield stage, there
            await stage.close()


async def test_a_viewer_on_another_process_sees_what_the_host_types(two: tuple[Stage, RunningServer]) -> None:
    stage, there = two
    host = await stage.hosting()
    await host.open_file("a.py", "one\r\ntwo\n" * 9_000)
    await host.insert("a.py", 0, "x")
    viewer = await stage.viewing(url=there.url)
    await host.insert("a.py", 3, "é", deleted=4)
    await host.open_file("b.py", "")
    await host.insert("b.py", 0, "😀")
    await host.send("live.show", file="b.py")
    assert await viewer.until("b.py", 2) == "😀"
    assert await viewer.until("a.py", 3) == host.files["a.py"].text
    assert viewer.snapshots[-1] == "joined"
    host.drop()
    while viewer.host_status != "away":
        await viewer.take()
    await host.attach()
    while viewer.host_status != "here":
        await viewer.take()


async def test_hints_that_are_lost_are_noticed_and_healed(
    two: tuple[Stage, RunningServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, there = two
    host = await stage.hosting()
    await host.open_file("a.py", "")
    viewer = await stage.viewing(url=there.url)
    hear, number = Relay._hear, 0

    def forgetful(self: Relay, message: bytes) -> None:
        nonlocal number
        number += 1
        if number % 3:
            hear(self, message)

    monkeypatch.setattr(Relay, "_hear", forgetful)
    for count in range(60):
        await host.insert("a.py", count, "x")
        await asyncio.sleep(0.005)
    assert await viewer.until("a.py", 61) == "x" * 60


async def test_redis_may_come_and_go(two: tuple[Stage, RunningServer], own_valkey: ValkeyServer) -> None:
    stage, there = two
    host = await stage.hosting()
    await host.open_file("a.py", "")
    viewer = await stage.viewing(url=there.url)
    own_valkey.kill()
    await asyncio.to_thread(own_valkey.restart)
    for count in range(5):
        await host.insert("a.py", count, "x")
    await host.acknowledged("a.py")
    assert await viewer.until("a.py", 6) == "x" * 5


async def test_a_host_that_comes_back_elsewhere_brings_its_viewers_along(two: tuple[Stage, RunningServer]) -> None:
    stage, there = two
    host = await stage.hosting()
    await host.open_file("a.py", "a\n")
    near, far = await stage.viewing(), await stage.viewing(url=there.url)
    host.drop()
    host.url = there.url.replace("http", "ws") + "/ws/live"
    hosting = await host.attach()
    assert (hosting["payload"]["epoch"], hosting["payload"]["files"]) == (2, [])
    await host.insert("a.py", 0, "# ")
    for viewer in (near, far):
        while viewer.files.get("a.py") is None or viewer.files["a.py"].text != "# a\n" or viewer.epoch != 2:
            await viewer.take()


async def test_a_host_hears_who_watches_on_another_process(two: tuple[Stage, RunningServer]) -> None:
    stage, there = two
    host = await stage.hosting()
    joined = await stage.guest("Grace")
    viewer = await stage.viewing(joined, url=there.url)
    while (news := (await host.expect("live.viewer"))["payload"]["viewer"])["status"] != "watching":
        pass
    assert (news["viewer_id"], news["name"]) == (joined["viewer_id"], "Grace")
    viewer.drop()
    while (await host.expect("live.viewer"))["payload"]["viewer"]["status"] != "away":
        pass


async def test_what_travels_between_processes_is_not_to_be_read(
    two: tuple[Stage, RunningServer], own_valkey: ValkeyServer
) -> None:
    stage, there = two
    async with redis.asyncio.Redis.from_url(own_valkey.url) as listening, listening.pubsub() as everything:
        await everything.psubscribe("hivesync:live:*")
        host = await stage.hosting()
        await host.open_file("a.py", "the-secret-of-the-garden\n")
        viewer = await stage.viewing(url=there.url)
        await host.insert("a.py", 0, "another-secret ")
        await viewer.until("a.py", 2)
        heard = []
        while (message := await everything.get_message(timeout=0.3)) is not None:
            if message["type"] == "pmessage":
                heard.append(message["data"])
    assert heard
    assert not any(b"secret" in data or b"live.patch" in data for data in heard)
