"""Runs faults, and keeps RESULTS.md: what the last recorded run of every one came to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.report import machine
from tests.faults.report import Report

RESULTS = Path(__file__).with_name("RESULTS.md")
_SECTION = "\n\n## "


class Ran(NamedTuple):
    """One fault and what it came to."""

    name: str
    purpose: str
    report: Report
    seconds: float


def run_fault(name: str, seed: int, *, short: bool = False, **options: Any) -> Report:
    """Run one fault: the coroutine ``run(seed, short=...)`` of the module of that name, with ``_`` for ``-``."""
    module = import_module(f"tests.faults.{name.replace('-', '_')}")
    report: Report = asyncio.run(module.run(seed, short=short, **options))
    return report


def write_results(ran: Sequence[Ran], seed: int) -> None:
    """Put the figures of these runs into the file, each in the place of what its fault came to before."""
    head, *sections = RESULTS.read_text(encoding="utf-8").split(_SECTION)
    kept = {section.partition("\n")[0]: section.rstrip("\n") for section in sections}
    for each in ran:
        about = f"{each.purpose[0].upper()}{each.purpose[1:]}. Seed {seed}, {each.seconds:.0f} s; {machine()}."
        kept[each.name] = f"{each.name}\n\n{about}\n\n{each.report.as_markdown()}"
    RESULTS.write_text(_SECTION.join([head.rstrip("\n"), *kept.values()]) + "\n", encoding="utf-8")
