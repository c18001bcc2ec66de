"""What goes wrong around the gateway costs nobody an event, and gives nobody one that is not theirs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest

from adapters.gateway import audience, session
from adapters.gateway.hub import Hub
from adapters.ids import now, uuid7
from hivesync_core.eventstore.errors import StoreError, StoreUnavailable
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.records import Append
from hivesync_core.kernel.event import Meta
from hivesync_core.projects.events import ProjectEdited
from shared.socket.close_codes import CloseCode
from tests.gateway.client import client
from tests.gateway.server import Server


async def _append_unknown(server: Server, stream_id: UUID, version: int, topic: str) -> int:
    """Store an event as a newer version of HiveSync might; its position."""
    command_id = uuid7()
    meta = Meta(event_id=uuid7(), recorded_at=now(), actor="system", correlation_id=command_id, command_id=command_id)
    event = MsgspecMapper(the_catalogue()).to_new_event(stream_id, version, ProjectEdited(), meta)
    unknown = replace(event, topic=topic, state=b'{"type":"%s"}' % topic.encode())
    return (await server.commit.append(Append((unknown,)))).last_position


async def test_an_event_of_a_newer_version_is_passed_by(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    async with client(server, ada.access_token) as one:
        await _append_unknown(server, created.stream_id, 2, "task.pinned.v1")
        later = await server.new_task(garden, ada.account_id)
        assert (await one.receive())["position"] == later.position
    assert server.gateway.stats.unreadable == 1


async def test_what_may_have_taken_a_right_away_takes_it(server: Server) -> None:
    ada = await server.sign_in()
    garden, kitchen = await server.new_project(ada.account_id), await server.new_project(ada.account_id)
    async with client(server, ada.access_token) as one:
        await _append_unknown(server, garden, 2, "project.members_replaced.v1")
        await server.new_task(garden, ada.account_id)
        heard = await server.new_task(kitchen, ada.account_id)
        assert (await one.receive())["position"] == heard.position


async def test_a_question_that_the_database_did_not_answer_costs_nobody_an_event(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    audiences = server.gateway.hub._audiences
    answer, asked = server.database.fetch_all, 0

    async def late(query: str, params: Any = ()) -> Any:
        nonlocal asked
        asked += query == audience._FIRST_EVENTS
        if query == audience._FIRST_EVENTS and asked == 1:
            raise StoreUnavailable("it was killed")
        return await answer(query, params)

    async with client(server, ada.access_token) as one:
        audiences._known.clear()  # As in a process that has just started.
        monkeypatch.setattr(server.database, "fetch_all", late)
        said = await server.comment(created.stream_id, ada.account_id)
        assert (await one.receive())["position"] == said.position
    assert asked == 2


async def test_a_hub_that_fails_closes_what_it_cannot_vouch_for_and_begins_anew(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    hand_out = Hub._hand_out

    def fail_once(hub: Hub, news: Any) -> None:
        monkeypatch.setattr(Hub, "_hand_out", hand_out)
        raise ZeroDivisionError

    async with client(server, ada.access_token) as one:
        monkeypatch.setattr(Hub, "_hand_out", fail_once)
        created = await server.new_task(garden, ada.account_id)
        assert await one.close_code() == CloseCode.SERVER_ERROR
    async with client(server, ada.access_token, after=created.position - 1) as one:
        assert (await one.receive())["position"] == created.position


async def test_a_feed_that_fails_closes_its_socket(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(session.Session, "_missed", fail)
    ada = await server.sign_in()
    async with client(server, ada.access_token) as one:
        assert await one.close_code() == CloseCode.SERVER_ERROR


async def test_a_database_that_is_away_for_a_while_costs_no_event(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    async with client(server, ada.access_token) as one:
        # Every connection of this server breaks, as when PostgreSQL restarts.
        await _break_connections(server)
        commented = None
        while commented is None:
            with suppress(StoreError):
                commented = await server.comment(created.stream_id, ada.account_id)
        positions = [message["position"] for message in await one.until(commented.position)]
    assert positions == list(range(created.position + 1, commented.position + 1))


async def test_who_comes_while_the_server_starts_is_told_to_come_again(server: Server) -> None:
    ada = await server.sign_in()
    await server.gateway.stop()
    async with client(server) as one:
        assert await one.close_code() == CloseCode.TRY_AGAIN
    await server.gateway.start()
    async with client(server, ada.access_token) as one:
        await one.send("ping")
        assert (await one.receive())["event_type"] == "pong"


async def test_what_is_kept_of_sockets_that_have_gone_is_nothing(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    for _ in range(5):
        async with client(server, ada.access_token, projects=[str(garden)]) as one:
            await one.send("subscribe", projects="all")
            await one.receive()
    async with client(server, ada.access_token):
        await server.new_project(ada.account_id)
    for _ in range(6_000):
        if not server.gateway.admission.open_sockets:
            break
        await asyncio.sleep(0.01)
    hub, registry = server.gateway.hub, server.gateway.registry
    assert (server.gateway.admission.open_sockets, len(registry), registry._by_id) == (0, 0, {})
    assert (hub._by_project, hub._by_account) == ({}, {})


async def _break_connections(server: Server) -> None:
    async with await psycopg.AsyncConnection.connect(server.database.url, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
