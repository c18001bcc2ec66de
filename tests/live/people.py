"""A host and viewers as a test speaks: what they send, and what they have of the session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hivesync_core.live.document import Document, DoesNotFit, digest_of
from shared.socket.live import Change, Position, Range

PATIENCE_S = 60.0
DIGEST_EVERY = 50
"""Changes from one digest to the next."""

Message = dict[str, Any]

LISTENERS: list[Callable[[str, Message], None]] = []
"""What hears every message that a host or a viewer is sent, with which of the two it is."""


class Socket:
    """One live socket."""

    role = ""

    def __init__(self, url: str) -> None:
        self.url = url.replace("http", "ws", 1) + "/ws/live"
        self.connection: ClientConnection

    async def open(self, **options: Any) -> Self:
        """Connect."""
        common = {"compression": None, "max_size": None, "max_queue": None, "ping_interval": None, "close_timeout": 1}
        self.connection = await connect(self.url, **{**common, **options})
        return self

    async def close(self) -> None:
        """Close, as a client that will come back does."""
        await self.connection.close()

    def drop(self) -> None:
        """Be gone without a word."""
        self.connection.transport.abort()

    async def send(self, event_type: str, **payload: Any) -> None:
        """Send a message."""
        await self.connection.send(json.dumps({"event_type": event_type, "payload": payload}, ensure_ascii=False))

    async def receive(self) -> Message:
        """The next message that is no heartbeat."""
        while True:
            message: Message = json.loads(await asyncio.wait_for(self.connection.recv(), PATIENCE_S))
            for listener in LISTENERS:
                listener(self.role, message)
            if message["event_type"] != "live.heartbeat":
                return message

    async def expect(self, *event_types: str) -> Message:
        """The next message of one of these types; others are passed by."""
        while True:
            message = await self.receive()
            if message["event_type"] in event_types:
                return message

    async def ended(self) -> int:
        """The code with which the server closes."""
        return (await self.ended_because())[0]

    async def ended_because(self) -> tuple[int, str]:
        """The code with which the server closes, and the reason in the close frame."""
        with pytest.raises(ConnectionClosed) as closed:
            await self._read_on()
        frame = closed.value.rcvd
        return (-1, "") if frame is None else (frame.code, frame.reason)

    async def _read_on(self) -> None:
        while True:
            await asyncio.wait_for(self.connection.recv(), PATIENCE_S)


class HostClient(Socket):
    """A host: its files, and a socket that may be opened again."""

    role = "host"

    def __init__(self, url: str, session_id: UUID, token: str, ignore: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(url)
        self.session_id, self.token, self.ignore = session_id, token, list(ignore)
        self.files: dict[str, Document] = {}
        self.snapshots = 0
        self._changes = 0

    async def attach(self) -> Message:
        """Open a socket and bring the server to what the host has."""
        await self.open()
        await self.send("live.host", session_id=str(self.session_id), token=self.token, ignore=self.ignore)
        hosting = await self.expect("live.hosting")
        held = {file["file"]: (file["version"], file["sha256"]) for file in hosting["payload"]["files"]}
        for name, document in self.files.items():
            if held.get(name) != (document.version, document.sha256):
                await self.show(name)
        await self.send("live.ready")
        return hosting

    async def open_file(self, name: str, text: str, version: int = 1) -> Message:
        """Open a file and wait for the answer."""
        self.files[name] = Document(text, version)
        await self.show(name)
        return await self.expect("live.ack", "live.refused")

    async def show(self, name: str) -> None:
        """Send a file whole."""
        document = self.files[name]
        self.snapshots += 1
        await self.send(
            "live.open", file=name, version=document.version, text=document.text, sha256=document.sha256, language=""
        )

    async def edit(self, name: str, changes: Sequence[Change]) -> None:
        """Change a file and say so."""
        document = self.files[name]
        base = document.version
        document.apply(base, base + 1, changes)
        self._changes += 1
        digest = document.sha256 if self._changes % DIGEST_EVERY == 0 else None
        await self.send("live.change", **patch(name, base, changes, digest))

    async def insert(self, name: str, at: int, text: str, deleted: int = 0) -> None:
        """Change a file at a place in code points."""
        await self.edit(name, [self.files[name].change_at(at, deleted, text)])

    async def answer(self, message: Message) -> None:
        """Do what the server asks."""
        if message["event_type"] == "live.send_snapshot":
            await self.show(message["payload"]["file"])

    async def acknowledged(self, name: str) -> None:
        """Return when the server has the version that the host has."""
        while True:
            message = await self.receive()
            await self.answer(message)
            if message["event_type"] == "live.ack" and message["payload"] == {
                "file": name,
                "version": self.files[name].version,
            }:
                return


class ViewerClient(Socket):
    """A viewer: what it has of the session, checked as it comes."""

    role = "viewer"

    def __init__(self, url: str, viewer_token: str, token: str | None = None) -> None:
        super().__init__(url)
        self.viewer_token, self.token = viewer_token, token
        self.files: dict[str, Document] = {}
        self.epoch: int | None = None
        self.seq: int | None = None
        self.host_status = "unknown"
        self.focus: Message | None = None
        self.snapshots: list[str] = []
        self.resumed = 0
        self.diverged = 0
        self._parts: dict[str, tuple[Message, list[str]]] = {}
        self._in_snapshot = False

    async def attach(self) -> Message:
        """Open a socket, resuming where the viewer was."""
        await self.open()
        more = {} if self.epoch is None else {"epoch": self.epoch, "seq": self.seq}
        if self.token is not None:
            more["token"] = self.token
        await self.send("live.view", viewer_token=self.viewer_token, **more)
        viewing = await self.expect("live.viewing")
        self._parts.clear()
        self._in_snapshot = False
        self.resumed += viewing["payload"]["resumed"]
        return viewing

    async def take(self) -> Message:
        """Take the next message in."""
        message = await self.receive()
        await self.hear(message)
        return message

    async def hear(self, message: Message) -> None:
        """Let a message change what the viewer has; ask for a snapshot where it does not fit."""
        kind, payload = message["event_type"], message["payload"]
        match kind:
            case "live.snapshot":
                self.snapshots.append(payload["reason"])
                self.files.clear()
                self._parts.clear()
                self._in_snapshot = True
                self.epoch = payload["epoch"]
            case "live.file":
                self._parts[payload["file"]] = (payload, [])
                self._whole(payload["file"])
            case "live.text":
                assert len(self._parts[payload["file"]][1]) == payload["part"]
                self._parts[payload["file"]][1].append(payload["text"])
                self._whole(payload["file"])
            case "live.patch":
                await self._patch(payload)
            case "live.closed":
                del self.files[payload["file"]]
            case "live.renamed":
                self.files[payload["to"]] = self.files.pop(payload["file"])
                if self.focus is not None and self.focus["file"] == payload["file"]:
                    self.focus = {**self.focus, "file": payload["to"]}
            case "live.focus":
                self.focus = payload
            case "live.host_status":
                self.host_status = payload["status"]
            case "live.snapshot_end":
                assert not self._parts, "a snapshot ended in the middle of a file"
                self._in_snapshot = False
        if not self._in_snapshot:
            self.seq = message["seq"]

    def _whole(self, name: str) -> None:
        head, texts = self._parts[name]
        if len(texts) == head["parts"]:
            del self._parts[name]
            text = "".join(texts)
            assert digest_of(text) == head["sha256"], "a file came with another digest"
            self.files[name] = Document(text, head["version"])

    async def _patch(self, payload: Message) -> None:
        changes = [change_of(change) for change in payload["changes"]]
        try:
            self.files[payload["file"]].apply(
                payload["base_version"], payload["version"], changes, payload["sha256_after"]
            )
        except (DoesNotFit, KeyError):
            self.diverged += 1
            await self.send("live.resync")

    async def until(self, name: str, version: int) -> str:
        """The text of a file at this version or a later one."""
        while name not in self.files or self.files[name].version < version or self._in_snapshot:
            await self.take()
        return self.files[name].text

    async def until_snapshot(self) -> None:
        """Return when a snapshot has come whole."""
        while (await self.take())["event_type"] != "live.snapshot_end":
            pass

    async def gone(self) -> None:
        """Close what may be closed already."""
        with suppress(OSError, ConnectionClosed):
            await self.close()


def patch(name: str, base: int, changes: Sequence[Change], digest: str | None = None) -> Message:
    """The payload of a change from one version to the next."""
    wire = [
        {
            "range": {
                "start": {"line": change.range.start.line, "character": change.range.start.character},
                "end": {"line": change.range.end.line, "character": change.range.end.character},
            },
            "text": change.text,
        }
        for change in changes
    ]
    return {"file": name, "base_version": base, "version": base + 1, "changes": wire, "sha256_after": digest}


def change_of(wire: Message) -> Change:
    """A change as it stands in a message."""
    start, end = wire["range"]["start"], wire["range"]["end"]
    return Change(
        Range(Position(start["line"], start["character"]), Position(end["line"], end["character"])), wire["text"]
    )
