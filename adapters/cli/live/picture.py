"""What a viewer has of a session: its files, where the host is, and whether this is exactly what the host has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from adapters.cli.live.talk import Heard
from hivesync_core.live.document import Document, DoesNotFit
from shared.socket import live
from shared.socket.live import TO_VIEWER, Focus, HostStatus

NUMBERED: Final = (live.File, live.Text, live.Patched, live.Closed, live.Renamed, Focus, HostStatus)
"""What has a number of its own; only these say up to where the session is known here."""

_TYPES: Final[dict[str, type[live.Said]]] = {said.event_type: said for said in TO_VIEWER}


@dataclass
class ShownFile:
    """A file as the host has it."""

    document: Document
    language: str


@dataclass
class _Arriving:
    head: live.File
    parts: list[str] = field(default_factory=list)


@dataclass
class Scene:
    """Everything that a session shows at one moment."""

    files: dict[str, ShownFile] = field(default_factory=dict)
    arriving: dict[str, _Arriving] = field(default_factory=dict)
    focus: Focus = field(default_factory=lambda: Focus(file=None))
    host: HostStatus = field(default_factory=lambda: HostStatus(status="here"))


class Doubt(Exception):
    """What is here is not what the host has: everything has to be sent anew."""


class Picture:
    """A session as it is told, message by message."""

    def __init__(self) -> None:
        self.now = Scene()
        self.viewing: live.Viewing | None = None
        self.ended: live.EndReason | None = None
        self.epoch: int | None = None
        self.seq = 0
        self._coming: tuple[int, Scene] | None = None
        self._doubted = False

    @property
    def place(self) -> dict[str, int]:
        """From where the session can be resumed; nothing where it cannot."""
        return {} if self.epoch is None else {"epoch": self.epoch, "seq": self.seq}

    def interrupted(self) -> None:
        """The connection was lost: what had not come whole will not."""
        if self._coming is not None or self._doubted:
            self.epoch = None
        self._coming, self._doubted = None, False

    def hear(self, heard: Heard) -> live.Said | None:
        """Take a message; what it says, where it changed what is shown. Raises ``Doubt``, once."""
        known = _TYPES.get(heard.event_type)
        if known is None:
            return None
        said = msgspec.json.decode(heard.payload, type=known)
        if isinstance(said, live.Snapshot):
            self._coming = said.epoch, Scene()
            return None
        if isinstance(said, live.SnapshotEnd):
            if self._coming is not None:
                self.epoch, self.now = self._coming
                self._coming, self._doubted = None, False
                self.seq = heard.seq or 0
            return said
        if self._doubted and self._coming is None:
            return None
        is_coming = self._coming is not None
        try:
            changed = self._take(said, self._coming[1] if self._coming is not None else self.now)
        except DoesNotFit as error:
            self._doubted, self._coming = True, None
            raise Doubt(str(error)) from error
        if heard.seq is not None and not is_coming and isinstance(said, NUMBERED):
            self.seq = heard.seq
        return changed if not is_coming or isinstance(said, live.Viewing | live.Ended) else None

    def _take(self, said: live.Said, scene: Scene) -> live.Said | None:
        match said:
            case live.Viewing():
                self.viewing = said
            case live.Ended():
                self.ended = said.reason
            case live.File():
                scene.arriving[said.file] = _Arriving(said)
                return said if said.parts == 0 and _arrived(scene, said.file) else None
            case live.Text():
                arriving = scene.arriving.get(said.file)
                if arriving is None or said.part != len(arriving.parts):
                    raise DoesNotFit("digest", "a part of a file came out of turn")
                arriving.parts.append(said.text)
                return (
                    arriving.head if len(arriving.parts) == arriving.head.parts and _arrived(scene, said.file) else None
                )
            case live.Patched():
                file = scene.files.get(said.file)
                if file is None:
                    raise DoesNotFit("version", "a change of a file that is not there")
                file.document.apply(said.base_version, said.version, said.changes, said.sha256_after)
            case live.Closed():
                scene.files.pop(said.file, None)
            case live.Renamed():
                scene.files = {said.to if name == said.file else name: file for name, file in scene.files.items()}
                if scene.focus.file == said.file:
                    scene.focus = msgspec.structs.replace(scene.focus, file=said.to)
            case Focus():
                scene.focus = said
            case HostStatus():
                scene.host = said
            case _:
                return None
        return said


def _arrived(scene: Scene, name: str) -> bool:
    """Put a file that has come whole in its place; raises ``DoesNotFit`` where it is another one."""
    arriving = scene.arriving.pop(name)
    document = Document("".join(arriving.parts), arriving.head.version)
    if document.sha256 != arriving.head.sha256:
        raise DoesNotFit("digest", "a file is not what was sent")
    scene.files[name] = ShownFile(document, arriving.head.language)
    return True


def facts(said: live.Said) -> dict[str, Any]:
    """A message as a program is told of it."""
    told: dict[str, Any] = msgspec.to_builtins(said)
    return told
