"""However a command ends, by Ctrl-C, a full disk or a reader that left, it says so in a sentence and by its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.cli.admin import main as admin
from adapters.cli.ending import Interrupts
from adapters.proof.keys import signing_key
from tests.cli.commands import ROOT
from tests.imports.files import issue, lines_of

ADMIN = "from adapters.cli.admin import main; raise SystemExit(main())"
HIVESYNC = "from adapters.cli.main import main; raise SystemExit(main())"
PATIENCE_S = 60.0


class Program:
    """Runs the programs as processes of their own, on one installation."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        data = {"DATABASE_URL": url, "HIVESYNC_DATA_DIR": str(folder / "data")}
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **data}

    def start(self, *arguments: object, program: str = ADMIN, **streams: Any) -> subprocess.Popen[bytes]:
        """Start a command."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        command = [sys.executable, "-c", program, *map(str, arguments)]
        return subprocess.Popen(command, cwd=self.folder, env=self._environment, **pipes)

    def run(self, *arguments: object, program: str = ADMIN, **streams: Any) -> tuple[int, str, str]:
        """Run a command to its end: its exit code, and what it said on standard output and standard error."""
        process = self.start(*arguments, program=program, **streams)
        out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, (out or b"").decode(), (err or b"").decode()

    def count(self, topic: str) -> int:
        """How many events of a kind there are."""
        with psycopg.connect(self.url) as connection:
            query = "SELECT count(*) FROM eventlog.events WHERE topic = %s"
            return int(connection.execute(query, (topic,)).fetchall()[0][0])


@pytest.fixture
def garden(postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Program:
    """An installation with an admin and a project with a task."""
    program = Program(postgres_url, tmp_path)
    signing_key(tmp_path / "data", "example.com/log")
    issues = tmp_path / "issues.jsonl"
    issues.write_bytes(lines_of([issue(1)]))
    where = ("--database-url", postgres_url, "--data-dir", str(tmp_path / "data"))
    assert admin(["create-admin", "--email", "ann@example.com", "--name", "Ann", "--generate-password", *where]) == 0
    assert admin(["import", "tasks", str(issues), "--project", "Garden", "--create", *where]) == 0
    capsys.readouterr()
    return program


def _has_a_reader(pipe: Path, held: list[int]) -> bool:
    """Whether somebody reads the pipe; if so it is held open, without a byte."""
    try:
        held.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("waiting_for", ["a line", "data"])
def test_an_import_that_waits_ends_at_the_first_ctrl_c_and_says_what_stays(garden: Program, waiting_for: str) -> None:
    held: list[int] = []
    if waiting_for == "a line":
        process = garden.start("import", "tasks", "-", "--project", "Garden", stdin=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(lines_of([issue(number, body="x" * 3_000) for number in range(2, 202)]))
        process.stdin.flush()
        _until(lambda: garden.count("task.imported.v1") > 50)
    else:
        os.mkfifo(garden.folder / "pipe")
        process = garden.start("import", "tasks", "pipe", "--project", "Garden")
        _until(lambda: _has_a_reader(garden.folder / "pipe", held))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    for writing in held:
        os.close(writing)
    assert process.returncode == 130
    assert "hivesync-admin: stopped" in said.decode()
    assert "Traceback" not in said.decode()
    assert "connection" not in said.decode()
    assert waiting_for == "data" or "doubles nothing" in said.decode()


def test_ctrl_c_that_was_ignored_from_the_start_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts, interrupts.waiting():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def _until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < give_up_at, "it never came so far"
        time.sleep(0.03)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("import", "tasks", "-", "--project", "Garden"), "standard input is closed"),
        (
            ("create-admin", "--email", "b@example.com", "--name", "Ben", "--password-file", "-"),
            "cannot be read from -",
        ),
        (("create-admin", "--email", "b@example.com", "--name", "Ben"), "there is no terminal"),
        (("accounts", "erase", "ann@example.com"), "erasing cannot be undone"),
    ],
)
def test_a_closed_standard_input_is_no_terminal_and_cannot_be_read(
    garden: Program, arguments: tuple[str, ...], words: str
) -> None:
    code, _, said = garden.run(*arguments, preexec_fn=lambda: os.close(0))
    assert code == 2
    assert words in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("arguments", "program", "code"),
    [
        (("accounts", "list"), ADMIN, 1),
        (("accounts", "list", "--json"), ADMIN, 1),
        (("import", "tasks", "issues.jsonl", "--project", "Garden"), ADMIN, 1),
        (("export", "--format", "csv", "--out", "-"), ADMIN, 1),
        (("settings",), HIVESYNC, 1),
        (("verify", "issues.jsonl"), HIVESYNC, 2),
        (("verify", "issues.jsonl", "--json"), HIVESYNC, 2),
    ],
)
def test_an_answer_that_cannot_be_written_is_a_failure_in_words(
    garden: Program, arguments: tuple[str, ...], program: str, code: int
) -> None:
    with Path("/dev/full").open("wb") as full:
        found, _, said = garden.run(*arguments, program=program, stdout=full)
    assert found == code
    assert "Traceback" not in said
    assert "No space left on device" in said or "CANNOT TELL" in said


@pytest.mark.parametrize(
    ("arguments", "program", "code"),
    [
        (("accounts", "list"), ADMIN, 1),
        (("--help",), ADMIN, 1),
        (("export", "--format", "csv", "--out", "-"), ADMIN, 1),
        (("settings",), HIVESYNC, 1),
    ],
)
def test_a_reader_that_left_is_no_reason_for_words(
    garden: Program, arguments: tuple[str, ...], program: str, code: int
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    found, _, said = garden.run(*arguments, program=program, stdout=writing)
    os.close(writing)
    assert found == code
    assert [line for line in said.splitlines() if "running in a container" not in line] == []


def test_a_verdict_that_nobody_reads_is_not_that_something_was_tampered_with(garden: Program) -> None:
    code, _, _ = garden.run("export", "--format", "csv", "--out", "all.csv")
    assert code == 0
    reading, writing = os.pipe()
    os.close(reading)
    code, _, said = garden.run("verify", "all.csv", program=HIVESYNC, stdout=writing)
    os.close(writing)
    assert (code, "cannot be written" in said) == (2, True)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_password_file_without_end_is_read_to_a_limit(garden: Program) -> None:
    code, _, said = garden.run(
        "create-admin", "--email", "b@example.com", "--name", "Ben", "--password-file", "/dev/zero"
    )
    assert (code, "Traceback" in said) == (1, False)
    assert "password" in said.lower()


def test_an_argument_that_is_no_utf_8_can_be_told_of_in_json(garden: Program) -> None:
    code, out, said = garden.run("import", "tasks", "issues.jsonl", "--project", os.fsdecode(b"G\xff"), "--json")
    assert (code, json.loads(out)["exit_code"]) == (1, 1), said


def test_an_import_that_cannot_begin_makes_no_project(garden: Program) -> None:
    (garden.folder / "bad.csv").write_text("id,what\n1,one\n", encoding="utf-8")
    for file in ("none.csv", "bad.csv"):
        code, _, _ = garden.run("import", "tasks", file, "--project", "House", "--create")
        assert code in (1, 2)
    assert garden.count("project.created.v1") == 1


def test_a_dry_run_needs_no_project_and_makes_none(garden: Program) -> None:
    asked = ("import", "tasks", "issues.jsonl", "--project", "House", "--create", "--json")
    code, out, said = garden.run(*asked, "--dry-run")
    assert (code, json.loads(out)["created"]) == (0, 1), said
    assert garden.count("project.created.v1") == 1
    code, out, said = garden.run(*asked)
    assert (code, json.loads(out)["created"]) == (0, 1), said
