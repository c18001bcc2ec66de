"""`hivesync serve` as a process of the harness: started, killed, paused and started again like a production one."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import adapters.postgres.embedded as embedded
from tests.servers.ports import free_port

_LAUNCH = Path(embedded.__file__).with_name("launch.py")
_ROOT = Path(__file__).absolute().parents[2]
_READY_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0
SERVE = ("-c", "import sys; from adapters.cli.main import main; sys.exit(main(['serve']))")
UNSAFE = ("-m", "tests.faults.unsafe_server")


class ServerProcess:
    """One server on a port of its own. It ends with the harness, even when that is killed.

    Without a database URL it runs its embedded PostgreSQL in ``data_dir``. ``program`` is what Python is asked to run.
    """

    def __init__(
        self,
        name: str,
        data_dir: Path,
        database_url: str | None,
        *,
        roles: str = "all",
        program: tuple[str, ...] = SERVE,
        **environment: str,
    ) -> None:
        self.name = name
        self.port = free_port()
        self.log_path = data_dir / f"{name}.log"
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")]),
            "HIVESYNC_DATA_DIR": str(data_dir / f"{name}-data"),
            "HIVESYNC_PORT": str(self.port),
            "HIVESYNC_ROLES": roles,
            "HIVESYNC_LOG_FORMAT": "json",
            "HIVESYNC_REQUESTS_PER_MINUTE": "0",
            "HIVESYNC_ANONYMOUS_REQUESTS_PER_MINUTE": "0",
            **({"DATABASE_URL": database_url} if database_url else {}),
            **environment,
        }

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start the process; it does not wait until it is ready."""
        identity = [str(os.geteuid()), str(os.getegid()), str(os.getpid())]
        command = [sys.executable, "-I", "-S", str(_LAUNCH), *identity, "/", sys.executable, *self._program]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        return self

    def wait_ready(self, timeout_s: float = _READY_TIMEOUT_S) -> float:
        """Wait until ``/ready`` answers 200; the seconds that it took. Raises RuntimeError with the server's log."""
        started = time.monotonic()
        while time.monotonic() - started < timeout_s and self.runs:
            if self.status("/ready") == 200:
                return time.monotonic() - started
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} was not ready within {timeout_s:.0f} s:\n{self.log()[-3000:]}")

    def status(self, path: str, timeout_s: float = 10.0) -> int:
        """The status that a GET is answered, 0 where there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Let it hang."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        os.kill(self.pid, signal.SIGCONT)

    def log(self) -> str:
        """What it has logged, over all its starts."""
        return self.log_path.read_text(errors="replace")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self, wanted: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(wanted)
            self._process.send_signal(signal.SIGCONT)
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
