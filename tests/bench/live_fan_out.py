"""Live View to 1,000 viewers of one server process: at the pace of a busy session, and against the library's broadcast."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from adapters.gateway.live.room import Room
from adapters.gateway.protocol import CONNECTION, GatewayProtocol
from shared.socket.live import Change, Patch, Position, Range
from tests.bench.report import Figure, Report, Target, percentile

VIEWERS = 1_000
RUN_S = 5.0
PATCHES_PER_S = 200
TEXT_CHARS = 26
"""Characters that each patch puts in, so that its message has about 200 bytes."""

BURST = 8
"""Patches that are made before others of the process have a turn, where it goes as fast as it can."""

P50_MS, P99_MS, CORE_SHARE, WANTED_RATIO = 15.0, 60.0, 0.6, 6.0
FILE = "src/a.py"
SENT_CHARS = 25
_SENT = re.compile(rb"sent (\d{13}\.\d{6})")
_HANDSHAKE = (
    b"GET /ws/live HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

Way = Callable[[socket.socket, int, Connection], Awaitable[None]]


def run() -> Report:
    """Both ways as fast as they can, in one run; then the room at its pace."""
    ours, theirs = _at_once(room), _at_once(library)
    paced = _measured(room, PATCHES_PER_S)
    p50, p99 = percentile(paced.late_ms, 0.5), percentile(paced.late_ms, 0.99)
    return Report(
        figures=[
            Figure("deliveries a second, Live View", ours, "/s"),
            Figure("deliveries a second, websockets.broadcast", theirs, "/s"),
            Figure(f"{PATCHES_PER_S} patches a second to {VIEWERS} viewers, p50", p50, "ms"),
            Figure("the same, p99", p99, "ms"),
            Figure("the same: of one core", paced.core_share * 100, "%"),
            Figure("the same: the server waited for a core, of the time", paced.server_waited * 100, "%"),
            Figure("the same: the viewers' process waited for a core", paced.viewers_waited * 100, "%"),
            Figure("the same: patches that arrived, of those sent, at the slowest viewer", paced.least * 100, "%"),
            Figure("bytes of a message", paced.message_bytes, "B"),
        ],
        targets=[
            Target("deliveries against broadcast", ours / theirs, WANTED_RATIO),
            Target("p50 against 15 ms", P50_MS / p50, 1.0),
            Target("p99 against 60 ms", P99_MS / p99, 1.0),
            Target("share of one core against 60 %", CORE_SHARE / paced.core_share, 1.0),
        ],
        notes=[
            f"each patch is checked against the room's text and encoded once; load from another process; {RUN_S:g} s each"
        ],
    )


class Served(NamedTuple):
    """What the serving process says at the end. ``waited`` is the part of the time in which it could run and did not."""

    sent: int
    core_share: float
    message_bytes: float
    waited: float


class Paced:
    """What a run came to."""

    def __init__(self, served: Served, viewers: list[Viewer], seconds: float, viewers_waited: float) -> None:
        sent, message_bytes = served.sent, served.message_bytes
        self.core_share, self.message_bytes = served.core_share, message_bytes
        self.server_waited, self.viewers_waited = served.waited, viewers_waited
        self.late_ms = [late for viewer in viewers for late in viewer.late_ms]
        self.deliveries_per_s = sum(viewer.received for viewer in viewers) / message_bytes / seconds
        self.least = min(viewer.received for viewer in viewers) / message_bytes / sent


def _at_once(way: Way) -> float:
    return _measured(way, 0).deliveries_per_s


def _measured(way: Way, per_s: int) -> Paced:
    with _server(way, per_s) as (port, parent):
        return uvloop.run(_watch(port, parent))


@contextmanager
def _server(way: Way, per_s: int) -> Iterator[tuple[int, Connection]]:
    """A process that serves; it ends with the block."""
    here, there = multiprocessing.Pipe()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(VIEWERS)
        process = multiprocessing.get_context("fork").Process(target=_serve, args=(way, listener, per_s, there))
        process.start()
        try:
            yield listener.getsockname()[1], here
        finally:
            process.kill()
            process.join()


async def _watch(port: int, server: Connection) -> Paced:
    loop = asyncio.get_running_loop()
    viewers = [(await loop.create_connection(Viewer, "127.0.0.1", port))[1] for _ in range(VIEWERS)]
    for viewer in viewers[::50]:
        viewer.looks = True
    while not all(viewer.is_open for viewer in viewers):
        await asyncio.sleep(0.05)
    server.send("go")
    began, waited_s = time.monotonic(), _waited_s()
    await asyncio.sleep(RUN_S)
    server.send("stop")
    while not server.poll():
        await asyncio.sleep(0.01)
    seconds = time.monotonic() - began
    waited = (_waited_s() - waited_s) / seconds
    served = Served(*server.recv())
    await asyncio.sleep(0.3)
    return Paced(served, viewers, seconds, waited)


def _waited_s() -> float:
    """Seconds that this process's first thread has waited for a core while it could run; 0 where nobody counts them."""
    try:
        return int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except OSError:
        return 0.0


