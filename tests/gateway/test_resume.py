"""Coming back, falling behind, and being slow: nothing is lost, nothing comes twice, and nobody waits for another."""

from __future__ import annotations

import asyncio
import socket
from uuid import UUID

import pytest

from adapters.gateway import hub, session
from adapters.ids import now, uuid7
from hivesync_core.eventstore.log import Outcome
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.roles import Role
from hivesync_core.tasks.commands import CommentTask
from shared.socket.limits import OUTBOX_BYTES_MAX
from tests.gateway.client import Client, client
from tests.gateway.server import Server

LARGE = "x" * 60_000


async def _comments(server: Server, task_id: UUID, by: UUID, count: int, text: str = "Well done") -> Outcome:
    commands = [
        CommentTask(by=AccountId(by), role=Role.OWNER, at=now(), comment_id=uuid7(), text=text) for _ in range(count)
    ]
    outcome = await server.do_to_task(task_id, commands[0])
    for command in commands[1:]:
        outcome = await server.do_to_task(task_id, command)
    return outcome


async def test_what_was_missed_is_sent_and_then_what_happens(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    async with client(server, ada.access_token) as one:
        created = await server.new_task(garden, ada.account_id)
        await one.until(created.position)
    missed = await _comments(server, created.stream_id, ada.account_id, 30)
    async with client(server) as one:
        accepted = await one.authenticate(ada.access_token, after=created.position)
        assert accepted["position"] == created.position
        later = await _comments(server, created.stream_id, ada.account_id, 10)
        messages = await one.until(later.position)
    assert missed.position - created.position == 30
    assert [message["position"] for message in messages] == list(range(created.position + 1, later.position + 1))


async def test_everything_since_the_beginning_can_be_had(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    async with client(server, ada.access_token, after=0) as one:
        messages = await one.until(created.position)
    assert [message["event_type"] for message in messages] == ["account.registered", "project.created", "task.created"]


async def test_events_while_coming_back_are_neither_lost_nor_doubled(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "PAGE_EVENTS_MAX", 3)
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    await _comments(server, created.stream_id, ada.account_id, 50)
    busy = asyncio.create_task(_comments(server, created.stream_id, ada.account_id, 100))
    readings = []
    while not busy.done():
        async with client(server, ada.access_token, after=created.position) as one:
            readings.append([message["position"] for message in await one.until(created.position + 60)])
    last = (await busy).position
    async with client(server, ada.access_token, after=created.position) as one:
        readings.append([message["position"] for message in await one.until(last)])
    assert len(readings) > 3
    for positions in readings:
        assert positions == list(range(created.position + 1, positions[-1] + 1))


async def test_another_process_knows_what_was_missed_too(server: Server, other_server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    missed = await _comments(server, created.stream_id, ada.account_id, 20)
    async with (
        Server(server.database.url, projects=False) as fresh,
        client(fresh, ada.access_token, after=created.position) as one,
    ):
        later = await _comments(other_server, created.stream_id, ada.account_id, 5)
        positions = [message["position"] for message in await one.until(later.position)]
    assert missed.position < later.position
    assert positions == list(range(created.position + 1, later.position + 1))


async def test_too_much_is_not_replayed_but_to_be_read_anew(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "REPLAY_EVENTS_MAX", 20)
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    missed = await _comments(server, created.stream_id, ada.account_id, 21)
    async with client(server, ada.access_token, after=created.position) as one:
        resync = await one.receive()
        assert (resync["event_type"], resync["payload"]["reason"]) == ("resync", "too_far_behind")
        assert resync["position"] == missed.position
        later = await _comments(server, created.stream_id, ada.account_id, 1)
        assert (await one.receive())["position"] == later.position
    assert server.gateway.stats.resyncs == 1


async def test_a_position_of_another_log_is_to_be_read_anew(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "AHEAD_WAIT_S", 0.1)
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    async with client(server, ada.access_token, after=10**12) as one:
        resync = await one.receive()
        assert (resync["event_type"], resync["payload"]["reason"]) == ("resync", "position_unknown")
        created = await server.new_task(garden, ada.account_id)
        assert (await one.receive())["position"] == created.position


async def test_a_position_that_this_process_reaches_in_a_moment_is_waited_for(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    head = (await server.new_task(garden, ada.account_id)).position
    async with client(server, ada.access_token, after=head + 1) as one:
        await server.new_task(garden, ada.account_id)
        second = await server.new_task(garden, ada.account_id)
        assert (await one.receive())["position"] == second.position == head + 2


# --- slow clients ------------------------------------------------------------------------------------------------------


class Sleeper(Client):
    """A client whose machine takes little and reads nothing until it is woken."""

    async def sleep(self) -> None:
        """Read nothing."""
        self.connection.transport.pause_reading()

    async def wake(self) -> None:
        """Read everything."""
        self.connection.transport.resume_reading()


def _small_socket(server: Server) -> socket.socket:
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = server.url.removeprefix("ws://").removesuffix("/ws").split(":")
    narrow.connect((host, int(port)))
    narrow.setblocking(False)
    return narrow


async def test_a_slow_client_slows_nobody_and_misses_nothing(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    async with server.connect(sock=_small_socket(server)) as connection, client(server, ada.access_token) as quick:
        slow = Sleeper(connection)
        await slow.authenticate(ada.access_token)
        await slow.sleep()
        last = await _comments(server, created.stream_id, ada.account_id, 150, LARGE)
        heard = [message["position"] for message in await quick.until(last.position)]
        # The slow one has read nothing by now: whoever waited for it would wait still.
        assert heard == list(range(created.position + 1, last.position + 1))
        assert server.gateway.stats.fell_behind >= 1
        # The quick one may have paused too, for as long as it took to read a burst; by now it has read everything.
        assert sorted(wire.paused for wire in _wires(server)) == [False, True], "the slow one alone is left out"
        held = max(wire.transport.get_write_buffer_size() for wire in _wires(server))
        assert OUTBOX_BYTES_MAX < held < 2 * OUTBOX_BYTES_MAX + len(LARGE)
        await slow.wake()
        assert [message["position"] for message in await slow.until(last.position)] == heard


async def test_a_client_that_was_slow_for_too_long_reads_anew(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "REPLAY_EVENTS_MAX", 40)
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    async with server.connect(sock=_small_socket(server)) as connection:
        slow = Sleeper(connection)
        await slow.authenticate(ada.access_token)
        await slow.sleep()
        last = await _comments(server, created.stream_id, ada.account_id, 150, LARGE)
        await server.caught_up()
        await slow.wake()
        messages = await slow.until(last.position)
        assert messages[-1]["event_type"] == "resync"
        heard = [message["position"] for message in messages[:-1]]
        assert heard == list(range(created.position + 1, heard[-1] + 1)), "no gap before it says so"
        later = await _comments(server, created.stream_id, ada.account_id, 1)
        assert (await slow.receive())["position"] == later.position


async def test_a_slow_client_that_is_shown_out_gets_nothing_more(server: Server) -> None:
    ada = await server.sign_in()
    garden = await server.new_project(ada.account_id)
    created = await server.new_task(garden, ada.account_id)
    async with server.connect(sock=_small_socket(server)) as connection:
        slow = Sleeper(connection)
        await slow.authenticate(ada.access_token)
        await slow.sleep()
        await _comments(server, created.stream_id, ada.account_id, 150, LARGE)
        await server.identity.sign_in.sign_out(await server.identity.verifier.authenticate(ada.access_token))
        for _ in range(3_000):
            if not _wires(server):
                break
            await asyncio.sleep(0.02)
        assert _wires(server) == [], "what it had not taken is not waited for"


def _wires(server: Server) -> list[session.GatewayProtocol]:
    assert server._server is not None
    connections = server._server.server_state.connections
    return [wire for wire in connections if isinstance(wire, session.GatewayProtocol)]
