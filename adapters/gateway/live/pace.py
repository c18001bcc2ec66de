"""How often the rooms of a process write to their viewers: as often as it may cost."""

from __future__ import annotations

from typing import Final

EVERY_S_MIN: Final = 0.004
EVERY_S_MAX: Final = 0.100
CORE_SHARE: Final = 0.45
"""The part of one core that writing may take; the rest is for checking patches, and for the server's other work."""

COST_S: Final = 5e-6
"""What a write is taken to cost before one was measured."""

_WEIGHT: Final = 0.05
"""How much the last writes say of what the next will cost."""


class Pace:
    """The time between two writes to the same viewer, ``every_s``, by what a write costs and how many viewers there are.

    A write costs some microseconds of the processor, most of them the kernel's. Few viewers are therefore written to at
    nearly every message, and a thousand as often as ``CORE_SHARE`` of a core allows. It is not by the clock: a machine
    that has no time for the server must not be asked for more of it.
    """

    def __init__(self) -> None:
        self._cost_s = COST_S
        self._viewers = 0
        self.every_s = EVERY_S_MIN

    def cost(self, seconds: float, viewers: int) -> None:
        """Take note of the processor time that a write to some viewers took."""
        self._cost_s += _WEIGHT * (seconds / viewers - self._cost_s)
        self._renew()

    def count(self, more: int) -> None:
        """Take note that so many more viewers, or fewer, are in rooms in which something is to be written."""
        self._viewers += more
        self._renew()

    def _renew(self) -> None:
        self.every_s = min(max(self._cost_s * self._viewers / CORE_SHARE, EVERY_S_MIN), EVERY_S_MAX)
