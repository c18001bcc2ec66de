"""Frames to 1,000 viewers of one process: the gateway's outboxes against the library's own broadcast, in one run."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import struct
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import uvicorn
import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from adapters.gateway.frames import text_frame
from adapters.gateway.outbox import Flusher, Outbox
from adapters.gateway.protocol import CONNECTION, GatewayProtocol
from tests.bench.report import Figure, Report, Target, percentile

VIEWERS = 1_000
RUN_S = 3.0
BURST = 8
"""Frames that are sent before others of the process have a turn, where it goes as fast as it can."""

PATCHES_PER_S = 200
PATCH_BYTES = 120
WANTED_RATIO = 3.0
_HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

Send = Callable[[bytes], None]


def run() -> Report:
    """Both ways as fast as they can; then the gateway at the pace of a busy live session."""
    ours, theirs = _rate(_gateway), _rate(_library)
    cpu_share, late_ms = _paced()
    return Report(
        figures=[
            Figure("deliveries a second, gateway", ours, "/s"),
            Figure("deliveries a second, websockets.broadcast", theirs, "/s"),
            Figure(f"{PATCHES_PER_S} patches a second to {VIEWERS} viewers: of one core", cpu_share * 100, "%"),
            Figure("the same: from sending to arrival, p50", percentile(late_ms, 0.5), "ms"),
            Figure("the same, p99", percentile(late_ms, 0.99), "ms"),
        ],
        targets=[Target("gateway against broadcast", ours / theirs, WANTED_RATIO)],
        notes=[f"{VIEWERS} sockets of one client process; frames of {PATCH_BYTES} bytes; {RUN_S:g} s each"],
    )


def _rate(server: Any) -> float:
    """Frames that arrive in a second, all viewers together, when they are sent as fast as possible."""
    received, seconds, _, _ = _with_viewers(server, 0)
    return received / (PATCH_BYTES + 2) / seconds


def _paced() -> tuple[float, list[float]]:
    """The share of a core that the server takes at a fixed pace, and how late frames arrive at one viewer."""
    _, seconds, cpu_s, late_ms = _with_viewers(_gateway, PATCHES_PER_S)
    return cpu_s / seconds, late_ms


def _with_viewers(server: Any, per_s: int) -> tuple[int, float, float, list[float]]:
    """Bytes, seconds, the server's seconds of CPU, and the delays at one viewer."""
    here, there = multiprocessing.Pipe()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(VIEWERS)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(server, listener, per_s, there))
    process.start()
    try:
        received, seconds, late_ms = uvloop.run(_watch(listener.getsockname()[1], here))
        return received, seconds, here.recv(), late_ms
    finally:
        process.kill()
        process.join()
        listener.close()


async def _watch(port: int, server: Connection) -> tuple[int, float, list[float]]:
    loop = asyncio.get_running_loop()
    viewers = [(await loop.create_connection(Viewer, "127.0.0.1", port))[1] for _ in range(VIEWERS)]
    first: Viewer = viewers[0]
    first.late_ms = []
    await asyncio.sleep(0.5)
    server.send("go")
    await asyncio.sleep(0.5)
    before, began = sum(viewer.received for viewer in viewers), time.monotonic()
    first.late_ms.clear()
    await asyncio.sleep(RUN_S)
    received, seconds = sum(viewer.received for viewer in viewers) - before, time.monotonic() - began
    late_ms = list(first.late_ms)
    server.send("stop")
    return received, seconds, late_ms


class Viewer(asyncio.Protocol):
    """Counts what arrives; where asked to, looks when it was sent."""

    def __init__(self) -> None:
        self.received = 0
        self.late_ms: list[float] | None = None
        self._rest = b""

    def connection_made(self, transport: Any) -> None:
        """Ask for a socket."""
        transport.write(_HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        """Count."""
        self.received += len(data)
        if self.late_ms is not None:
            self._look(self._rest + data)

    def _look(self, data: bytes) -> None:
        if data.startswith(b"HTTP/"):
            data = data.partition(b"\r\n\r\n")[2]
        at, frame = time.monotonic(), PATCH_BYTES + 2
        while len(data) >= frame:
            sent = struct.unpack("!d", bytes.fromhex(data[2:18].decode()))[0]
            assert self.late_ms is not None
            self.late_ms.append((at - sent) * 1e3)
            data = data[frame:]
        self._rest = data


def _serve(server: Any, listener: socket.socket, per_s: int, parent: Connection) -> None:
    uvloop.run(server(listener, per_s, parent))


async def _gateway(listener: socket.socket, per_s: int, parent: Connection) -> None:
    flusher, outboxes = Flusher(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        outboxes.append(Outbox(scope["extensions"][CONNECTION], flusher))
        await receive()

    def send(payload: bytes) -> None:
        frame = text_frame(payload)
        for outbox in outboxes:
            outbox.push(frame)

    config = uvicorn.Config(app, ws=GatewayProtocol, lifespan="off", log_config=None, access_log=False)
    http = uvicorn.Server(config)
    serving = asyncio.create_task(http._serve([listener]))
    await _pump(send, per_s, parent)
    serving.cancel()


async def _library(listener: socket.socket, per_s: int, parent: Connection) -> None:
    connections: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        connections.add(connection)
        await connection.wait_closed()

    async with serve(handle, sock=listener, compression=None, ping_interval=None):
        await _pump(lambda payload: broadcast(connections, payload.decode()), per_s, parent)


async def _pump(send: Send, per_s: int, parent: Connection) -> None:
    """Send until told to stop: at a pace, or as fast as others of the process still have a turn."""
    while not parent.poll():
        await asyncio.sleep(0.01)
    parent.recv()
    cpu_began, number, began = time.process_time(), 0, time.monotonic()
    while number % BURST or not parent.poll():
        number += 1
        send(_payload())
        if per_s:
            await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()))
        elif number % BURST == 0:
            await asyncio.sleep(0)
    elapsed = time.monotonic() - began
    parent.send((time.process_time() - cpu_began) * RUN_S / elapsed)
    await asyncio.sleep(1)
    os._exit(0)


def _payload() -> bytes:
    """A text of a fixed length that says when it was sent."""
    return struct.pack("!d", time.monotonic()).hex().encode().ljust(PATCH_BYTES, b".")
