"""10,000 viewers of one process: all served, and the memory that each takes; then 50 of them stop to read."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import socket
import time
from multiprocessing.connection import Connection
from typing import Any, NamedTuple
from uuid import UUID

import psutil
import uvicorn
import uvloop

from adapters.gateway import protocol
from adapters.gateway.live.gateway import LiveGateway
from adapters.gateway.live.hall import Hall
from adapters.gateway.protocol import GatewayProtocol
from adapters.identity.identity import Identity
from adapters.identity.secrets import LIVE_INVITE, LIVE_VIEWER, digest, new_token
from adapters.identity.settings import Attempts, IdentitySettings
from adapters.ids import now, uuid7
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.reader import PostgresStreamReader
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.log import Context, Log, Submission
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from hivesync_core.live import commands as c
from hivesync_core.live.decider import live
from shared.socket.live import Change, Patch, Position, Range
from tests.bench.report import Figure, Report, Target, percentile
from tests.bench.server import own_server

VIEWERS = 10_000
STALLED = 50
BYTES_EACH_MAX = 65_536
STALLED_BYTES_MAX = 50_000_000
JOINED_AT_ONCE = 500
OPENED_AT_ONCE = 100
FILE = "src/a.py"
_VERSION = re.compile(rb'"version":(\d+),')


class Load(NamedTuple):
    """How many watch, and what they are sent for how long."""

    viewers: int
    per_s: int
    chars: int
    seconds: float


class Measured(NamedTuple):
    """What a load came to; memory in bytes, delays in milliseconds."""

    served: int
    opened_s: float
    each: float
    late_ms: list[float]
    stalled_late_ms: list[float]
    growth: int


MANY = Load(VIEWERS, 10, 100, 5.0)
BUSY = Load(250, 100, 2_000, 10.0)
"""Of which ``STALLED`` stop to read: more is sent to each than all buffers on the way hold."""


def run() -> Report:
    """Both loads, each on a server process of its own."""
    many, busy = measured(MANY, 0), measured(BUSY, STALLED)
    calm_p99, stalled_p99 = percentile(busy.late_ms, 0.99), percentile(busy.stalled_late_ms, 0.99)
    return Report(
        figures=[
            Figure("viewers that were served, from the snapshot to the last change", many.served, ""),
            Figure("seconds to open them all", many.opened_s, "s"),
            Figure("memory of the server for each", many.each / 1_024, "KiB"),
            Figure(
                f"{BUSY.viewers} viewers, {BUSY.per_s} changes of {BUSY.chars} characters a second, p99", calm_p99, "ms"
            ),
            Figure(f"the others while {STALLED} of them read nothing, p99", stalled_p99, "ms"),
            Figure(f"memory that {STALLED} which read nothing take", busy.growth / 1e6, "MB"),
        ],
        targets=[
            Target(f"served of {VIEWERS}", many.served / VIEWERS, 1.0),
            Target("memory of each against 64 KiB", BYTES_EACH_MAX / max(1.0, many.each), 1.0),
            Target("growth by those that stall against 50 MB", STALLED_BYTES_MAX / max(1.0, busy.growth), 1.0),
        ],
        notes=["viewers have joined and attach as real ones do, from another process"],
    )


def measured(load: Load, stalled: int) -> Measured:
    """Run one load."""
    with own_server() as url, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(2_048)
        here, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_serve, args=(url, listener, load, there))
        process.start()
        there.close()
        try:
            return uvloop.run(_watch(listener.getsockname()[1], here, process.pid or 0, load, stalled))
        finally:
            process.kill()
            process.join()


async def _watch(port: int, server: Connection, pid: int, load: Load, stalled: int) -> Measured:
    while not server.poll():
        await asyncio.sleep(0.05)
    tokens = server.recv()
    memory = psutil.Process(pid).memory_info
    before = memory().rss
    viewers: list[Viewer] = []
    began = time.monotonic()
    for first in range(0, len(tokens), OPENED_AT_ONCE):
        viewers += await asyncio.gather(*(_open(port, token) for token in tokens[first : first + OPENED_AT_ONCE]))
        await _until(lambda some=list(viewers): all(viewer.has_snapshot for viewer in some), 20)
    opened_s = time.monotonic() - began
    each = (memory().rss - before) / len(viewers)
    sent, late_ms = await _late(server, viewers, load.seconds)
    await _until(lambda: all(viewer.version == sent for viewer in viewers), 10)
    served = sum(viewer.has_snapshot and viewer.version == sent for viewer in viewers)
    level = memory().rss
    for viewer in viewers[:stalled]:
        viewer.stall()
    _, stalled_late_ms = await _late(server, viewers[stalled:], load.seconds) if stalled else (0, list[float]())
    return Measured(served, opened_s, each, late_ms, stalled_late_ms, memory().rss - level)


async def _open(port: int, token: str) -> Viewer:
    loop = asyncio.get_running_loop()
    return (await loop.create_connection(lambda: Viewer(token), "127.0.0.1", port))[1]


async def _late(server: Connection, viewers: list[Viewer], seconds: float) -> tuple[int, list[float]]:
    """How many changes were made, and how late they arrived, in milliseconds."""
    for viewer in viewers:
        viewer.late_ms.clear()
    server.send("go")
    await asyncio.sleep(seconds)
    server.send("stop")
    while not server.poll():
        await asyncio.sleep(0.02)
    sent: int = server.recv()
    await asyncio.sleep(1)
    return sent, [late for viewer in viewers for late in viewer.late_ms]


async def _until(true: Any, patience_s: float) -> None:
    give_up_at = time.monotonic() + patience_s
    while not true() and time.monotonic() < give_up_at:
        await asyncio.sleep(0.02)


class Viewer(asyncio.Protocol):
    """Attaches, keeps the last version that came, and sees how late changes are."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._transport: Any = None
        self._tail = b""
        self.has_snapshot = False
        self.version = 0
        self.late_ms: list[float] = []

    def connection_made(self, transport: Any) -> None:
        """Ask for a socket."""
        self._transport = transport
        transport.write(
            b"GET /ws/live HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        """Say who is there as soon as the socket stands; look for what counts."""
        if data.startswith(b"HTTP/"):
            text = b'{"event_type":"live.view","payload":{"viewer_token":"%s"}}' % self._token.encode()
            self._transport.write(b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text)
        data = self._tail + data
        self.has_snapshot = self.has_snapshot or b"live.snapshot_end" in data
        at = data.rfind(b"sent ")
        if at >= 0 and len(data) >= at + 25:
            self.late_ms.append((time.monotonic() - float(data[at + 5 : at + 25])) * 1e3)
        versions = _VERSION.findall(data)
        self.version = int(versions[-1]) if versions else self.version
        self._tail = data[-30:]

    def stall(self) -> None:
        """Read nothing any more."""
        self._transport.pause_reading()


def _serve(url: str, listener: socket.socket, load: Load, parent: Connection) -> None:
    uvloop.run(_served(url, listener, load, parent))


class _Silent:
    def subscribe(self, listener: Any, *, on_interruption: Any = None) -> None:
        """Nothing is read from the log here."""


async def _served(url: str, listener: socket.socket, load: Load, parent: Connection) -> None:
    # The bench's viewers answer no pings: they would be taken for dead before all of them are open.
    protocol.PING_INTERVAL_S = 3_600.0  # type: ignore[misc]
    database = Database(url)
    await database.open()
    commit = GroupCommit(database)
    await commit.start()
    catalogue = the_catalogue()
    log = Log(commit, PostgresStreamReader(database, catalogue), MsgspecMapper(catalogue), uuid7)
    unlimited = IdentitySettings(requests_by_ip=Attempts(0, 60), requests_by_account=Attempts(0, 60))
    gateway = LiveGateway(database, log, _Silent(), Identity(database, log, unlimited), public_url="http://bench")
    await gateway.start()
    hall, tokens = await _session(database, log, gateway, load.viewers)
    config = uvicorn.Config(
        gateway, ws=GatewayProtocol, lifespan="off", log_config=None, access_log=False, backlog=2_048
    )
    serving = asyncio.create_task(uvicorn.Server(config)._serve([listener]))
    parent.send(tokens)
    version, began = 0, 0.0
    while not serving.done():
        if parent.poll():
            began = time.monotonic() if parent.recv() == "go" else 0.0
            if not began:
                parent.send(version)
        if began:
            version += 1
            text = f"sent {time.monotonic():020.6f} ".ljust(load.chars, "#")
            change = Change(Range(Position(0, 0), Position(0, load.chars if version > 1 else 0)), text)
            hall.room.change(Patch(file=FILE, base_version=version - 1, version=version, changes=(change,)))
        await asyncio.sleep(1 / load.per_s if began else 0.02)
    os._exit(0)


async def _session(database: Database, log: Log, gateway: LiveGateway, viewers: int) -> tuple[Hall, list[str]]:
    """A session with a file, and so many guests who have joined."""
    host, project_id, session_id, invite_id = AccountId(uuid7()), ProjectId(uuid7()), uuid7(), uuid7()
    invite = digest(new_token(LIVE_INVITE)).hex()
    who = {"by": host, "role": Role.MEMBER}
    start = c.StartSession(session_id=session_id, project_id=project_id, at=now(), **who)
    make = c.MakeInvite(invite_id=invite_id, token_sha256=invite, at=now(), **who)
    await log.execute_all([Submission(live, session_id, start), Submission(live, session_id, make)], _context())
    await gateway.rows.add_session(session_id, project_id, host, os.urandom(32), now())
    tokens = [new_token(LIVE_VIEWER) for _ in range(viewers)]
    for first in range(0, viewers, JOINED_AT_ONCE):
        some = [(uuid7(), token) for token in tokens[first : first + JOINED_AT_ONCE]]
        joins = [
            c.JoinByInvite(viewer_id=viewer_id, account_id=None, invite_id=invite_id, token_sha256=invite, at=now())
            for viewer_id, _ in some
        ]
        await log.execute_all([Submission(live, session_id, join) for join in joins], _context())
        await database.execute(
            "INSERT INTO live.viewers (viewer_id, session_id, guest_name, token_hash, joined_at, seen_at) "
            "SELECT v, %s, 'Guest', t, %s, %s FROM unnest(%s::uuid[], %s::bytea[]) AS u(v, t)",
            (session_id, now(), now(), [viewer_id for viewer_id, _ in some], [digest(token) for _, token in some]),
        )
    session = (await log.state(live, session_id)).state
    hall = await gateway.rooms._enter(session_id, session)
    hall.is_home = True
    hall.room.begin(1)
    hall.room.open(FILE, 0, "\n" * 100, "python")
    hall.room.settled.set()
    return hall, tokens


def _context() -> Context:
    command_id: UUID = uuid7()
    return Context("system", now(), command_id, command_id)
