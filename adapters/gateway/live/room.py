"""A live session in one process: its files as the host has them, numbered messages, and the viewers that follow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from adapters.gateway.frames import text_frame
from adapters.gateway.live.fan_out import FanOut
from adapters.gateway.live.pace import Pace
from hivesync_core.live.document import Document, DoesNotFit
from shared.socket.live import (
    Closed,
    File,
    Focus,
    HostStatus,
    Patch,
    Patched,
    Renamed,
    Said,
    Snapshot,
    SnapshotEnd,
    Text,
    ToViewer,
)
from shared.socket.live_limits import (
    FILE_BYTES_MAX,
    HISTORY_BYTES_MAX,
    HISTORY_MESSAGES_MAX,
    TEXT_PART_CHARS_MAX,
)

_encode: Final = msgspec.json.Encoder().encode


def viewer_frame(said: Said, seq: int) -> bytes:
    """The frame of a message to viewers, made once for all of them."""
    return text_frame(_encode(ToViewer(event_type=said.event_type, payload=said, seq=seq)))


class LiveFile:
    """An open file: its text, and what it is written in."""

    __slots__ = ("document", "language")

    def __init__(self, document: Document, language: str) -> None:
        self.document, self.language = document, language


class Picture(NamedTuple):
    """Everything that a session shows at one number, as frames; ``lines`` says how many each file has."""

    epoch: int
    seq: int
    frames: tuple[bytes, ...]
    lines: tuple[tuple[str, int], ...]


class Missed(NamedTuple):
    """Frames that a viewer has not been sent, and the number of the last."""

    frames: bytes
    seq: int


class _Sent(NamedTuple):
    """A message that was sent: its number, and the bytes of all messages up to it."""

    seq: int
    total: int
    frame: bytes


@dataclass(slots=True)
class Numbers:
    """What a room counts since it was made."""

    messages: int = 0
    lagged: int = 0
    snapshots: int = 0


class Room:
    """The state that viewers of this process are sent. Only a host's session, or another process's room, changes it.

    ``epoch`` names a run of numbers: a host that begins anew begins a new one. ``settled`` is set while the files are
    complete, and not while such a host is still sending them.
    """

    def __init__(self, session_id: UUID, pace: Pace | None = None) -> None:
        self.session_id = session_id
        self.epoch = 0
        self.seq = 0
        self.files: dict[str, LiveFile] = {}
        self.focus: Focus | None = None
        self.host_status = HostStatus(status="away")
        self.settled = asyncio.Event()
        self.numbers = Numbers()
        self.fan_out = FanOut(self._written, pace or Pace())
        self.on_written: Callable[[int, int, bytes], None] | None = None
        self.on_shown: Callable[[Said], None] | None = None
        self._history: deque[_Sent] = deque()
        self._total = 0
        self._picture: Picture | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes of all files in UTF-8."""
        return sum(file.document.size_bytes for file in self.files.values())

    # --- what changes it ---------------------------------------------------------------------------------------------

    def begin(self, epoch: int) -> None:
        """Forget everything: a host begins anew. Viewers keep what they have until there is something to show."""
        self.settled.clear()
        members = self.fan_out.leave_all()
        self.fan_out.stand_at(0)
        self.epoch, self.seq = epoch, 0
        self.files.clear()
        self.focus, self._picture = None, None
        self._history.clear()
        for member in members:
            member.lagged()

    def open(self, name: str, version: int, text: str, language: str) -> None:
        """A file is shown, or shown anew."""
        file = self.files[name] = LiveFile(Document(text, version), language)
        for said in _file_messages(name, file):
            self._broadcast(said)

    def change(self, patch: Patch) -> None:
        """Change a file; raises ``DoesNotFit``, and nothing is changed then."""
        self.files[patch.file].document.apply(
            patch.base_version, patch.version, patch.changes, patch.sha256_after, bytes_max=FILE_BYTES_MAX
        )
        self._broadcast(
            Patched(
                file=patch.file,
                base_version=patch.base_version,
                version=patch.version,
                changes=patch.changes,
                sha256_after=patch.sha256_after,
            )
        )

    def close(self, name: str) -> None:
        """A file is shown no more."""
        del self.files[name]
        self._broadcast(Closed(file=name))

    def rename(self, name: str, to: str) -> None:
        """A file has another name."""
        self._rename(name, to)
        self._broadcast(Renamed(file=name, to=to))

    def show(self, focus: Focus) -> None:
        """The host looks elsewhere."""
        self.focus = focus
        self._broadcast(focus)

    def host_is(self, status: HostStatus) -> None:
        """The host came or went."""
        self.host_status = status
        self._broadcast(status)

    def take(self, said: Said, frame: bytes) -> None:
        """Do as the room of another process did, and send its frame; raises ``DoesNotFit`` or ``KeyError``."""
        match said:
            case Patched():
                self.files[said.file].document.apply(said.base_version, said.version, said.changes, said.sha256_after)
            case Closed():
                del self.files[said.file]
            case Renamed():
                self._rename(said.file, said.to)
            case Focus():
                self.focus = said
            case HostStatus():
                self.host_status = said
        self._send(frame)

    def take_file(self, head: File, text: str, frames: Sequence[bytes]) -> None:
        """Show a file as the room of another process does; raises ``DoesNotFit`` where it did not come whole."""
        document = Document(text, head.version)
        if document.sha256 != head.sha256:
            raise DoesNotFit("digest", "the file is not what was sent")
        self.files[head.file] = LiveFile(document, head.language)
        for frame in frames:
            self._send(frame)

    def stand_at(self, seq: int) -> None:
        """What was taken over is the state at this number of the other room; how it came about is not known here."""
        self.fan_out.stand_at(seq)
        self.seq = seq
        self._history.clear()
        self._picture = None

    def announce(self, status: HostStatus) -> None:
        """Tell viewers of the host what this process alone believes; it has no number of its own."""
        self.host_status, self._picture = status, None
        self.fan_out.push(viewer_frame(status, self.seq), self.seq)

    # --- what viewers are sent ---------------------------------------------------------------------------------------

    def picture(self) -> Picture:
        """The whole session as frames; the same for everybody as long as little has come after it."""
        known = self._picture
        if known is None or not self.covers(known.epoch, known.seq) or self._bytes_after(known.seq) > _FRESH_BYTES_MAX:
            self._picture = known = self._new_picture()
        self.numbers.snapshots += 1
        return known

    def _new_picture(self) -> Picture:
        frames = []
        for name, file in self.files.items():
            frames += [viewer_frame(said, self.seq) for said in _file_messages(name, file)]
        if self.focus is not None:
            frames.append(viewer_frame(self.focus, self.seq))
        frames += [viewer_frame(said, self.seq) for said in (self.host_status, SnapshotEnd())]
        lines = tuple((name, file.document.line_count) for name, file in self.files.items())
        return Picture(self.epoch, self.seq, tuple(frames), lines)

    def snapshot_head(self, picture: Picture, reason: str) -> bytes:
        """The frame that a snapshot begins with."""
        head = Snapshot(epoch=picture.epoch, files=len(picture.lines), reason=reason)  # type: ignore[arg-type]
        return viewer_frame(head, picture.seq)

    def covers(self, epoch: int, seq: int) -> bool:
        """Whether everything that came after a number is still known, and the number is one of this epoch."""
        if epoch != self.epoch or seq > self.seq:
            return False
        return seq == self.seq or bool(self._history and self._history[0].seq <= seq + 1)

    def missed(self, epoch: int, seq: int) -> Missed | None:
        """What came after a number; none where it is of another epoch or too long ago."""
        if not self.covers(epoch, seq):
            return None
        known = len(self._history)
        return Missed(b"".join(sent.frame for sent in islice(self._history, known - (self.seq - seq), known)), self.seq)

    def _bytes_after(self, seq: int) -> int:
        """Bytes of the messages after a number that is covered."""
        return (
            0
            if seq == self.seq
            else self._total - self._history[seq - self.seq].total + len(self._history[seq - self.seq].frame)
        )

    def _rename(self, name: str, to: str) -> None:
        self.files = {to if known == name else known: file for known, file in self.files.items()}
        if self.focus is not None and self.focus.file == name:
            self.focus = msgspec.structs.replace(self.focus, file=to)

    def _broadcast(self, said: Said) -> None:
        if self.on_shown is not None:
            self.on_shown(said)
        self._send(viewer_frame(said, self.seq + 1))

    def _send(self, frame: bytes) -> None:
        self.seq += 1
        self.numbers.messages += 1
        self._total += len(frame)
        history = self._history
        history.append(_Sent(self.seq, self._total, frame))
        while len(history) > HISTORY_MESSAGES_MAX or self._total - history[0].total > HISTORY_BYTES_MAX:
            history.popleft()
        self.fan_out.push(frame, self.seq)

    def _written(self, first: int, last: int, data: bytes) -> None:
        if self.on_written is not None:
            self.on_written(first, last, data)


_FRESH_BYTES_MAX: Final = 65_536
"""Bytes of messages after a picture from which on a new one is made instead of sending both."""


def _file_messages(name: str, file: LiveFile) -> Iterator[Said]:
    text = file.document.text
    starts: Sequence[int] = range(0, len(text), TEXT_PART_CHARS_MAX)
    yield File(
        file=name,
        version=file.document.version,
        language=file.language,
        sha256=file.document.sha256,
        parts=len(starts),
    )
    for part, start in enumerate(starts):
        yield Text(file=name, part=part, text=text[start : start + TEXT_PART_CHARS_MAX])
