"""The short part of every fault, with a seed of its own each time; the whole is `python -m tests.faults all`."""

from __future__ import annotations

import os
import random

import pytest

from tests.faults.__main__ import FAULTS, SEED_MAX
from tests.faults.report import Report
from tests.faults.results import run_fault

ELSEWHERE = {
    "kills-embedded": "tests/postgres kills the private server, and `kills` everything else",
    "tampering": "it runs tests/proof, which run by themselves",
}
"""Faults whose short part would repeat what other tests do."""


@pytest.fixture
def seed() -> int:
    """What a failure is repeated with: HIVESYNC_FAULTS_SEED=N ./hivesync test tests/faults."""
    return int(os.environ.get("HIVESYNC_FAULTS_SEED") or random.randrange(SEED_MAX))


@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in ELSEWHERE])
def test_every_claim_holds(fault: str, seed: int) -> None:
    print(f"python -m tests.faults {fault} --short --seed {seed}")
    report: Report = run_fault(fault, seed, short=True)
    print(report.as_table())
    assert report.broken == [], f"seed {seed}"
    assert report.holds
