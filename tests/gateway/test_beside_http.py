"""The gateway as the command runs it: on the same port as the API, with its tokens, seen in its metrics."""

from __future__ import annotations

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.http.harness import running


async def test_a_command_over_http_is_heard_on_the_socket(postgres_url: str) -> None:
    async with running(postgres_url) as server:
        ada = await server.person("ada")
        token = await server.token(ada.account_id)
        project_id = await ada.project("Apollo")
        async with connect(server.url.replace("http:", "ws:") + "/ws") as socket:
            ticket = (await ada.post("/socket-tickets")).json()["ticket"]
            await socket.send(json.dumps({"event_type": "auth", "payload": {"ticket": ticket}}))
            accepted = json.loads(await socket.recv())
            assert accepted["payload"]["projects"] == [str(project_id)]
            task_id = await ada.task(project_id, "Build the engine")
            heard = json.loads(await socket.recv())
            assert (heard["event_type"], heard["stream_id"]) == ("task.created", str(task_id))
            metrics = (await server.anyone.get("/metrics")).text
            assert "hivesync_sockets_open 1.0" in metrics
            assert "hivesync_socket_outbox_drops_total 0.0" in metrics
            assert 'hivesync_socket_messages_total{name="auth"} 1.0' in metrics
            described = (await server.anyone.get("/api/v1/asyncapi.json")).json()
            assert f"{heard['event_type']}.v1" in described["channels"]["socket"]["messages"]
            assert token not in metrics


async def test_a_process_without_the_role_serves_no_sockets(postgres_url: str) -> None:
    async with running(postgres_url, roles=frozenset({"api", "projector"})) as server:
        with pytest.raises(InvalidStatus):
            await connect(server.url.replace("http:", "ws:") + "/ws")
