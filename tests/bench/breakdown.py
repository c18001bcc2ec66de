"""What a request costs: processor time of the server and of PostgreSQL, and what the server spends its own on."""

from __future__ import annotations

import signal
from collections import Counter
from types import FrameType
from typing import Any, Final, NamedTuple

import psutil
import psycopg

SAMPLE_S: Final = 0.002
"""Processor time between two looks at what the server is at."""

PARTS: Final = (
    ("answer to the socket", ("JsonAnswer.__call__", "Response.__call__")),
    ("rules, streams, waiting for the commit", ("Log.execute",)),
    ("who asks, and what they reach", ("reach_task", "bearer_token", "TokenVerifier.remembered")),
    ("routing, parameters, headers, metrics", ("Edge.__call__",)),
    ("reading HTTP", ("GuardedHttp.data_received",)),
    ("group commit", ("GroupCommit._run",)),
    ("read models", ("Projector._supervise",)),
    ("following the log", ("LogFollower._follow", "LogFollower._listen")),
    ("sockets", ("Hub._run",)),
    ("history.jsonl", ("HistoryKeeper._supervise",)),
)
"""Names of parts, and the functions that belong to them; the first that is found among the callers counts."""

_REST: Final = "the loop, and others"


class Sampler:
    """Notes in the process itself, by a timer of its processor time, which part is at work.

    To be started and stopped in the main thread. A look falls to the Python code that runs next after the time is up.
    """

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to look."""
        self.seen.clear()
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_S, SAMPLE_S)

    def stop(self) -> None:
        """Look no more."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)

    def _look(self, _: int, frame: FrameType | None) -> None:
        callers = set[str]()
        while frame is not None:
            callers.add(frame.f_code.co_qualname)
            frame = frame.f_back
        self.seen[next((part for part, names in PARTS if callers.intersection(names)), _REST)] += 1


class Spent(NamedTuple):
    """Processor time in seconds: of the server's process, and of PostgreSQL's by what works over the connection."""

    server_s: float
    backends_s: dict[str, float]

    def since(self, before: Spent) -> Spent:
        """What was spent between two looks."""
        backends = {name: spent - before.backends_s.get(name, 0.0) for name, spent in self.backends_s.items()}
        return Spent(self.server_s - before.server_s, backends)


def spent(url: str, pid: int) -> Spent:
    """What the server and every session of its database have used so far."""
    with psycopg.connect(url, autocommit=True) as connection:
        sessions: list[Any] = connection.execute(
            "SELECT pid, application_name FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    backends: Counter[str] = Counter()
    for session, application in sessions:
        backends[_purpose(application)] += _seconds(session)  # type: ignore[assignment]
    return Spent(_seconds(pid), dict(backends))


def _purpose(application: str) -> str:
    if application == "hivesync-append":
        return "append"
    return "read models" if application.startswith("hivesync-project-") else "reading and listening"


def _seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
