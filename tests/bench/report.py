"""What a bench answers: figures with units, and ratios with the targets that they are held against."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured value."""

    what: str
    value: float
    unit: str


class Target(NamedTuple):
    """A figure that is wanted: at least ``wanted``, or at most where ``at_most`` says so."""

    what: str
    value: float
    wanted: float
    unit: str = "x"
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is as good as wanted."""
        return self.value <= self.wanted if self.at_most else self.value >= self.wanted


class Report(NamedTuple):
    """The result of a bench. ``notes`` say what was compared with what."""

    figures: Sequence[Figure]
    targets: Sequence[Target]
    notes: Sequence[str] = ()

    def as_table(self) -> str:
        """For people."""
        lines = [f"{figure.what:<58}{figure.value:>14,.2f} {figure.unit}" for figure in self.figures]
        lines.append("")
        for target in self.targets:
            bound = "at most" if target.at_most else "at least"
            verdict = "met" if target.met else "MISSED"
            lines.append(
                f"{target.what:<58}{target.value:>14,.2f} {target.unit} ({bound} {target.wanted:g}: {verdict})"
            )
        lines += ["", *self.notes, f"machine: {machine()}"]
        return "\n".join(lines)

    def as_json(self, bench: str) -> str:
        """For programs: one line."""
        return json.dumps(
            {
                "bench": bench,
                "figures": {figure.what: {"value": figure.value, "unit": figure.unit} for figure in self.figures},
                "targets": {target.what: {**target._asdict(), "met": target.met} for target in self.targets},
                "machine": machine(),
            }
        )


def machine() -> str:
    """What the figures were measured on."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}, Python {platform.python_version()}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
