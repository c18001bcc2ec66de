"""Who listens on the socket hears how far a review is, then that it is ready; others hear nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.http.harness import RunningServer
from tests.reviews.desk import WAIT_S, Desk
from tests.servers.model import Behaviour


async def opened(server: RunningServer, token: str) -> ClientConnection:
    """A socket that hears everything of its account."""
    socket = await connect(server.url.replace("http", "ws") + "/ws", proxy=None)
    await socket.send(json.dumps({"event_type": "auth", "payload": {"token": token}}))
    assert json.loads(await socket.recv())["event_type"] == "auth.accepted"
    return socket


async def heard(socket: ClientConnection, last: str) -> list[dict[str, Any]]:
    """Everything up to a message of this type."""
    messages: list[dict[str, Any]] = []
    async with asyncio.timeout(WAIT_S):
        while not messages or messages[-1]["event_type"] != last:
            messages.append(json.loads(await socket.recv()))
    return messages


async def test_progress_comes_over_the_socket_to_members_alone(desk: Desk) -> None:
    desk.model.usual = Behaviour(pace_s=0.15)
    stranger = await desk.server.person("Sam")
    listening = await opened(desk.server, await desk.server.token(desk.ann.account_id))
    outside = await opened(desk.server, await desk.server.token(stranger.account_id))
    review_id = await desk.submit()
    messages = await heard(listening, "review.ready")
    types = [message["event_type"] for message in messages]
    assert types[:2] == ["review.requested", "review.generation_started"]
    told = [message["payload"] for message in messages if message["event_type"] == "review.progress"]
    assert told, types
    assert {(one["review_id"], one["project_id"]) for one in told} == {(review_id, str(desk.project_id))}
    assert "answering" in {one["stage"] for one in told}
    positions = [message["position"] for message in messages]
    assert positions == sorted(positions)
    await stranger.project()
    assert {message["event_type"] for message in await heard(outside, "project.created")} == {"project.created"}
    for socket in (listening, outside):
        await socket.close()


async def test_a_review_shows_how_far_it_is_while_the_model_answers(desk: Desk) -> None:
    desk.model.usual = Behaviour(pace_s=1.0)
    review_id = await desk.submit()
    async with asyncio.timeout(WAIT_S):
        while (shown := await desk.review(review_id))["progress"] is None:
            await asyncio.sleep(0.05)
    assert shown["status"] == "generating"
    assert shown["progress"]["tries"] == 1
    ended = await desk.until(review_id, "ready")
    assert ended["progress"] is None
