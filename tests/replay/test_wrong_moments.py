"""Moments that no log has, read models that are busy: answered in words with their exit code, never with a traceback."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from projections.board import Board
from projections.engine.rows import fold
from tests.projections.holding import held_before_swap, waits_for_a_lock
from tests.projections.support import eventually, in_memory
from tests.replay.installation import COMMAND, LOG, Answer, board_of

BEFORE_EVERYTHING = ("0", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1970-01-01t00:00:00.5+14:00")
NOT_REACHED = (f"{len(LOG) + 1}", "9" * 18, "2999-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
NO_MOMENT = (
    "", "0001-01-01T00:00:00+14:00",
    "9223372036854775807", "9" * 40, " ", "-1", "+5", "1.5", "0x10", "1e3", "yesterday", "2026-01-01",
    "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z",
    "2026-01-01T00:00:00", "2026-01-01T00:00:00+99:00", "²", "5\n", "5; DROP TABLE x", "10000-01-01T00:00:00Z",
)  # fmt: skip


@pytest.mark.parametrize("moment", BEFORE_EVERYTHING)
def test_a_moment_before_the_first_event_gives_empty_tables(answer: Answer, url: str, moment: str) -> None:
    assert answer("board", "--to", "20")[0] == 0
    code, done = answer("board", "--to", moment)
    assert (code, done["results"][0]["position"], done["results"][0]["events"]) == (0, 0, 0)
    assert board_of(url, "rebuild") == in_memory(Board(), fold(Board(), []))
    assert board_of(url) == in_memory(Board(), fold(Board(), LOG)), "what serves is untouched"


@pytest.mark.parametrize("moment", NOT_REACHED)
def test_a_moment_that_has_not_come_is_refused_in_words(answer: Answer, moment: str) -> None:
    code, said = answer("board", "--to", moment)
    assert (code, said["exit_code"]) == (1, 1)
    assert "yet" in said["error"] or "not passed" in said["error"], said


@pytest.mark.parametrize("moment", NO_MOMENT, ids=range(len(NO_MOMENT)))
def test_what_is_no_moment_is_a_wrong_command_line(answer: Answer, moment: str) -> None:
    code, _ = answer("board", f"--to={moment}")
    assert code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["Board"], ["board", "nothing"], ["board;"], [""], ["--check", "nothing"], ["--audit", "--check"],
        ["board", "--to", "5", "--dry-run"], ["board", "--to", "5", "--check"], ["--all", "--to"], ["board", "--tö", "5"],
        ["parked", "retry", "nothing", "x"], ["parked", "retry", "board", "no-uuid"], ["parked", "forget"],
    ],
)  # fmt: skip
def test_wrong_arguments_are_named_and_nothing_is_done(answer: Answer, url: str, arguments: list[str]) -> None:
    before = board_of(url)
    try:
        code, _ = answer(*arguments)
    except SystemExit as ended:  # argparse says it itself.
        code = ended.code
    assert code == 2
    assert board_of(url) == before


async def test_of_two_at_once_one_is_told_that_the_other_is_at_it(url: str) -> None:
    def begun() -> subprocess.Popen[str]:
        return subprocess.Popen([*COMMAND, "board"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    async with held_before_swap(url, "board"):
        first = begun()
        await eventually(lambda: waits_for_a_lock(url, "hivesync-replay"))
        second = begun()
        said = await asyncio.to_thread(second.communicate, timeout=120)
        assert second.returncode == 1
        assert "another process rebuilds board" in said[1]
        assert "Traceback" not in said[1]
    said = await asyncio.to_thread(first.communicate, timeout=120)
    assert first.returncode == 0, said
    assert "rebuilt and swapped" in said[0]
