"""`hivesync docs` as people run it: in a terminal and in scripts, with a server and without."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.reviews.desk import SOURCE, Desk
from tests.servers.model import Behaviour, ModelServer, comment

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "import sys; from adapters.cli.main import main; sys.exit(main(sys.argv[1:]))", "docs")
WAIT_S = 60


def environment(**more: str) -> dict[str, str]:
    """The environment of a command: nothing of ours but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HIVESYNC", "OPENAI"))}
    return {**kept, "PYTHONPATH": str(ROOT), "OPENAI_API_KEY": "sk-test", "TERM": "dumb", **more}


def ran(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=WAIT_S,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def answered(folder: Path, answers: str, *arguments: str) -> tuple[int, str]:
    """The command in a terminal, where a person types these answers; exit code and screen."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        os.write(ours, answers.encode())
        screen = b""
        try:
            while part := os.read(ours, 65_536):
                screen += part
        except OSError:  # The terminal's other end is closed: the command has ended.
            pass
        os.close(ours)
        return process.wait(WAIT_S), screen.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file in it that only its owner may run."""
    path = tmp_path / "files.py"
    path.write_text(SOURCE, encoding="utf-8")
    path.chmod(0o744)
    return tmp_path


def test_everything_is_approved_by_yes_and_told_as_json(folder: Path, model: ModelServer) -> None:
    done = ran(folder, "--yes", "--json", "--base-url", model.url, "files.py")
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["files"]
    assert (told["status"], told["inserted"], told["refused"]) == ("written", 3, [])
    assert told["tokens_sha256_before"] == told["tokens_sha256_after"]
    text = (folder / "files.py").read_text(encoding="utf-8")
    assert text.count("# ") == 3
    assert "".join(line for line in text.splitlines(True) if not line.startswith("# ")) == SOURCE
    assert stat.S_IMODE((folder / "files.py").stat().st_mode) == 0o744
    assert sorted(path.name for path in folder.iterdir()) == ["files.py"]


DOCUMENTED = {
    "a.py": ("x = 1\ny = 2\n", "#"),
    "a.js": ("f();\ng();\n", "//"),
    "a.ts": ("let x: number;\nf();\n", "//"),
    "a.jsx": ("const a = 1;\nconst b = <i>{a}</i>;\n", "//"),
    "a.tsx": ("const a: number = 1;\nconst b = <i>{a}</i>;\n", "//"),
    "A.java": ("package a;\nclass A {}\n", "//"),
    "a.c": ("int x;\nint y;\n", "//"),
    "a.h": ("int x;\nint y;\n", "//"),
    "a.hpp": ("namespace a {\nclass B {};\n}\n", "//"),
    "a.cc": ("auto x = 1;\nclass B {};\n", "//"),
    "A.cs": ("using System;\nclass A {}\n", "//"),
    "a.go": ("package a\n\nvar x = 1\n", "//"),
    "a.rs": ("struct A;\nfn f() {}\n", "//"),
    "a.rb": ("x = 1\ny = 2\n", "#"),
    "a.php": ("<?php\nf();\n", "//"),
    "a.kts": ("val x = 1\nval y = 2\n", "//"),
    "a.swift": ("let x = 1\nlet y = 2\n", "//"),
    "a.scala": ("val x = 1\nval y = 2\n", "//"),
    "a.sh": ("ls\npwd\n", "#"),
    "a.bash": ("ls\npwd\n", "#"),
    "a.zsh": ("ls\npwd\n", "#"),
    "a.sql": ("SELECT 1;\nSELECT 2;\n", "--"),
    "a.html": ("<html>\n<body></body>\n</html>\n", "<!--"),
    "a.css": ("a {}\nb {}\n", "/*"),
    "a.yml": ("a: 1\nb: 2\n", "#"),
    "a.toml": ("a = 1\nb = 2\n", "#"),
    "Dockerfile.dev": ("FROM debian\nRUN true\n", "#"),
    "Makefile": ("A = 1\nB = 2\n", "#"),
    "a.lua": ("local x = 1\nlocal y = 2\n", "--"),
}


def test_every_language_of_the_contract_is_documented_by_its_file_s_name(tmp_path: Path, model: ModelServer) -> None:
    model.writer = lambda lines: [comment(2, "What follows belongs to the first part.")]
    for name, (source, _) in DOCUMENTED.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    done = ran(tmp_path, "--yes", "--json", "--base-url", model.url, *DOCUMENTED)
    assert done.returncode == 0, done.stderr + done.stdout
    told = {one["path"]: one for one in json.loads(done.stdout)["files"]}
    for name, (source, sign) in DOCUMENTED.items():
        assert (told[name]["status"], told[name]["inserted"]) == ("written", 1), name
        assert told[name]["tokens_sha256_before"] == told[name]["tokens_sha256_after"]
        before, after = source.splitlines(), (tmp_path / name).read_text(encoding="utf-8").splitlines()
        assert after[1].startswith(f"{sign} What follows"), name
        assert [*after[:1], *after[2:]] == before


def test_a_language_that_is_not_supported_is_refused_and_the_other_files_are_documented(
    folder: Path, model: ModelServer
) -> None:
    (folder / "notes.md").write_text("# Notes\n", encoding="utf-8")
    done = ran(folder, "--yes", "--json", "--base-url", model.url, "notes.md", "files.py")
    assert (done.returncode, done.stderr) == (3, "")
    first, second = json.loads(done.stdout)["files"]
    assert (first["status"], second["status"]) == ("refused", "written")
    assert "language is not supported" in first["message"]
    named = ran(folder, "--yes", "--json", "--base-url", model.url, "--language", "markdown", "notes.md")
    assert (named.returncode, named.stderr) == (1, "")
    assert "is not supported, and a language is never guessed" in json.loads(named.stdout)["files"][0]["message"]


def test_docstrings_are_refused_with_the_reason(folder: Path, model: ModelServer) -> None:
    done = ran(folder, "--yes", "--docstrings", "--base-url", model.url, "files.py")
    assert (done.returncode, model.asked) == (2, [])
    assert "a docstring is code, which programs read as `__doc__`" in done.stderr
    assert (folder / "files.py").read_text(encoding="utf-8") == SOURCE


def test_a_dry_run_shows_the_diff_and_writes_nothing(folder: Path, model: ModelServer) -> None:
    done = ran(folder, "--dry-run", "--base-url", model.url, "files.py")
    assert done.returncode == 0, done.stderr
    assert "+# Part 1 of what this file offers.\n" in done.stdout
    assert (folder / "files.py").read_text(encoding="utf-8") == SOURCE


def test_a_person_approves_edits_and_discards_comment_by_comment(folder: Path, model: ModelServer) -> None:
    answers = "d\ne\ntype: ignore\ne\nJoins with a fixed name.\na\na\n"
    code, screen = answered(folder, answers, "--base-url", model.url, "files.py")
    assert code == 0, screen
    assert "comment 1 of 3" in screen
    assert "refused: " in screen
    text = (folder / "files.py").read_text(encoding="utf-8")
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert comments == ["# Joins with a fixed name.", "# Part 2 of what this file offers."]


def test_whoever_stops_leaves_the_file_as_it_was(folder: Path, model: ModelServer) -> None:
    code, screen = answered(folder, "a\nq\n", "--base-url", model.url, "files.py")
    assert code == 0, screen
    assert "stopped" in screen
    assert (folder / "files.py").read_text(encoding="utf-8") == SOURCE


def test_what_cannot_be_documented_is_named_with_its_reason(folder: Path, model: ModelServer) -> None:
    (folder / "broken.py").write_text("def f(:\n", encoding="utf-8")
    (folder / "notes.xyz").write_text("hello\n", encoding="utf-8")
    (folder / "bytes.py").write_bytes(b"x = '\xff'\n")
    (folder / "sub").mkdir()
    names = ("files.py", "broken.py", "notes.xyz", "bytes.py", "sub", "missing.py")
    done = ran(folder, "--yes", "--json", "--base-url", model.url, *names)
    assert done.returncode == 3
    told = json.loads(done.stdout)["files"]
    assert [one["status"] for one in told] == ["written", "refused", "refused", "refused", "failed", "failed"]
    assert all(one["message"] for one in told[1:])
    model.usual = Behaviour(401)
    failed = ran(folder, "--yes", "--base-url", model.url, "files.py")
    assert failed.returncode == 1
    assert "its key is wrong" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("files.py",), "no terminal"),
        (("--json", "files.py"), "--json asks nothing"),
        (("--yes", "--server", "http://127.0.0.1:9", "files.py"), "HIVESYNC_TOKEN"),
        (("--yes", "--base-url", "ftp://nowhere", "files.py"), "base_url"),
        (("--at-once", "0", "files.py"), "from 1 to 50"),
        ((), "required: FILE"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = ran(folder, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_help_has_examples() -> None:
    done = ran(ROOT, "--help")
    assert done.returncode == 0
    assert "hivesync docs --dry-run" in done.stdout


async def test_with_a_server_the_decisions_are_in_its_history(desk: Desk, folder: Path) -> None:
    token = await desk.server.token(desk.ann.account_id, ("read", "write"))
    name = (await desk.ann.get("/projects")).json()["items"][0]["name"]
    options = ("--yes", "--json", "--server", desk.server.url, "--project", name, "files.py")
    done = await asyncio.to_thread(ran, folder, *options, HIVESYNC_TOKEN=token)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)["files"][0]
    assert told["status"] == "written"
    review_id = told["review_id"]
    assert (await desk.topics(review_id))[-3:] == ["comments_approved", "applied", "closed"]
    certificate = (await desk.ann.get(f"/reviews/{review_id}/certificate")).json()
    assert certificate["after_sha256"] == told["after_sha256"]
    lost = await asyncio.to_thread(ran, folder, *options[:4], "--project", "Nowhere", "files.py", HIVESYNC_TOKEN=token)
    assert lost.returncode == 1
    assert name in json.loads(lost.stdout)["files"][0]["message"]
