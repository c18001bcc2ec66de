"""A host that replays an editing session and viewers that follow it, for faults: quick, and checking every step."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from hivesync_core.live.document import Document, DoesNotFit, digest_of
from shared.socket.live import Closed, File, Patched, Snapshot, Text

SMALL_BUFFER_BYTES = 16_384
"""What the kernel keeps for a viewer here, so that one that reads nothing is noticed."""

_PAUSE_S = 0.1
_NOT_YET = (OSError, ConnectionClosed, InvalidHandshake, TimeoutError)

_payloads = {said.event_type: msgspec.json.Decoder(said) for said in (Snapshot, File, Text, Patched, Closed)}


class _Envelope(msgspec.Struct):
    event_type: str
    payload: msgspec.Raw
    seq: int = 0


_decode = msgspec.json.Decoder(_Envelope).decode
_encode = msgspec.json.Encoder().encode


class LiveDoor:
    """A live session over the API of a server; ``urls`` are all of its servers."""

    def __init__(self, urls: list[str], token: str, project_id: UUID) -> None:
        self.urls, self.token, self.project_id = urls, token, project_id
        self.session_id = ""
        self._client = httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=15, trust_env=False)

    async def start(self) -> None:
        """Start a session, and make an invite."""
        body = await self._post(f"/projects/{self.project_id}/live-sessions", {"title": "Fault"})
        self.session_id = body["id"]
        self.invite = (await self._post(f"/live-sessions/{self.session_id}/invites", {}))["token"]

    async def guest(self, number: int) -> str:
        """Let a guest in; the viewer's token."""
        joined = await self._post("/live/join-as-guest", {"invite": self.invite, "name": f"Guest {number}"})
        return str(joined["viewer_token"])

    async def read(self, path: str, url: str | None = None) -> bytes:
        """The body of an answer."""
        answer = await self._client.get(f"{url or self.urls[0]}/api/v1{path}")
        answer.raise_for_status()
        return answer.content

    def client(self, url: str) -> httpx.AsyncClient:
        """Requests of the same person to a server; it is closed with the door."""
        self._client.base_url = url
        return self._client

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _post(self, path: str, body: Any) -> Any:
        answer = await self._client.post(f"{self.urls[0]}/api/v1{path}", json=body)
        answer.raise_for_status()
        return answer.json()


class ReplayHost:
    """Types an editing session into one file; after a cut it attaches again and brings the server up to date."""

    def __init__(self, door: LiveDoor, name: str, text: str, window: int) -> None:
        self.door, self.name = door, name
        self.document = Document(text, 1)
        self.digests = {1: self.document.sha256}
        self.acknowledged = 0
        self.attached = 0
        self._url = 0
        self._window = window
        self._may_type = asyncio.Event()
        self._connection: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def attach(self) -> None:
        """Open a socket, on the next server where one does not answer."""
        while True:
            url = self.door.urls[self._url % len(self.door.urls)]
            try:
                connection = await connect(_ws(url), compression=None, max_size=None, close_timeout=1)
                await _send(connection, "live.host", {"session_id": self.door.session_id, "token": self.door.token})
                hosting = msgspec.json.decode(await asyncio.wait_for(connection.recv(), 10))
                assert hosting["event_type"] == "live.hosting", hosting
                break
            except _NOT_YET:
                self._url += 1
                await asyncio.sleep(_PAUSE_S)
        held = {file["file"]: (file["version"], file["sha256"]) for file in hosting["payload"]["files"]}
        self._connection, self.attached = connection, self.attached + 1
        if held.get(self.name) != (self.document.version, self.document.sha256):
            await self._open()
        await _send(connection, "live.ready", {})
        self._reader = asyncio.create_task(self._read(connection))

    async def type(self, patches: Sequence[tuple[int, int, str]], digest_every: int) -> None:
        """Make one transaction of the editing session, as one change."""
        base, changes, copy = self.document.version, [], Document(self.document.text) if len(patches) > 1 else None
        for number, (at, deleted, inserted) in enumerate(patches):
            source = copy or self.document
            changes.append(source.change_at(at, deleted, inserted))
            if copy is not None:
                copy.apply(number, number + 1, changes[-1:])
        self.document.apply(base, base + 1, changes)
        digest = None
        if base % digest_every == 0:
            digest = self.digests[base + 1] = self.document.sha256
        change = {"file": self.name, "base_version": base, "version": base + 1, "changes": changes}
        await self._say("live.change", {**change, "sha256_after": digest})
        while self.document.version - self.acknowledged > self._window:
            self._may_type.clear()
            try:
                await asyncio.wait_for(self._may_type.wait(), 5)
            except TimeoutError:
                if self._reader is None or self._reader.done():
                    await self.attach()

    async def finish(self) -> None:
        """Return when the server has everything."""
        self._window = 0
        while self.acknowledged < self.document.version:
            self._may_type.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._may_type.wait(), 5)
            if self._reader is None or self._reader.done():
                await self.attach()

    def drop(self) -> None:
        """Be cut off."""
        if self._connection is not None:
            self._connection.transport.abort()

    def move_to(self, number: int) -> None:
        """Be cut off, and come back at this one of the servers."""
        self._url = number
        self.drop()

    async def close(self) -> None:
        """Be gone."""
        if self._reader is not None:
            self._reader.cancel()
        if self._connection is not None:
            with suppress(*_NOT_YET):
                await self._connection.close()

    async def _say(self, event_type: str, payload: Any) -> None:
        try:
            assert self._connection is not None
            await _send(self._connection, event_type, payload)
        except _NOT_YET:
            await self.attach()

    async def _open(self) -> None:
        document = self.document
        await self._say(
            "live.open",
            {"file": self.name, "version": document.version, "text": document.text, "sha256": document.sha256},
        )

    async def _read(self, connection: ClientConnection) -> None:
        with suppress(*_NOT_YET):
            async for message in connection:
                heard = _decode(message)
                if heard.event_type == "live.ack":
                    self.acknowledged = max(self.acknowledged, msgspec.json.decode(heard.payload)["version"])
                elif heard.event_type == "live.send_snapshot":
                    await self._open()
                elif heard.event_type == "live.ended":
                    return
                self._may_type.set()
        self._may_type.set()


