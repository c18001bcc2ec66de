"""What the gateway counts; plain integers, because a metric that locks would cost more than what it counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stats:
    """Counts since the process started."""

    opened: int = 0
    events: int = 0
    deliveries: int = 0
    unreadable: int = 0
    fell_behind: int = 0
    replayed: int = 0
    resyncs: int = 0
    received: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
