"""The entry script makes the environment, heals it, and says in plain words when it cannot."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_HASH = "--hash=sha256:" + "0" * 64
_PROGRAM = """
import sys

def main() -> int:
    print("program", *sys.argv[1:])
    return 0
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A small project with the real entry script, and nothing to install."""
    shutil.copy(ROOT / "hivesync", tmp_path)
    (tmp_path / "requirements.lock").write_text("# nothing\n")
    (tmp_path / "requirements-test.lock").write_text("# nothing\n")
    (tmp_path / "program.py").write_text(_PROGRAM)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "small"\n[project.scripts]\nhivesync = "program:main"\nhivesync-admin = "program:main"\n'
    )
    return tmp_path


def _run(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """As a machine runs it that sets nothing up: an empty environment, another folder, no input."""
    return subprocess.run(
        [sys.executable, str(clone / "hivesync"), *arguments],
        cwd="/", env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_first_start_makes_the_environment_and_the_next_uses_it(clone: Path) -> None:
    first = _run(clone, "serve", "--port", "1")
    assert (first.returncode, first.stdout) == (0, "program serve --port 1\n"), first.stderr
    assert "first start" in first.stderr
    again = _run(clone)
    assert (again.returncode, again.stdout, again.stderr) == (0, "program serve\n", "")
    admin = _run(clone, "admin", "accounts", "list")
    assert admin.stdout == "program accounts list\n"


def test_an_install_that_was_cut_off_is_begun_again(clone: Path) -> None:
    with subprocess.Popen(
        [sys.executable, str(clone / "hivesync")], stderr=subprocess.PIPE, start_new_session=True
    ) as cut:
        until = time.monotonic() + 60
        while not (clone / ".venv" / "pyvenv.cfg").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        os.killpg(cut.pid, signal.SIGKILL)
    assert not (clone / ".venv" / "hivesync-stamp.json").exists()
    healed = _run(clone)
    assert (healed.returncode, healed.stdout) == (0, "program serve\n"), healed.stderr


def test_two_first_starts_at_once_make_it_once(clone: Path) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, str(clone / "hivesync")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [out for out, _ in said] == ["program serve\n"] * 2
    assert sum("first start" in err for _, err in said) == 1


def test_a_changed_lock_file_and_a_gone_python_bring_it_up_to_date(clone: Path) -> None:
    _run(clone)
    (clone / "requirements.lock").write_text("# another nothing\n")
    assert "bringing .venv up to date" in _run(clone).stderr
    assert _run(clone).stderr == ""
    python = clone / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(clone / "gone")
    assert "first start" in _run(clone).stderr


def test_an_environment_for_tests_also_serves_but_not_the_other_way_round(clone: Path) -> None:
    _run(clone)
    stamp = clone / ".venv" / "hivesync-stamp.json"
    assert json.loads(stamp.read_text())["test"] is None
    _run(clone, "test", "--version")
    assert json.loads(stamp.read_text())["test"] is not None
    assert _run(clone).stderr == ""


def test_an_index_out_of_reach_is_named_with_the_remedy_and_nothing_half_made_is_used(clone: Path) -> None:
    (clone / "requirements.lock").write_text(f"hivesync-is-not-published==1 {_HASH}\n")
    for _ in range(2):
        failed = _run(clone, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
        assert failed.returncode == 1
        assert "package index could not be reached" in failed.stderr
        assert "Traceback" not in failed.stderr
        assert failed.stdout == ""


def test_a_python_that_is_too_old_can_still_read_the_script() -> None:
    ast.parse((ROOT / "hivesync").read_text(encoding="utf-8"), feature_version=(3, 4))


def test_a_python_that_is_too_old_is_named_with_the_remedy() -> None:
    # The real message, by the real script: only the version it looks at is another one.
    code = (
        "import sys, runpy; sys.version_info = (3, 9, 2, 'final', 0); sys.argv = ['hivesync'];"
        f"runpy.run_path({str(ROOT / 'hivesync')!r}, run_name='__main__')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env={"PATH": "/nowhere"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert "needs Python 3.11 or newer" in ran.stderr
    assert "apt install" in ran.stderr


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_a_lock_file_pins_everything_by_hash_and_names_no_host_and_no_path(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "file:" not in text
    pins = text.replace("\\\n", " ").splitlines()
    assert len(pins) > 50
    assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_the_two_lock_files_agree() -> None:
    run, test = (_pins(ROOT / name) for name in ("requirements.lock", "requirements-test.lock"))
    assert run <= test


def _pins(path: Path) -> set[str]:
    return {line.split(" ;")[0].split(" \\")[0] for line in path.read_text().splitlines() if "==" in line}
