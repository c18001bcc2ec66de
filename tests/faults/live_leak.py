"""The text of live sessions is looked for wherever an installation keeps or says anything (R6), in errors and crashes too."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis.asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from hivesync_core.exports.events import ExportFormat
from tests.faults.live_people import FollowingViewer, LiveDoor, ReplayHost
from tests.faults.live_wrong_server import BROKEN, FAILS, LEAKS
from tests.faults.report import Figure, Report, at_least, none_of
from tests.faults.searching import in_files, in_redis, in_tables, in_text
from tests.faults.servers import ServerProcess
from tests.faults.source_leak import exported
from tests.faults.stage import Person, Stage, postgres_program
from tests.observability.collector import Collector
from tests.servers.valkey import ValkeyServer

WRONG = ("-m", "tests.faults.live_wrong_server")
FORMATS = tuple(ExportFormat)
PROJECT = "Faults"
FILE = "src/secret_sauce.py"
CHANGES, CHANGES_SHORT = 2_000, 200
WAIT_S = 60.0


async def run(seed: int, *, short: bool = False) -> Report:
    """A session on two servers, well and badly, at the finest log level, up to a crash; then everything is searched."""
    marker = f"zt{secrets.token_hex(8)}"
    with ValkeyServer() as valkey, Collector() as collector, Stage() as stage:
        person = await stage.person()
        first = await _server(stage, "server-1", valkey, collector)
        same_key = {"HIVESYNC_SIGNING_KEY_FILE": str(stage.folder / "server-1-data" / "signing.key")}
        servers = [first, await _server(stage, "server-2", valkey, collector, **same_key)]
        async with _Overheard(valkey.url) as overheard:
            shown = await _session(servers, person, marker, CHANGES_SHORT if short else CHANGES)
            said = await _said(servers, person)
            crashed = await _crash(servers[0], person, marker)
        dump = stage.folder / "dump.sql"
        await asyncio.to_thread(postgres_program, "pg_dump", f"--file={dump}", stage.url)
        async with redis.asyncio.Redis.from_url(valkey.url) as client:
            await client.save()
            folder = Path((await client.config_get("dir"))["dir"])
        places = {
            "tables": lambda text: in_tables(stage.url, [text]),
            "files": lambda text: in_files(stage.folder, [text]),
            "Redis' keys": lambda text: in_redis(valkey.url, [text]),
            "Redis' files": lambda text: in_files(folder, [text]),
            "messages between the servers": overheard.holding,
            "traces": lambda text: [text] if text.encode() in b"".join(collector.bodies) else [],
            "answers": lambda text: [name for name, answer in said.items() if in_text(answer, [text])],
        }
        found = [f"{place}: {hit}" for place, search in places.items() for hit in search(marker)]
        control = [f"{place}: {hit}" for place, search in places.items() for hit in search(PROJECT)]
        leaked = await _leaked(stage, valkey, collector, person)
        logged = sum(len(server.log()) for server in servers)
        errors = sum(server.log().count("RuntimeError") for server in servers)
        spans, heard = len(collector.spans), len(overheard.messages)
    wanted = {"files: dump.sql", *(f"answers: export.{name.value}" for name in FORMATS), "answers: history"}
    return Report(
        [
            at_least("texts that viewers saw in the session", shown, 3),
            none_of("places with a piece of the text", len(found)),
            none_of("control: places where the project's name is to be found and is not", len(wanted - set(control))),
            at_least("control: history.jsonl with the project's name", sum("history.jsonl" in c for c in control), 1),
            at_least("control: a leak that is made is found", len(leaked), 1),
            at_least("errors of the room itself in the log, by their place", errors, 2),
            at_least("crash reports in the log", crashed, 1),
            at_least("messages between the servers that were overheard", heard, 10),
            at_least("spans in the traces", spans, 1),
        ],
        [
            Figure("characters of logs that were searched", logged, ""),
            Figure("answers that were searched", len(said), ""),
        ],
        [f"found in {place}" for place in found] + [f"not found in {place}" for place in sorted(wanted - set(control))],
    )


async def _server(stage: Stage, name: str, valkey: ValkeyServer, collector: Collector, **more: str) -> ServerProcess:
    server = stage.server(
        name, program=WRONG, REDIS_URL=valkey.url, HIVESYNC_LOG_LEVEL="debug", HIVESYNC_ACCESS_LOG="all",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, PYTHONFAULTHANDLER="1",
        HIVESYNC_EXPORTS_DIR=str(stage.folder / "exports"), **more,
    )  # fmt: skip
    await asyncio.to_thread(server.wait_ready)
    return server


class _Overheard:
    """Everything that is published on a Redis while the block runs."""

    def __init__(self, url: str) -> None:
        self.messages: list[bytes] = []
        self._redis = redis.asyncio.Redis.from_url(url)
        self._task: asyncio.Task[None]

    async def __aenter__(self) -> _Overheard:
        pubsub = self._redis.pubsub()
        await pubsub.psubscribe("*")
        self._task = asyncio.create_task(self._listen(pubsub))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._redis.aclose()

    async def _listen(self, pubsub: Any) -> None:
        async for message in pubsub.listen():
            if message["type"] == "pmessage":
                self.messages.append(message["channel"] + b" " + message["data"])

    def holding(self, text: str) -> list[str]:
        """The first of those that hold a text."""
        return [f"message {number}" for number, message in enumerate(self.messages) if text.encode() in message][:3]


async def _session(servers: list[ServerProcess], person: Person, marker: str, changes: int) -> int:
    """Type, be seen, and have everything go wrong that holds the text; how many viewers had it at the end."""
    door = LiveDoor([server.base_url for server in servers], person.token, person.project_id)
    await door.start()
    host = ReplayHost(door, FILE, f"# {marker} begins\n", 64)
    await host.attach()
    viewers = [FollowingViewer(door, host, await door.guest(number), number) for number in range(3)]
    tasks = [asyncio.create_task(viewer.run()) for viewer in viewers]
    for number in range(changes):
        await host.type([(len(host.document.text), 0, f"{marker} {number}\n")], 50)
    await host.finish()
    for viewer in viewers:
        await viewer.until(host.document.version, WAIT_S)
    saw = sum(viewer.document is not None and marker in viewer.document.text for viewer in viewers)
    await _go_wrong(door, marker, host.document.version)
    for viewer in viewers:
        await viewer.stop()
    await host.close()
    await asyncio.gather(*tasks)
    await door.close()
    return saw


async def _go_wrong(door: LiveDoor, marker: str, version: int) -> None:
    """Messages with the text that are refused, do not fit, are not understood, or lead to an error in the server."""
    spot = {"line": 0, "character": 0}
    far = {"line": 9_999_999, "character": 0}

    def change(text: str, at: dict[str, int] = spot, base: int = version) -> dict[str, Any]:
        changes = [{"range": {"start": at, "end": at}, "text": text}]
        return {"file": FILE, "base_version": base, "version": base + 1, "changes": changes}

    as_host = {"session_id": door.session_id, "token": door.token}
    as_viewer = {"viewer_token": await door.guest(9)}
    for after_host in (
        ("live.change", change(marker, far)),
        ("live.change", change(marker, base=version + 7)),
        ("live.change", change(marker) | {"sha256_after": "0" * 64}),
        ("live.change", change(marker) | {"unheard_of": marker}),
        ("live.change", {marker: marker}),
        ("live.open", {"file": ".env", "version": 1, "text": marker}),
        ("live.open", {"file": "b.py", "version": 1, "text": marker, "sha256": "0" * 64}),
        ("live.open", {"file": "b.py", "version": 1, "text": marker * 200_000}),
        (f"live.{marker}", {"text": marker}),
        ("live.change", change(f"{marker} {FAILS}")),
    ):
        await _say(door.urls[0], ("live.host", as_host), after_host)
    for after_viewer in (("live.change", change(marker)), (marker, {}), ("live.ping", {"nonce": marker, "x": marker})):
        await _say(door.urls[1], ("live.view", as_viewer), after_viewer)
    await _say(door.urls[0], (marker, {marker: marker}))
    # A snapshot that cannot be drawn, with somebody who waits for it.
    broken = ("live.open", {"file": BROKEN, "version": 1, "text": f"{marker} broken\n"})
    await _say(door.urls[0], ("live.host", as_host), broken, ("live.ready", {}))
    await _say(door.urls[0], ("live.view", as_viewer))


async def _say(url: str, *messages: tuple[str, dict[str, Any]]) -> None:
    """Send messages on a socket of their own, and read until nothing more is said."""
    with suppress(ConnectionClosed, TimeoutError):
        async with connect(url.replace("http", "ws", 1) + "/ws/live", max_size=None) as socket:
            for event_type, payload in messages:
                await socket.send(json.dumps({"event_type": event_type, "payload": payload}))
            while True:
                await asyncio.wait_for(socket.recv(), 0.3)


async def _said(servers: list[ServerProcess], person: Person) -> dict[str, str]:
    """What the servers answer to whoever may ask for anything of it."""
    door = LiveDoor([server.base_url for server in servers], person.token, person.project_id)
    try:
        client = door.client(servers[0].base_url)
        said = {f"export.{name.value}": await exported(client, (name.value,)) for name in FORMATS}
        said["history"] = (await client.get("/api/v1/history?limit=200")).text
        listed = await client.get(f"/api/v1/projects/{person.project_id}/live-sessions")
        said["sessions"] = listed.text
        for session in listed.json()["items"]:
            answer = await client.get(f"/api/v1/live-sessions/{session['session_id']}/exposure")
            said["exposure"] = answer.raise_for_status().text
        for number, server in enumerate(servers):
            said[f"metrics {number}"] = (await client.get(f"{server.base_url}/metrics")).text
        return said
    finally:
        await door.close()


async def _crash(server: ServerProcess, person: Person, marker: str) -> int:
    """End a server by a signal that has it write a report while it shows a session; how many reports there are."""
    door = LiveDoor([server.base_url], person.token, person.project_id)
    await door.start()
    host = ReplayHost(door, FILE, f"# {marker} crashes\n", 64)
    await host.attach()
    viewer = FollowingViewer(door, host, await door.guest(0), 0)
    following = asyncio.create_task(viewer.run())
    for number in range(100):
        await host.type([(0, 0, f"{marker} {number} to the crash\n")], 10)
    os.kill(server.pid, signal.SIGABRT)
    async with asyncio.timeout(WAIT_S):
        while server.runs:
            await asyncio.sleep(0.05)
    await viewer.stop()
    await host.close()
    await asyncio.gather(following)
    await door.close()
    return server.log().count("Fatal Python error: Aborted")


async def _leaked(stage: Stage, valkey: ValkeyServer, collector: Collector, person: Person) -> list[str]:
    """Where the text of a session lies on a server that logs it."""
    marker = f"zl{secrets.token_hex(8)}"
    leaking = await _server(stage, "leaking", valkey, collector, **{LEAKS: "1"})
    await _session([leaking, leaking], person, marker, 3)
    return in_files(stage.folder, [marker])
