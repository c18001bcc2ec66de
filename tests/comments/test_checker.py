"""The check in its worker processes: the same verdicts, and an end to everything that hangs, crashes or floods."""

from __future__ import annotations

import asyncio

import pytest

from adapters.safety import SafetyBusy, SafetyChecker, SafetyTimeout
from hivesync_core.comments import FileRefused, check

SOURCE = b"def total(items):\n    return sum(items)\n"
COMMENTS = [
    {"type": "inline", "target": {"line": 2}, "content": "Adds every item."},
    {"type": "inline", "target": {"line": 99}, "content": "Beyond the end."},
    {"type": "inline", "target": {"line": 10**30}, "content": "\ud800"},
]


async def test_a_worker_gives_the_verdict_that_the_check_gives_here() -> None:
    async with SafetyChecker(workers=1) as checker:
        assert await checker.check(SOURCE, "python", COMMENTS) == check(SOURCE, "python", COMMENTS)


async def test_a_refused_file_is_refused_by_the_worker_too() -> None:
    async with SafetyChecker(workers=1) as checker:
        with pytest.raises(FileRefused) as refused:
            await checker.check(b"x = 1\0", "python", COMMENTS)
        assert refused.value.cause == "file.nul"


async def test_a_check_that_takes_too_long_is_killed_and_the_next_one_is_answered() -> None:
    async with SafetyChecker(workers=1) as checker:
        await checker.check(SOURCE, "python", COMMENTS)
        slow = b"x = 1\n" * 100_000
        with pytest.raises(SafetyTimeout):
            await checker.check(slow, "python", COMMENTS, timeout_s=0.05)
        assert (await checker.check(SOURCE, "python", COMMENTS)).proof is not None


async def test_more_checks_than_may_wait_are_refused_at_once() -> None:
    async with SafetyChecker(workers=1, waiting_max=1) as checker:
        asked = [asyncio.ensure_future(checker.check(SOURCE, "python", COMMENTS)) for _ in range(4)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(answer, SafetyBusy) for answer in answers) >= 2
        assert not isinstance(answers[0], BaseException)
