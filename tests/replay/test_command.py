"""`hivesync replay`: rebuilds that survive kills, checks, audits, and parked streams, with exit codes and JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.main import main
from projections.board import Board
from projections.engine.bulk import WINDOW_EVENTS
from projections.engine.rows import fold
from projections.registry import READ_MODELS
from tests.projections.holding import held_in_the_middle
from tests.projections.stories import BEGINNING, many_tasks, task_id
from tests.projections.support import build_up, database, in_memory, run, store
from tests.replay.installation import COMMAND, LOG, Answer, board_of, sql


def test_a_damaged_read_model_is_found_by_a_check_and_mended_by_a_rebuild(url: str, answer: Answer) -> None:
    sql(url, "UPDATE readmodel.board_task SET title = 'Forged' WHERE task_id = %s", task_id(1))
    code, found = answer("--check", "board")
    assert code == 1
    (board,) = found["results"]
    assert (board["mode"], board["differing"], board["position"]) == ("check", 1, len(LOG))
    assert board["differences"][0]["table"] == "board_task"
    assert board["differences"][0]["live"]["title"] == "Forged"
    code, done = answer("board")
    assert (code, done["results"][0]["swapped"]) == (0, True)
    assert answer("--check", "board")[0] == 0
    assert board_of(url) == in_memory(Board(), fold(Board(), LOG))


def test_that_a_read_model_was_rebuilt_is_in_the_history(url: str, answer: Answer) -> None:
    assert answer("help_queue")[0] == 0
    ((state, actor),) = sql(url, "SELECT state::json, actor FROM eventlog.events WHERE topic = 'projection.rebuilt.v1'")
    assert (state["projection"], state["position"], state["rebuilt_by"], actor) == (
        "help_queue", len(LOG), None, "system",
    )  # fmt: skip


def test_all_of_them_at_once_and_an_audit_that_passes(url: str, answer: Answer) -> None:
    code, done = answer("--all")
    assert code == 0
    assert [each["projection"] for each in done["results"]] == [model.name for model in READ_MODELS]
    code, found = answer("--audit")
    assert code == 0
    assert {len(each["flaws"]) for each in found["results"]} == {0}


def test_an_audit_names_the_event_that_was_skipped(url: str, answer: Answer) -> None:
    sql(
        url,
        "UPDATE ops.projections p SET events = events - 1, digest = ("
        "SELECT decode(lpad(to_hex(0), 64, '0'), 'hex') FROM eventlog.events LIMIT 1) WHERE name = 'board'",
    )
    code, found = answer("--audit", "board")
    assert code == 1
    assert found["results"][0]["flaws"][0]["kind"] == "unclear"


def test_a_dry_run_says_what_would_change_and_changes_nothing(url: str, answer: Answer) -> None:
    sql(url, "DELETE FROM readmodel.board_comment")
    before = board_of(url)
    code, found = answer("board", "--dry-run")
    assert code == 0
    assert found["results"][0]["differing"] == 60
    assert board_of(url) == before
    assert sql(url, "SELECT 1 FROM ops.projections WHERE build = 'rebuild'") == []


@pytest.mark.parametrize("moment", ["20", f"{BEGINNING:%Y-%m-%dT%H:%M:}20Z"])
def test_a_rebuild_up_to_a_moment_is_left_beside_what_serves(url: str, answer: Answer, moment: str) -> None:
    live = board_of(url)
    code, done = answer("board", "--to", moment)
    assert code == 0
    assert (done["results"][0]["position"], done["results"][0]["swapped"]) == (20, False)
    assert board_of(url) == live
    assert board_of(url, "rebuild") == in_memory(Board(), fold(Board(), LOG[:20]))
    code, done = answer("board")
    assert (done["results"][0]["resumed_at"], done["results"][0]["swapped"]) == (20, True)
    assert board_of(url) == live


def test_a_moment_that_has_not_come_is_refused(answer: Answer) -> None:
    for moment in ("100000", "2999-01-01T00:00:00Z"):
        code, said = answer("board", "--to", moment)
        assert (code, said["exit_code"]) == (1, 1)
    assert answer("board", "--to", "yesterday")[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        [],
        ["board", "--all"],
        ["board", "--check", "--audit"],
        ["parked", "skip", "board"],
        ["parked", "retry"],
    ],
)
def test_what_is_not_meant_is_a_wrong_command_line(answer: Answer, arguments: list[str]) -> None:
    assert answer(*arguments)[0] == 2


def test_people_are_told_in_words(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    sql(url, "UPDATE readmodel.board_task SET title = 'Forged' WHERE task_id = %s", task_id(1))
    assert main(["replay", "--check", "board"]) == 1
    said = capsys.readouterr().out
    assert f"board_task {task_id(1)}: title is 'Forged', rebuilt 'Task 1'" in said
    assert f"board: 1 rows differ at position {len(LOG)}" in said
    assert main(["replay", "board"]) == 0
    assert f"board: rebuilt and swapped at position {len(LOG)}" in capsys.readouterr().out


def test_a_rebuild_killed_at_any_moment_goes_on_where_it_stood(postgres_url: str, tmp_path: Path) -> None:
    # More than one transaction takes: at least the first of them is committed when the last mark is held.
    log = many_tasks(400, comments=60_000)
    assert WINDOW_EVENTS < 60_000 < len(log)
    store(postgres_url, log)
    environment = {**os.environ, "DATABASE_URL": postgres_url, "HIVESYNC_DATA_DIR": str(tmp_path)}

    async def register() -> None:
        async with database(postgres_url) as pool:
            await build_up(pool, [Board()], up_to=0)

    run(register)
    # The live one is at the head as far as anybody knows, so that the rebuild has all of it to do.
    sql(postgres_url, "UPDATE ops.projections SET position = %s WHERE name = 'board'", len(log))
    seen, kills = 0, 0
    for _ in range(20):
        held = held_in_the_middle(postgres_url, "board", 60_000) if kills == 0 else nullcontext()
        with held, subprocess.Popen([*COMMAND, "board"], env=environment) as process:
            while process.poll() is None:
                rows = sql(postgres_url, "SELECT position FROM ops.projections WHERE build = 'rebuild'")
                # First as soon as there is anything, then each time that something more is written.
                if rows and (kills == 0 or seen < rows[0][0] < len(log)):
                    seen, kills = rows[0][0], kills + 1
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    break
                time.sleep(0.01)
            if process.returncode == 0:
                break
    assert kills >= 1
    assert process.returncode == 0
    assert board_of(postgres_url) == in_memory(Board(), fold(Board(), log))


def test_parked_streams_are_listed_retried_and_skipped(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("HIVESYNC_DATA_DIR", str(tmp_path))
    store(postgres_url, LOG, topics={12: "task.commented.v9", 15: "task.commented.v9"})

    async def project() -> None:
        async with database(postgres_url) as pool:
            await build_up(pool, may_park=True)

    run(project)

    def answered(*arguments: str) -> tuple[int, dict[str, Any]]:
        code = main(["replay", "parked", *arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    code, listed = answered()
    boards = [each for each in listed["parked"] if each["projection"] == "board"]
    assert (code, [each["position"] for each in boards]) == (0, [12, 15])
    first, second = boards[0]["stream_id"], boards[1]["stream_id"]
    code, retried = answered("retry", "board", first)
    assert (code, retried["results"][0]["position"]) == (1, 12)
    code, skipped = answered("skip", "board", first, "--reason", "Nobody knows what it says.")
    assert (code, skipped["results"][0]["position"]) == (0, None)
    assert skipped["results"][0]["processed"] > 1
    ((state,),) = sql(
        postgres_url, "SELECT state::json FROM eventlog.events WHERE topic = 'projection.event_skipped.v1'"
    )
    assert (state["position"], state["reason"]) == (12, "Nobody knows what it says.")
    assert answered("retry", "--all")[0] == 1
    _, listed = answered("list", "board")
    assert [each["stream_id"] for each in listed["parked"]] == [second]
    code, said = answered("retry", "board", first)
    assert (code, "does not wait" in said["error"]) == (1, True)
