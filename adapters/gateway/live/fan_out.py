"""One frame to every viewer of a room: joined with what came close to it, written once a viewer.

The first message after a pause leaves at once, later ones together, as often as the process's ``Pace`` says. Members are
written to in cohorts, each in its turn and with everything that there is by then: no message waits for the end of a
round. What one viewer costs is a write a turn, whatever the number of messages; a viewer that takes no more is left out
and told so.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from adapters.gateway.live.pace import Pace
from adapters.gateway.outbox import Wire

COHORT_MAX: Final = 125
"""Viewers that are written to before others of the process have a turn: about a millisecond."""

PENDING_BYTES_MAX: Final = 131_072
"""Bytes that wait for the cohort that is behind most; more are written at once."""

_EARLY_S: Final = 0.001
"""What the loop's timers are exact to: a turn that is due within it is taken."""


class Member(Protocol):
    """A viewer that has everything and is sent what comes."""

    @property
    def wire(self) -> Wire:
        """Its connection."""
        ...

    def lagged(self) -> None:
        """It took no more and was left out: it has missed frames."""
        ...


Written = Callable[[int, int, bytes], None]


@dataclass(slots=True, eq=False)
class _Reader:
    """Those who have been sent the first ``read`` frames, at ``at``, and with them everything up to ``seq``."""

    read: int
    seq: int
    at: float = float("-inf")
    members: dict[Member, None] = field(default_factory=dict)


class FanOut:
    """The members of a room. ``on_written`` is told first and last number of what is written, and the frames."""

    def __init__(self, on_written: Written, pace: Pace) -> None:
        self._pace = pace
        self._frames: list[bytes] = []
        self._size = 0
        self._pushed = 0
        self._seq = 0
        self._on_written = on_written
        self._listener = _Reader(0, 0)
        self._ring = deque([self._listener])
        """Every reader; the first has waited longest, and lacks most."""
        self._cohort_of: dict[Member, _Reader] = {}
        self._turn: asyncio.Handle | None = None
        self._counted = 0

    def __len__(self) -> int:
        return len(self._cohort_of)

    def __contains__(self, member: Member) -> bool:
        return member in self._cohort_of

    def written_to(self, member: Member) -> int:
        """The number up to which a member was written everything; the rest waits for its turn."""
        return self._cohort_of[member].seq

    def push(self, frame: bytes, seq: int) -> None:
        """Send a frame to every member soon, in order; with it they have everything up to a number."""
        self._frames.append(frame)
        self._size += len(frame)
        self._pushed += 1
        self._seq = seq
        while self._size > PENDING_BYTES_MAX:
            self._write(self._ring[0])
        if self._turn is None:
            self._wait()

    def join(self, member: Member) -> None:
        """Send a member what is pushed from now on, and nothing of what was pushed before."""
        cohort = min(self._ring, key=lambda reader: COHORT_MAX if reader is self._listener else len(reader.members))
        has_room = cohort is not self._listener and len(cohort.members) < COHORT_MAX
        if has_room and cohort.read < self._pushed:
            self._write(cohort)
        if not has_room or not cohort.members:  # The write may have found that nobody there takes more.
            cohort = _Reader(self._pushed, self._seq)
            self._ring.append(cohort)
        cohort.members[member] = None
        self._cohort_of[member] = cohort

    def leave(self, member: Member) -> int | None:
        """Send a member nothing more; the number up to which it has everything, none where it was no member."""
        cohort = self._cohort_of.pop(member, None)
        if cohort is None:
            return None
        del cohort.members[member]
        if not cohort.members:
            self._ring.remove(cohort)
            self._forget()
        return cohort.seq

    def leave_all(self) -> list[Member]:
        """Everybody leaves, after what was pushed."""
        self.settle()
        members = list(self._cohort_of)
        self._cohort_of.clear()
        self._ring = deque([self._listener])
        return members

    def settle(self) -> None:
        """Write everything that waits, now."""
        while self._ring[0].read < self._pushed:
            self._write(self._ring[0])

    def stand_at(self, seq: int) -> None:
        """Go on from another number, after what was pushed."""
        self.settle()
        self._seq = seq
        for reader in self._ring:
            reader.seq = seq

    def _wait(self) -> None:
        """Wait for the turn of whoever has waited longest."""
        loop = asyncio.get_running_loop()
        self._count(len(self))
        wait_s = self._ring[0].at + self._pace.every_s - time.monotonic()
        self._turn = loop.call_soon(self._take_turn) if wait_s <= _EARLY_S else loop.call_later(wait_s, self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        first = self._ring[0]
        if first.read < self._pushed and first.at + self._pace.every_s - time.monotonic() <= _EARLY_S:
            self._write(first)
        if self._ring[0].read < self._pushed:
            self._wait()
        else:
            self._count(0)

    def _count(self, viewers: int) -> None:
        """Have the pace know for how many there is something to write."""
        self._pace.count(viewers - self._counted)
        self._counted = viewers

    def _write(self, reader: _Reader) -> None:
        """Write all that a reader lacks, which is the last in the ring then."""
        began = time.thread_time()
        data = b"".join(self._frames[reader.read - self._pushed :])
        from_seq, reader.seq = reader.seq + 1, self._seq
        reader.read, reader.at = self._pushed, time.monotonic()
        self._ring.remove(reader)
        self._ring.append(reader)
        self._forget()
        if reader is self._listener:
            self._on_written(from_seq, self._seq, data)
        members = list(reader.members)
        for member in members:
            wire = member.wire
            if wire.paused:
                self.leave(member)
                member.lagged()
            else:
                wire.write_frames(data)
        if members:
            self._pace.cost(time.thread_time() - began, len(members))

    def _forget(self) -> None:
        """Let go of frames that every reader has been sent."""
        done = len(self._frames) - (self._pushed - self._ring[0].read)
        self._size -= sum(map(len, self._frames[:done]))
        del self._frames[:done]
