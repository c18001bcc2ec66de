"""`hivesync serve` as a person starts it: one command, nothing set, and nothing left behind (OPS-1, OPS-3)."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer

PROGRAM = Path(sys.executable).with_name("hivesync")
START_WAIT_S = 90.0
STOP_WAIT_S = 120.0


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without settings of HiveSync, and with these."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith("HIVESYNC_") and k not in ("DATABASE_URL", "REDIS_URL")
    }
    return kept | settings


def run(**settings: str) -> subprocess.CompletedProcess[str]:
    """Serve with settings that cannot work."""
    return subprocess.run(
        [PROGRAM, "serve"],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=START_WAIT_S,
        check=False,
    )


class Serving:
    """The command, started."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._output = folder.with_suffix(".out")
        everything = environment(HIVESYNC_DATA_DIR=str(folder), HIVESYNC_PORT=str(self.port), **settings)
        with self._output.open("w") as output:
            self.process = subprocess.Popen([PROGRAM, "serve"], env=everything, stdout=output, stderr=subprocess.STDOUT)

    @property
    def said(self) -> str:
        """Everything that it has printed."""
        return self._output.read_text()

    def is_ready(self) -> float:
        """Wait until it says that it is ready; the seconds that it took."""
        started = time.monotonic()
        while time.monotonic() - started < START_WAIT_S:
            assert self.process.poll() is None, self.said
            try:
                if httpx.get(f"{self.url}/ready", timeout=5).status_code == 200 and "HiveSync is ready" in self.said:
                    return time.monotonic() - started
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"not ready:\n{self.said}")

    def children(self) -> list[psutil.Process]:
        """Every process below it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_WAIT_S)


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Serving]:
    """The command, ended whatever happens."""
    started = Serving(folder, **settings)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.end(signal.SIGTERM)


def _set_up_link(said: str) -> str:
    found = re.search(r"/setup\?token=(\S+)", said)
    assert found, said
    return found[1]


def _all_end(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=STOP_WAIT_S)
    return not alive


def test_bad_settings_stop_the_start_and_every_one_is_named() -> None:
    ended = run(HIVESYNC_PORT="http", HIVESYNC_ROLES="king", DATABASE_URL="mysql://root:hunter2@db/x", REDIS_URL="6379")
    assert ended.returncode == 2
    for name in ("HIVESYNC_PORT", "HIVESYNC_ROLES", "DATABASE_URL", "REDIS_URL"):
        assert name in ended.stderr
    assert "hunter2" not in ended.stderr
    assert ended.stdout == ""


def test_an_empty_folder_is_all_it_needs_and_the_next_start_goes_on_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with serving(folder) as first:
        first.is_ready()
        link = _set_up_link(first.said)
        assert httpx.get(f"{first.url}/health").json() == {"status": "ok"}
        assert httpx.get(f"{first.url}/setup", params={"token": link}).status_code == 200
        children = first.children()
        assert children
        assert first.end(signal.SIGTERM) == 0
    assert _all_end(children)
    with serving(folder) as again:
        again.is_ready()
        assert _set_up_link(again.said) != link
        assert httpx.get(f"{again.url}/setup", params={"token": link}).status_code == 403
        assert again.end(signal.SIGINT) == 0


def test_killed_it_leaves_no_process_and_starts_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with serving(folder) as killed:
        killed.is_ready()
        children = killed.children()
        assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    assert _all_end(children)
    with serving(folder) as again:
        again.is_ready()


def test_stopped_at_any_moment_of_its_start_it_ends_and_leaves_no_process(tmp_path: Path) -> None:
    for delay_s in (0.1, 0.3, 0.8, 1.4, 2.0, 2.4, 2.8, 3.2):
        with serving(tmp_path / f"data-{delay_s}") as starting:
            time.sleep(delay_s)
            children = starting.children()
            code = starting.end(signal.SIGTERM)
            assert code in (0, 130, -signal.SIGTERM), starting.said
            assert "Traceback" not in starting.said
        assert _all_end(children)


SWALLOWING = """
import os, signal, sys
from adapters.cli import serve

whole = serve.import_module

def swallowing(name):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except BaseException:
        pass
    return whole(name)

serve.import_module = swallowing
sys.exit(serve.serve())
"""
"""A start in which a library takes the interruption for a failed import."""


def test_a_stop_that_a_library_swallowed_still_ends_the_start(tmp_path: Path) -> None:
    settings = environment(HIVESYNC_DATA_DIR=str(tmp_path / "data"), HIVESYNC_PORT=str(free_port()))
    ended = subprocess.run(
        [sys.executable, "-c", SWALLOWING],
        env=settings,
        capture_output=True,
        text=True,
        timeout=START_WAIT_S,
        check=False,
    )
    assert ended.returncode == 130, ended.stderr
    assert "stopped while starting" in ended.stderr
    assert "is ready" not in ended.stdout


def test_a_folder_serves_one_server_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with serving(folder) as first:
        first.is_ready()
        second = run(HIVESYNC_DATA_DIR=str(folder), HIVESYNC_PORT=str(free_port()))
        assert second.returncode == 1
        assert "already" in second.stderr
        assert httpx.get(f"{first.url}/health").status_code == 200


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(HIVESYNC_DATA_DIR=str(tmp_path / "data"), HIVESYNC_PORT=str(port))
    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_a_database_that_may_lose_data_is_refused(tmp_path: Path) -> None:
    postgres = PostgresServer("18")
    postgres.server.settings = {**postgres.server.settings, "fsync": "off"}
    postgres.start()
    try:
        url = postgres.server.url()
        ended = run(DATABASE_URL=url, HIVESYNC_PORT=str(free_port()), HIVESYNC_DATA_DIR=str(tmp_path / "data"))
    finally:
        postgres.stop()
    assert ended.returncode == 1
    assert "fsync is off" in ended.stderr


def test_several_processes_share_the_work_of_one_database(tmp_path: Path, postgres_url: str) -> None:
    common: dict[str, Any] = {"DATABASE_URL": postgres_url}
    with (
        serving(tmp_path / "api", HIVESYNC_ROLES="api", **common) as api,
        serving(tmp_path / "rest", HIVESYNC_ROLES="projector,worker", **common) as rest,
    ):
        api.is_ready()
        rest.is_ready()
        assert httpx.get(f"{rest.url}/metrics").status_code == 200
        assert httpx.get(f"{rest.url}/api/v1/projects").status_code == 404
        assert httpx.get(f"{api.url}/api/v1/projects").status_code == 401
