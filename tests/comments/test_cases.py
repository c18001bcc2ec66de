"""The cases, given and own: what is allowed passes, what is not is refused with a reason."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from hivesync_core.comments import FileRefused, check

HERE = Path(__file__).parent
FILES = (HERE / "cases.jsonl", HERE / "own_cases.jsonl")
CASES = [json.loads(line) for file in FILES for line in file.read_text(encoding="utf-8").splitlines()]


def _source(case: dict[str, Any]) -> bytes:
    return base64.b64decode(case["source_b64"]) if "source_b64" in case else case["source"].encode()


@pytest.mark.parametrize("case", CASES, ids=[f"{case['id']}-{case['language']}" for case in CASES])
def test_every_case_has_the_verdict_that_it_asks_for(case: dict[str, Any]) -> None:
    source = _source(case)
    try:
        report = check(source, case["language"], [case["comment"]])
    except FileRefused as refusal:
        verdict, why = "reject", [refusal.cause, refusal.reason]
    else:
        verdict, why = (
            "accept" if report.accepted else "reject",
            [part for one in report.refused for part in (one.code, one.reason)],
        )
    assert verdict == case["verdict"], (case.get("reason"), why)
    assert [part for part in why[1::2] if not part.endswith((".", "!"))] == [], "a reason is a sentence"
