"""`hivesync-admin` on the private database: beside a running server, and without one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.imports.files import issue, lines_of
from tests.servers.ports import free_port

ROOT = Path(__file__).parents[2]
WAIT_S = 120.0


class Installation:
    """A data folder of its own, and the programs that work on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        (folder / "password").write_text("seven quiet lanterns\n")
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            "HIVESYNC_DATA_DIR": str(folder / "data"),
            "HIVESYNC_PORT": str(self.port),
        }

    def admin(self, *arguments: object) -> tuple[int, dict[str, Any], str]:
        """Run a command: exit code, answer, and what was said beside it."""
        command = [sys.executable, "-m", "adapters.cli.admin", *map(str, arguments), "--json"]
        ran = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False
        )
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout), ran.stderr

    def make_admin(self) -> tuple[int, dict[str, Any], str]:
        """Make the first admin."""
        person = ("--email", "ann@example.com", "--name", "Ann", "--password-file", self.folder / "password")
        return self.admin("create-admin", *person)

    @contextmanager
    def server(self) -> Iterator[None]:
        """The server, running."""
        code = "import sys; from adapters.cli.main import main; sys.exit(main(['serve']))"
        with (self.folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", code], env=self.environment, cwd=ROOT, stdout=log, stderr=log
            )
        try:
            self._wait_until_ready(process)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=WAIT_S)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        give_up_at = time.monotonic() + WAIT_S
        while time.monotonic() < give_up_at:
            assert process.poll() is None, (self.folder / "server.log").read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.folder / "server.log").read_text())

    def postgres(self) -> list[int]:
        """The processes of this installation's database."""
        wanted = str((self.folder / "data" / "postgres").resolve())
        return [process.pid for process in psutil.process_iter() if _is_postgres_of(process, wanted)]


def _is_postgres_of(process: psutil.Process, folder: str) -> bool:
    try:
        return "postgres" in process.name() and any(folder in part for part in (*process.cmdline(), process.cwd()))
    except psutil.Error:
        return False


@pytest.fixture
def installation() -> Iterator[Installation]:
    """A folder that any account can reach, as the database's own account must where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="hivesync-cli-"))
    folder.chmod(0o755)
    try:
        yield Installation(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_without_a_server_a_command_starts_the_database_and_leaves_nothing_running(installation: Installation) -> None:
    code, made, said = installation.make_admin()
    assert (code, made["email"]) == (0, "ann@example.com")
    assert "no server runs: its database is started" in said
    assert installation.postgres() == []
    code, listed, _ = installation.admin("accounts", "list")
    assert [one["email"] for one in listed["accounts"]] == ["ann@example.com"]


def test_beside_a_running_server_commands_use_its_database_and_the_server_shows_what_they_did(
    installation: Installation,
) -> None:
    installation.make_admin()
    file = installation.folder / "issues.jsonl"
    file.write_bytes(lines_of([issue(number) for number in range(1, 301)]))
    with installation.server():
        code, report, said = installation.admin("import", "tasks", file, "--project", "Garden", "--create")
        assert (code, report["created"], said) == (0, 300, "")
        _, token, _ = installation.admin(
            "tokens", "create", "--account", "ann@example.com", "--name", "t", "--scope", "read"
        )
        request = urllib.request.Request(
            f"http://127.0.0.1:{installation.port}/api/v1/projects",
            headers={"authorization": f"Bearer {token['token']}", "hivesync-min-position": str(report["position"])},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert [project["name"] for project in json.load(answer)["items"]] == ["Garden"]
        code, manifest, _ = installation.admin("export", "--out", installation.folder / "all.jsonl")
        assert (code, manifest["first_position"]) == (0, 1)
        assert installation.postgres()
    assert installation.postgres() == []
    exported = (installation.folder / "all.jsonl").read_bytes()
    assert (installation.folder / "data" / "history" / "history.jsonl").read_bytes().startswith(exported)


def test_commands_at_once_take_turns_where_each_has_to_start_the_database(installation: Installation) -> None:
    installation.make_admin()
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: installation.admin("accounts", "list"), range(3)))
    assert [(code, len(answer["accounts"])) for code, answer, _ in answers] == [(0, 1)] * 3, answers
    assert installation.postgres() == []
