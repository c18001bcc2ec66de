"""What a fault answers: what was done, figures with units, and claims that hold or do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.bench.report import Figure, machine, percentile

__all__ = ["Claim", "Figure", "Report", "at_least", "at_most", "none_of", "spread", "within"]

SHORT_PATIENCE = 3.0
"""The short runs share their machine with other tests: a time that is wanted there is so many times as long."""


class Claim(NamedTuple):
    """A value that has to lie within bounds, both of them included."""

    what: str
    value: float
    least: float
    most: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the value lies within the bounds."""
        return self.least <= self.value <= self.most

    @property
    def bound(self) -> str:
        """The bounds in words."""
        if self.least == self.most:
            return f"must be {self.least:g}"
        return f"at most {self.most:g}" if self.least == float("-inf") else f"at least {self.least:g}"


def none_of(what: str, count: int) -> Claim:
    """There must be none of these."""
    return Claim(what, count, 0, 0)


def at_most(what: str, value: float, most: float, unit: str = "") -> Claim:
    """The value must not exceed ``most``."""
    return Claim(what, value, float("-inf"), most, unit)


def at_least(what: str, value: float, least: float, unit: str = "") -> Claim:
    """The value must reach ``least``."""
    return Claim(what, value, least, float("inf"), unit)


def within(what: str, seconds: float, wanted_s: float, *, short: bool) -> Claim:
    """It must not take longer than ``wanted_s`` seconds."""
    return at_most(what, seconds, wanted_s * (SHORT_PATIENCE if short else 1.0), "s")


def spread(what: str, values: Sequence[float], unit: str = "s") -> list[Figure]:
    """The distribution of measured values: how many, median, 90th percentile and the largest."""
    if not values:
        return [Figure(f"{what}, measured", 0, "times")]
    return [
        Figure(f"{what}, median of {len(values)}", percentile(values, 0.5), unit),
        Figure(f"{what}, 90th percentile", percentile(values, 0.9), unit),
        Figure(f"{what}, largest", max(values), unit),
    ]


class Report(NamedTuple):
    """The result of one fault; ``notes`` say what was done and what is special about this run."""

    claims: Sequence[Claim]
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Whether every claim holds, and there are claims at all."""
        return bool(self.claims) and all(claim.holds for claim in self.claims)

    @property
    def broken(self) -> list[str]:
        """The claims that do not hold, each in a line."""
        return [_line(claim) for claim in self.claims if not claim.holds]

    def as_table(self) -> str:
        """For people."""
        lines = [_line(claim) for claim in self.claims]
        lines += [f"  {figure.what:<66}{figure.value:>10,.2f} {figure.unit}" for figure in self.figures]
        lines += [f"  {note}" for note in self.notes]
        return "\n".join(lines)

    def as_markdown(self) -> str:
        """For the file of results."""
        lines = ["| what | value | wanted |", "|---|---|---|"]
        for claim in self.claims:
            wanted = f"{claim.bound} {claim.unit}".strip() + ("" if claim.holds else ": **does not hold**")
            lines.append(f"| {claim.what} | {f'{claim.value:,.2f}'.removesuffix('.00')} {claim.unit} | {wanted} |")
        lines += [f"| {f.what} | {f'{f.value:,.2f}'.removesuffix('.00')} {f.unit} | |" for f in self.figures]
        return "\n".join([*lines, *(("", *(f"- {note}" for note in self.notes)) if self.notes else ())])

    def as_json(self, fault: str, seed: int) -> str:
        """For programs: one line."""
        told: dict[str, Any] = {
            "fault": fault,
            "seed": seed,
            "holds": self.holds,
            "claims": {claim.what: {**claim._asdict(), "holds": claim.holds} for claim in self.claims},
            "figures": {figure.what: {"value": figure.value, "unit": figure.unit} for figure in self.figures},
            "notes": list(self.notes),
            "machine": machine(),
        }
        return json.dumps(told)


def _line(claim: Claim) -> str:
    verdict = "ok" if claim.holds else "BROKEN"
    return f"  {claim.what:<66}{claim.value:>10,.2f} {claim.unit:<3} ({claim.bound}: {verdict})"
