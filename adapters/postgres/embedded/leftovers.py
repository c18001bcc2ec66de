"""PostgreSQL processes that outlived the HiveSync or the postmaster that they belonged to."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from adapters.postgres.embedded.errors import EmbeddedPostgresError
from adapters.postgres.embedded.sockets import forget_socket

CLUSTER_NAME = "hivesync"
_STEPS = ((signal.SIGINT, 5.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


def clear_the_way(cluster: Path, socket_dir: Path) -> None:
    """End what still runs on the cluster and remove what says that it runs. The caller holds the folder's lock.

    Raises EmbeddedPostgresError when a PostgreSQL that HiveSync did not start runs on the folder, or one does not end.
    """
    _end_leftovers(cluster)
    if sys.platform == "linux":
        # PostgreSQL takes any live process with the old number for the old server: after a restart of a container that
        # is often some other process, and under an init that reaps nothing it is the old server's zombie.
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        forget_socket(socket_dir)


def _end_leftovers(cluster: Path) -> None:
    found = _processes(cluster)
    if not found:
        return
    postmaster = _postmaster(cluster)
    if postmaster in found and not _is_ours(postmaster):
        raise EmbeddedPostgresError(
            f"A PostgreSQL server that HiveSync did not start (process {postmaster}) runs on {cluster}. Stop it first."
        )
    for wanted, patience_s in _STEPS:
        # A postmaster ends its own children in order; without one each is asked by itself.
        _signal({postmaster} if postmaster in found else found, wanted)
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            found = _processes(cluster)
            if not found:
                return
            time.sleep(0.01)
    raise EmbeddedPostgresError(f"PostgreSQL processes {sorted(found)} still run on {cluster} and cannot be ended.")


def _signal(pids: set[int], wanted: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, wanted)
        except ProcessLookupError:
            continue


def _processes(cluster: Path) -> set[int]:
    """Every server process of a cluster has its folder as working directory."""
    if sys.platform != "linux":
        postmaster = _postmaster(cluster)
        return {postmaster} if postmaster and _is_alive(postmaster) else set()
    folder = os.stat(cluster)
    return {int(name) for name in os.listdir("/proc") if name.isdigit() and _runs_in(name, folder)}


def _runs_in(name: str, folder: os.stat_result) -> bool:
    try:
        working = os.stat(f"/proc/{name}/cwd")
        program = os.readlink(f"/proc/{name}/exe")
    except OSError:
        return False
    same = (working.st_dev, working.st_ino) == (folder.st_dev, folder.st_ino)
    return same and Path(program.removesuffix(" (deleted)")).name == "postgres"


def _postmaster(cluster: Path) -> int:
    try:
        return int((cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return 0


def _is_ours(pid: int) -> bool:
    if sys.platform != "linux":
        return True
    try:
        return f"cluster_name={CLUSTER_NAME}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
