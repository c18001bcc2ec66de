"""How much the server may write of its log: files of a bounded size, and a bounded number of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

LOG_FILE_KIB_MAX = 8 * 1024
LOG_FILES_MAX = 8
SWEEP_EVERY_S = 5.0

LOG_SETTINGS: Mapping[str, str] = {
    "log_directory": "log",
    # A name of its own for each file: PostgreSQL empties one that it opens again by its age only, never by its size.
    "log_filename": "postgresql-%Y%m%d-%H%M%S.log",
    "log_rotation_age": "1d",
    "log_rotation_size": f"{LOG_FILE_KIB_MAX}kB",
    "logging_collector": "on",
}
"""A new file each day, and whenever one is full."""


def log_files(cluster: Path) -> list[Path]:
    """The server's log files, the newest last."""
    found = []
    for path in (cluster / "log").glob("postgresql-*.log"):
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(found)]


def sweep(cluster: Path) -> None:
    """Delete the oldest log files beyond ``LOG_FILES_MAX``."""
    for path in log_files(cluster)[:-LOG_FILES_MAX]:
        path.unlink(missing_ok=True)


def keep_swept(cluster: Path, stopping: threading.Event) -> None:
    """Sweep now and then, until ``stopping`` is set."""
    while True:
        # A disk that refuses now may not refuse later, and the server works without this.
        with suppress(OSError):
            sweep(cluster)
        if stopping.wait(SWEEP_EVERY_S):
            return