class Viewer(asyncio.Protocol):
    """Counts what arrives; where it ``looks``, also how late."""

    def __init__(self) -> None:
        self.received = 0
        self.looks = False
        self.late_ms: list[float] = []
        self._rest = b""
        self.is_open = False

    def connection_made(self, transport: Any) -> None:
        """Ask for a socket."""
        transport.write(_HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        """Count."""
        if not self.is_open:
            data, self.is_open = data.partition(b"\r\n\r\n")[2], True
        self.received += len(data)
        if self.looks:
            self._look(self._rest + data)

    def _look(self, data: bytes) -> None:
        at, end = time.monotonic(), 0
        for found in _SENT.finditer(data):
            self.late_ms.append((at - float(found[1])) * 1e3)
            end = found.end()
        self._rest = data[end:][-SENT_CHARS:]


def _serve(way: Way, listener: socket.socket, per_s: int, parent: Connection) -> None:
    uvloop.run(way(listener, per_s, parent))


class Member:
    """A viewer of the room that has everything."""

    def __init__(self, wire: GatewayProtocol) -> None:
        self.wire = wire

    def lagged(self) -> None:
        """It is taken in again when it takes more; a real viewer would be sent a snapshot first."""
        MEMBERS_LEFT_OUT.append(self)


MEMBERS_LEFT_OUT: list[Member] = []


async def room(listener: socket.socket, per_s: int, parent: Connection) -> None:
    """A room of Live View, with the protocol that the server runs."""
    from adapters.ids import uuid7

    live = Room(uuid7())
    live.begin(1)
    live.open(FILE, 0, "x = 1\n" * 500, "python")
    version = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        live.fan_out.join(Member(scope["extensions"][CONNECTION]))
        await receive()

    def patch(text: str) -> int:
        nonlocal version
        version += 1
        line = version % 500
        change = Change(Range(Position(line, 0), Position(line, len(text) if version > 500 else 0)), text)
        live.change(Patch(file=FILE, base_version=version - 1, version=version, changes=(change,)))
        if MEMBERS_LEFT_OUT:
            for member in [member for member in MEMBERS_LEFT_OUT if not member.wire.paused]:
                MEMBERS_LEFT_OUT.remove(member)
                live.fan_out.join(member)
        return len(live._history[-1].frame)

    config = uvicorn.Config(app, ws=GatewayProtocol, lifespan="off", log_config=None, access_log=False)
    serving = asyncio.create_task(uvicorn.Server(config)._serve([listener]))
    await _pump(patch, per_s, parent)
    serving.cancel()


async def library(listener: socket.socket, per_s: int, parent: Connection) -> None:
    """The library's own way, with a message of the same length."""
    connections: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        connections.add(connection)
        await connection.wait_closed()

    def send(text: str) -> int:
        message = text.ljust(MESSAGE_CHARS, ".")
        broadcast(connections, message)
        return len(message) + 4

    async with serve(handle, sock=listener, compression=None, ping_interval=None):
        await _pump(send, per_s, parent)


MESSAGE_CHARS = 240


async def _pump(send: Callable[[str], int], per_s: int, parent: Connection) -> None:
    """Send until told to stop: at a pace, or as fast as others of the process still have a turn."""
    while not parent.poll():
        await asyncio.sleep(0.01)
    parent.recv()
    cpu_began, waited_s, number, began, sent_bytes = time.process_time(), _waited_s(), 0, time.monotonic(), 0
    while not parent.poll():
        for _ in range(1 if per_s else BURST):
            number += 1
            sent_bytes += send(f"sent {time.monotonic():020.6f} ".ljust(TEXT_CHARS, "#"))
        await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()) if per_s else 0)
    seconds = time.monotonic() - began
    core_share, waited = (time.process_time() - cpu_began) / seconds, (_waited_s() - waited_s) / seconds
    await asyncio.sleep(0.2)
    parent.send(Served(number, core_share, sent_bytes / number, waited))
    await asyncio.sleep(2)
    os._exit(0)