class FollowingViewer:
    """Follows the file; every digest that comes, and every version that was sampled, is compared."""

    def __init__(self, door: LiveDoor, host: ReplayHost, token: str, number: int) -> None:
        self.door, self.host, self._token = door, host, token
        self.document: Document | None = None
        self.counts: Counter[str] = Counter()
        self.compared = 0
        self.differed = 0
        self.url = number
        self.whole_at = 0.0
        self._epoch: int | None = None
        self._seq = 0
        self._connection: ClientConnection | None = None
        self._parts: tuple[File, list[str]] | None = None
        self._in_snapshot = False
        self._sleep_s = 0.0
        self._stopped = False

    async def run(self) -> None:
        """Attach and follow, again and again, until ``stop``."""
        while not self._stopped:
            try:
                await self._attach()
                assert self._connection is not None
                async for message in self._connection:
                    await self._hear(_decode(message))
                    if self._sleep_s:
                        sleep_s, self._sleep_s = self._sleep_s, 0.0
                        await asyncio.sleep(sleep_s)
            except _NOT_YET:
                pass
            if not self._stopped:
                self.url += 1
                await asyncio.sleep(_PAUSE_S * random.random())

    async def stop(self) -> None:
        """Follow no more."""
        self._stopped = True
        if self._connection is not None:
            with suppress(*_NOT_YET):
                await self._connection.close()

    def drop(self) -> None:
        """Be cut off."""
        if self._connection is not None:
            self._connection.transport.abort()

    def move_to(self, number: int) -> None:
        """Be cut off, and come back at this one of the servers."""
        self.url = number - 1
        self.drop()

    def forget(self) -> None:
        """Ask for everything at the next time, not for what was missed."""
        self._epoch = None

    def sleep(self, seconds: float) -> None:
        """Read nothing for a while."""
        self._sleep_s = seconds

    async def until(self, version: int, patience_s: float) -> bool:
        """Whether the version is reached in time."""
        give_up_at = time.monotonic() + patience_s
        while self.document is None or self.document.version < version or self._in_snapshot:
            if time.monotonic() > give_up_at:
                return False
            await asyncio.sleep(0.01)
        return True

    async def _attach(self) -> None:
        url = self.door.urls[self.url % len(self.door.urls)]
        parts = urlsplit(url)
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        raw.setblocking(False)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(raw, (parts.hostname, parts.port)), 5)
        except BaseException:
            raw.close()
            raise
        self._connection = await connect(
            _ws(url), sock=raw, compression=None, max_size=None, close_timeout=1, ping_interval=None
        )
        payload: dict[str, Any] = {"viewer_token": self._token}
        if self._epoch is not None:
            payload |= {"epoch": self._epoch, "seq": self._seq}
        await _send(self._connection, "live.view", payload)
        viewing = msgspec.json.decode(await asyncio.wait_for(self._connection.recv(), 10))
        assert viewing["event_type"] == "live.viewing", viewing
        self.counts["resumed" if viewing["payload"]["resumed"] else "attached"] += 1
        self._parts, self._in_snapshot = None, not viewing["payload"]["resumed"]

    async def _hear(self, heard: _Envelope) -> None:
        decoder = _payloads.get(heard.event_type)
        said = None if decoder is None else decoder.decode(heard.payload)
        match said:
            case Patched():
                await self._patch(said)
            case Snapshot():
                self.counts[f"snapshots: {said.reason}"] += 1
                self._epoch, self._in_snapshot, self.document, self._parts = said.epoch, True, None, None
            case File():
                self._parts = said, []
                self._whole()
            case Text():
                assert self._parts is not None
                self._parts[1].append(said.text)
                self._whole()
        if heard.event_type == "live.snapshot_end":
            self._in_snapshot = False
        if not self._in_snapshot:
            self._seq = heard.seq

    def _whole(self) -> None:
        assert self._parts is not None
        head, texts = self._parts
        if len(texts) == head.parts:
            self.document, self._parts = Document("".join(texts), head.version), None
            self.differed += self.document.sha256 != head.sha256
            self.whole_at = time.monotonic()
            self._compare()

    async def _patch(self, patched: Patched) -> None:
        try:
            assert self.document is not None
            self.document.apply(patched.base_version, patched.version, patched.changes, patched.sha256_after)
        except (DoesNotFit, AssertionError):
            self.counts["asked for a snapshot"] += 1
            assert self._connection is not None
            await _send(self._connection, "live.resync", {})
            return
        self._compare()

    def _compare(self) -> None:
        assert self.document is not None
        expected = self.host.digests.get(self.document.version)
        if expected is not None:
            self.compared += 1
            self.differed += digest_of(self.document.text) != expected


async def _send(connection: ClientConnection, event_type: str, payload: Any) -> None:
    await connection.send(_encode({"event_type": event_type, "payload": payload}).decode())


def _ws(url: str) -> str:
    return url.replace("http", "ws", 1) + "/ws/live"
