"""The host's side of a session: its files as the server is to have them, whatever happens to the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from adapters.cli.live.speech import Speech
from adapters.cli.live.talk import Heard, Talk
from hivesync_core.live.document import Document
from shared.socket import live
from shared.socket.live import Change, IgnoreFile, Range

DIGEST_EVERY: Final = 50
"""Changes of a file after which its digest goes along."""

SHOWN_VIEWERS: Final = frozenset({"watching", "away"})


class HostedFile:
    """A file as it is now, with what is known of the server's copy."""

    def __init__(self, text: str) -> None:
        self.document = Document(text, 1)
        self.since_digest = 0


class Hosting:
    """What a host says and hears. Changes are made here first; without a connection the server gets them later, whole."""

    def __init__(self, session_id: UUID, token: str, ignore: Sequence[IgnoreFile], speech: Speech, talk: Talk) -> None:
        self._session_id, self._token, self._ignore = session_id, token, tuple(ignore)
        self._speech, self._talk = speech, talk
        self.files: dict[str, HostedFile] = {}
        self.viewers: dict[UUID, live.Viewer] = {}
        self._attached = False
        self.refused = 0
        self.begun = asyncio.Event()

    # --- what the host does ------------------------------------------------------------------------------------------

    async def introduce(self) -> None:
        """Say who hosts which session: the first message of each connection."""
        self._attached = False
        first = live.Host(session_id=self._session_id, token=self._token, ignore=self._ignore)
        await self._talk.say("live.host", first)

    async def open(self, name: str, text: str) -> None:
        """Show a file, or show it anew."""
        known = self.files.get(name)
        file = self.files[name] = HostedFile(text)
        file.document.version = known.document.version + 1 if known is not None else 1
        await self._send_whole(name)

    async def change(self, name: str, changes: Sequence[Change], *, with_digest: bool) -> None:
        """Change a file; raises ``DoesNotFit``, and nothing is changed then, or ``KeyError`` where it is not open."""
        file = self.files[name]
        base = file.document.version
        file.document.apply(base, base + 1, changes)
        file.since_digest += 1
        digest = None
        if with_digest or file.since_digest >= DIGEST_EVERY:
            digest, file.since_digest = file.document.sha256, 0
        patch = live.Patch(file=name, base_version=base, version=base + 1, changes=tuple(changes), sha256_after=digest)
        if self._attached:
            await self._talk.say("live.change", patch)

    async def show(self, name: str | None, selections: Sequence[Range], visible: Range | None = None) -> None:
        """Tell where the host is."""
        if self._attached:
            await self._talk.say("live.show", live.Show(file=name, selections=tuple(selections), visible=visible))

    async def close(self, name: str) -> None:
        """Show a file no more."""
        if self.files.pop(name, None) is not None and self._attached:
            await self._talk.say("live.close", live.Close(file=name))

    async def rename(self, name: str, to: str) -> None:
        """Give a file another name."""
        self.files[to] = self.files.pop(name)
        if self._attached:
            await self._talk.say("live.rename", live.Rename(file=name, to=to))

    async def end(self) -> bool:
        """Ask the server to end the session; false where there is no connection."""
        return self._attached and await self._talk.say("live.end", live.End())

    # --- what the host hears -----------------------------------------------------------------------------------------

    async def hear(self, heard: Heard) -> None:
        """Do what a message of the server asks for, and tell of it."""
        match heard.event_type:
            case "live.hosting":
                await self._attach(msgspec.json.decode(heard.payload, type=live.Hosting))
            case "live.send_snapshot":
                asked = msgspec.json.decode(heard.payload, type=live.SendSnapshot)
                self._speech.tell("snapshot_asked", None, file=asked.file, reason=asked.reason)
                await self._send_whole(asked.file)
            case "live.ack":
                ack = msgspec.json.decode(heard.payload, type=live.Ack)
                self._speech.tell("acknowledged", None, file=ack.file, version=ack.version)
            case "live.refused":
                self._tell_refusal(msgspec.json.decode(heard.payload, type=live.Refused))
            case "live.viewer":
                self._tell_viewer(msgspec.json.decode(heard.payload, type=live.ViewerNews).viewer)

    async def _attach(self, hosting: live.Hosting) -> None:
        self._talk.heartbeat_s = hosting.heartbeat_s
        self._talk.is_well()
        self.viewers = {viewer.viewer_id: viewer for viewer in hosting.viewers}
        held = {file.file: (file.version, file.sha256) for file in hosting.files}
        self._attached = True
        for name, file in list(self.files.items()):
            if held.pop(name, None) != (file.document.version, file.document.sha256):
                await self._send_whole(name)
        for name in held:
            await self._talk.say("live.close", live.Close(file=name))
        await self._talk.say("live.ready", live.Ready())
        again = " again" if self.begun.is_set() else ""
        self.begun.set()
        names = [viewer.name for viewer in self.viewers.values() if viewer.status in SHOWN_VIEWERS]
        self._speech.tell(
            "hosting",
            f"Connected{again}; {_watching(names)}.",
            session_id=hosting.session_id,
            epoch=hosting.epoch,
            viewers=names,
        )

    async def _send_whole(self, name: str) -> None:
        file = self.files.get(name)
        if file is None or not self._attached:
            return
        document = file.document
        file.since_digest = 0
        opened = live.Open(file=name, version=document.version, text=document.text, sha256=document.sha256)
        await self._talk.say("live.open", opened)

    def _tell_refusal(self, refused: live.Refused) -> None:
        self.refused += 1
        if refused.file is not None and refused.about == "live.open":
            self.files.pop(refused.file, None)
        rule = f" (rule {refused.rule})" if refused.rule else ""
        text = f"{refused.file or refused.about} is not shown: {refused.message}{rule}"
        self._speech.note("refused", text, file=refused.file, code=refused.code, rule=refused.rule)

    def _tell_viewer(self, viewer: live.Viewer) -> None:
        known = self.viewers.get(viewer.viewer_id)
        self.viewers[viewer.viewer_id] = viewer
        words = {
            "watching": "is back" if known is not None else "joined", "away": "is away", "left": "left", "removed": "is removed",
        }  # fmt: skip
        names = [each.name for each in self.viewers.values() if each.status in SHOWN_VIEWERS]
        text = f"{viewer.name} {words[viewer.status]}; {_watching(names)}."
        self._speech.tell("viewer", text, name=viewer.name, status=viewer.status, watching=names)


def _watching(names: Sequence[str]) -> str:
    if not names:
        return "nobody watches"
    return f"{len(names)} {'watches' if len(names) == 1 else 'watch'}: {', '.join(names)}"
