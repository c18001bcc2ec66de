"""A room that does what another process's room does, message by message; what does not follow makes it ask anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import msgspec

from adapters.gateway.live.room import Room
from hivesync_core.live.document import DoesNotFit
from shared.socket.live import TO_VIEWER, File, Focus, HostStatus, Said, SnapshotEnd, Text


class CopyLost(Exception):
    """The copy does not follow from what came: it has to ask its home."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Envelope(msgspec.Struct, frozen=True):
    """A message to viewers, as it was encoded."""

    event_type: str
    payload: msgspec.Raw
    seq: int


_decode_envelope: Final = msgspec.json.Decoder(Envelope).decode
_decoders: Final = {said.event_type: msgspec.json.Decoder(said) for said in TO_VIEWER}


class Copy:
    """``seen`` is the last number that came, in ``epoch``; the room may be some behind while a file is not whole."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.epoch = room.epoch
        self.seen = room.seq
        self._heard_at = time.monotonic()
        self._file: tuple[File, list[str], list[bytes]] | None = None

    @property
    def silent_s(self) -> float:
        """For how long the home has not been heard."""
        return time.monotonic() - self._heard_at

    def frames(self, epoch: int, first: int, last: int, data: bytes) -> None:
        """Take messages of these numbers over; raises ``CopyLost`` where they do not follow on what there is."""
        if epoch < self.epoch:
            return
        self._heard_at = time.monotonic()
        if epoch != self.epoch or first > self.seen + 1:
            self._lose("another epoch" if epoch != self.epoch else "a gap")
        for frame, text in frames_of(data):
            envelope = _decode_envelope(text)
            if envelope.seq > self.seen:
                try:
                    self._take(_decoders[envelope.event_type].decode(envelope.payload), frame)
                except (DoesNotFit, KeyError, msgspec.DecodeError) as error:
                    self.epoch = -1
                    self._lose(type(error).__name__)
                self.seen = envelope.seq
        if last > self.seen:
            self._lose("a gap")

    def picture(self, epoch: int, seq: int, data: bytes) -> None:
        """Take everything over, where it is newer than what there is; raises ``CopyLost``."""
        self._heard_at = time.monotonic()
        if epoch < self.epoch or (epoch == self.epoch and seq <= self.seen):
            return
        self.room.begin(epoch)
        self._file = None
        try:
            for frame, text in frames_of(data):
                envelope = _decode_envelope(text)
                said: Said = _decoders[envelope.event_type].decode(envelope.payload)
                if isinstance(said, Focus):
                    self.room.focus = said
                elif isinstance(said, HostStatus):
                    self.room.host_status = said
                elif not isinstance(said, SnapshotEnd):
                    self._take(said, frame)
        except (DoesNotFit, KeyError, msgspec.DecodeError) as error:
            self.epoch = -1
            self._lose(type(error).__name__)
        self.room.stand_at(seq)
        self.epoch, self.seen = epoch, seq
        self.room.settled.set()

    def _take(self, said: Said, frame: bytes) -> None:
        """Take one message over; a file when all of its parts are there."""
        if isinstance(said, File):
            self._file = said, [], [frame]
        elif isinstance(said, Text) and self._file is not None:
            self._file[1].append(said.text)
            self._file[2].append(frame)
        else:
            self.room.take(said, frame)
            return
        head, texts, frames = self._file
        if len(texts) == head.parts:
            self._file = None
            self.room.take_file(head, "".join(texts), frames)

    def _lose(self, cause: str) -> None:
        self._file = None
        self.seen = self.room.seq
        raise CopyLost(cause)


def frames_of(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each whole text frame of a server, as it is, and the text in it (RFC 6455, section 5.2)."""
    at = 0
    while at < len(data):
        length, head = data[at + 1], 2
        if length == 126:
            length, head = int.from_bytes(data[at + 2 : at + 4]), 4
        elif length == 127:
            length, head = int.from_bytes(data[at + 2 : at + 10]), 10
        end = at + head + length
        yield data[at:end], data[at + head : end]
        at = end
