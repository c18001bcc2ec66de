"""How often one socket may send: a bucket of tokens that fills by itself."""

from __future__ import annotations


class RateLimit:
    """Allows ``burst`` at once and ``per_s`` a second in the long run; times in seconds of one monotonic clock."""

    __slots__ = ("_burst", "_left", "_per_s", "_seen_at")

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._left = burst
        self._seen_at = 0.0

    def allows(self, at: float) -> bool:
        """Whether one more is allowed at this time; it counts, then."""
        self._left = min(self._burst, self._left + (at - self._seen_at) * self._per_s)
        self._seen_at = at
        if self._left < 1:
            return False
        self._left -= 1
        return True
