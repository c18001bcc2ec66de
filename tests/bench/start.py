"""From the run command to `/ready` on a fresh clone: with installs, with a new data folder, and again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.bench.report import Report, Target

ROOT = Path(__file__).parents[2]
WAIT_MAX_S = 300
POLL_S = 0.02


def run() -> Report:
    """Clone what is committed into an empty folder and start it three times, with an empty environment."""
    with tempfile.TemporaryDirectory(prefix="hivesync-start-") as folder:
        clone = Path(folder) / "hivesync"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
        with_installs = _seconds_to_ready(clone)
        shutil.rmtree(clone / "data")
        new_data = _seconds_to_ready(clone)
        again = _seconds_to_ready(clone)
    return Report(
        figures=[],
        targets=[
            Target("first start, with installs", with_installs, 90, "s", at_most=True),
            Target("first start, installs there, new data folder", new_data, 10, "s", at_most=True),
            Target("start again", again, 4, "s", at_most=True),
        ],
        notes=["from the command to /ready answering 200; an empty environment but for PATH; one run"],
    )


def _seconds_to_ready(clone: Path) -> float:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HIVESYNC_PORT": str(port)}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, str(clone / "hivesync")], cwd=clone, env=environment, stdout=subprocess.DEVNULL, stderr=None
    ) as process:
        try:
            while not _is_ready(port):
                if process.poll() is not None or time.perf_counter() - began > WAIT_MAX_S:
                    raise RuntimeError("the server did not get ready")
                time.sleep(POLL_S)
            return time.perf_counter() - began
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
