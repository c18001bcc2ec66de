"""What a client of the load asks for, and the journal of what it was told: the yardstick of every audit."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple
from uuid import UUID

Kind = Literal["create", "comment", "edit", "request_help", "withdraw_help"]

TOPICS: dict[Kind, str] = {
    "create": "task.created.v1",
    "comment": "task.commented.v1",
    "edit": "task.edited.v1",
    "request_help": "task.help_requested.v1",
    "withdraw_help": "task.help_withdrawn.v1",
}
"""The event that each kind of order leads to."""


class Order(NamedTuple):
    """One command. ``mark`` is a text that no other order carries, ``key`` its idempotency key."""

    kind: Kind
    mark: str
    key: str
    task_id: UUID | None = None
    version: int | None = None


class Answer(NamedTuple):
    """What came back: an HTTP status, 0 where nothing did, and where the effect stands."""

    status: int
    task_id: UUID | None = None
    version: int = 0
    position: int = 0
    replayed: bool = False
    detail: str = ""

    @property
    def acknowledged(self) -> bool:
        """The effect stands."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """There is no effect, and the same again would not have one."""
        return 400 <= self.status < 500 and self.status != 429


class Attempt(NamedTuple):
    """One sending of an order; the times are those of the monotonic clock."""

    sent: float
    done: float
    answer: Answer


@dataclass
class Entry:
    """An order and everything that was heard of it; ``settled`` once it was acknowledged or refused."""

    client: int
    order: Order
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def first_sent(self) -> float:
        """When the order could have had an effect at the earliest."""
        return self.attempts[0].sent

    @property
    def last(self) -> Attempt:
        """The attempt that counts."""
        return self.attempts[-1]

    @property
    def settled(self) -> bool:
        """Whether it is known what became of the order."""
        return self.last.answer.acknowledged or self.last.answer.refused


@dataclass
class Journal:
    """What every client asked and was told, in the order of the questions."""

    entries: list[Entry] = field(default_factory=list)
    own_writes_seen: int = 0
    own_writes_missed: int = 0
    """How often a client asked for what it had just written, by its position, and was shown it, or something older."""

    def acknowledged(self) -> list[Entry]:
        """The orders whose effect was confirmed."""
        return [entry for entry in self.entries if entry.attempts and entry.last.answer.acknowledged]

    def refused(self) -> list[Entry]:
        """The orders that were told to have no effect."""
        return [entry for entry in self.entries if entry.attempts and entry.last.answer.refused]

    def unknown(self) -> list[Entry]:
        """The orders that were given up without an answer: stored once, or not at all."""
        return [entry for entry in self.entries if entry.attempts and not entry.settled]

    def attempts(self) -> list[Attempt]:
        """Every sending."""
        return [attempt for entry in self.entries for attempt in entry.attempts]

    def longest_silence(self, start: float, end: float) -> float:
        """The longest time in seconds between two acknowledgements from ``start`` to ``end``."""
        times = sorted(a.done for a in self.attempts() if a.answer.acknowledged and start <= a.done <= end)
        moments = [start, *times, end]
        return max(after - before for before, after in pairwise(moments))
