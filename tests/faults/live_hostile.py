"""A viewer of a live session sends every message there is, and what is none: nothing changes, and its socket is closed."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress
from typing import Final
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hivesync_core.live.document import digest_of
from shared.socket.close_codes import CLOSE_CODES
from tests.faults.live_people import FollowingViewer, LiveDoor, ReplayHost
from tests.faults.report import Figure, Report, at_least, none_of
from tests.faults.stage import Stage
from tests.live.hostile import frames, messages

FILE = "src/a.py"
TEXT = "print('mine')\n" * 50
SHORT_MESSAGES = 250
SILENT_S = 0.5
"""How long a message that is allowed may leave a socket open."""

ALLOWED: Final = ("live.ping", "live.resync", "live.leave", "live.renew")


async def run(seed: int, *, short: bool = False) -> Report:
    """Each message on a socket of its own, as a viewer that is attached, and as the first one; then frames."""
    chance = random.Random(seed)
    codes: Counter[int] = Counter()
    wrong: list[str] = []
    with Stage() as stage:
        person = await stage.person()
        server = stage.server("server")
        await asyncio.to_thread(server.wait_ready)
        door = LiveDoor([server.base_url], person.token, person.project_id)
        await door.start()
        host = ReplayHost(door, FILE, TEXT, 64)
        await host.attach()
        viewer = FollowingViewer(door, host, await door.guest(0), 0)
        following = asyncio.create_task(viewer.run())
        await viewer.until(1, 10)
        sent = 0
        for _ in range(1 if short else 3):
            guest = await door.guest(1)
            made = messages(UUID(door.session_id), FILE, guest, chance)
            for message in chance.sample(made, SHORT_MESSAGES) if short else made:
                for attached in (True, False):
                    sent += 1
                    _note(await _send(door, message, guest if attached else None), message, attached, codes, wrong)
                if isinstance(message, str) and "live.leave" in message:
                    guest = await door.guest(1)
            for frame in frames(chance):
                sent += 1
                _note(await _send_raw(door, frame, guest), frame, True, codes, wrong)
        await host.type([(0, 0, "# still mine\n")], 1)
        await host.finish()
        arrived = await viewer.until(2, 10)
        expected = digest_of("# still mine\n" + TEXT)
        same = viewer.document is not None and viewer.document.sha256 == expected == host.document.sha256
        await viewer.stop()
        await host.close()
        await following
        await door.close()
        errors = server.log().count("live_socket_failed") + server.log().count("Traceback")
    return Report(
        [
            none_of("documents changed", int(not (arrived and same and host.attached == 1))),
            none_of("sockets that were not closed with a documented code", len(wrong)),
            none_of("errors in the server's log", errors),
            at_least("messages and frames sent", sent, 100),
        ],
        [Figure(f"closed with {code}", count, "times") for code, count in sorted(codes.items())],
        wrong[:5],
    )


def _note(code: int, message: str | bytes, attached: bool, codes: Counter[int], wrong: list[str]) -> None:
    codes[code] += 1
    allowed = isinstance(message, str) and any(name in message for name in (ALLOWED if attached else ("live.view",)))
    if code not in CLOSE_CODES and not (code == 0 and allowed):
        wrong.append(f"{code} attached={attached} {message[:120]!r}")


async def _attach(door: LiveDoor, viewer_token: str | None) -> ClientConnection:
    connection = await connect(
        door.urls[0].replace("http", "ws") + "/ws/live", compression=None, max_size=None, close_timeout=1
    )
    if viewer_token is not None:
        await connection.send(json.dumps({"event_type": "live.view", "payload": {"viewer_token": viewer_token}}))
        while '"live.snapshot_end"' not in str(await connection.recv()):
            pass
    return connection


async def _send(door: LiveDoor, message: str | bytes, viewer_token: str | None) -> int:
    """The code that the socket is closed with, 0 where it stays open."""
    connection = await _attach(door, viewer_token)
    try:
        with suppress(ConnectionClosed):
            await connection.send(message)
        return await _code(connection)
    finally:
        await connection.close()


async def _send_raw(door: LiveDoor, data: bytes, viewer_token: str) -> int:
    """The same for bytes that the library would not send."""
    connection = await _attach(door, viewer_token)
    try:
        connection.transport.write(data)
        return await _code(connection)
    finally:
        await connection.close()


async def _code(connection: ClientConnection) -> int:
    try:
        async with asyncio.timeout(SILENT_S if connection.state == 1 else 5):
            while True:
                await connection.recv()
    except TimeoutError:
        return 0
    except ConnectionClosed as closed:
        return -1 if closed.rcvd is None else closed.rcvd.code
