"""A disk of its own size to fill up: a tmpfs, mounted by root, or by anybody in a user namespace of their own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.faults.report import Claim, Figure, Report

GIVEN = "HIVESYNC_FAULTS_DISK"
"""Names a disk that was mounted for this process."""

_MOUNT = """
mount -t tmpfs -o size="$1",mode=0777 none "$2" || exit 70
exec unshare --user --map-user="$3" --map-group="$4" -- "$5" -m tests.faults "$6" --seed "$7" --json $8
"""
"""In a namespace where one is root: mount, then become oneself again, because PostgreSQL does not run as root."""


class NoSmallDisk(RuntimeError):
    """This user may neither mount a disk nor make a user namespace; the message names the remedy."""


def must_move() -> bool:
    """Whether this process cannot have a small disk, but one in a user namespace can."""
    return os.geteuid() != 0 and GIVEN not in os.environ


@contextlib.contextmanager
def small_disk(size_mb: int) -> Iterator[Path]:
    """An empty disk of this size; it is gone with the block."""
    given = os.environ.get(GIVEN)
    if given:
        yield Path(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="hivesync-disk-"))
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=0777", "none", str(folder)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if mounted.returncode:
            raise NoSmallDisk(
                f"root may not mount a tmpfs here ({mounted.stderr.strip()}); give the container CAP_SYS_ADMIN"
            )
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def run_moved(fault: str, seed: int, size_mb: int, *, short: bool) -> Report:
    """Run a fault in a user namespace that has the disk, and give its report. Raises ``NoSmallDisk``."""
    unshare = shutil.which("unshare")
    if unshare is None:
        raise NoSmallDisk("the program unshare (util-linux) is missing; install it, or run this fault as root")
    with tempfile.TemporaryDirectory(prefix="hivesync-disk-") as folder:
        arguments = [
            f"{size_mb}m", folder, str(os.geteuid()), str(os.getegid()), sys.executable, fault, str(seed),
            "--short" if short else "",
        ]  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            unshare, "--user", "--map-root-user", "--mount", "--", "sh", "-c", _MOUNT, "sh", *arguments,
            env={**os.environ, GIVEN: folder}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, said = await process.communicate()
    lines = out.decode().strip().splitlines()
    if not lines:
        raise NoSmallDisk(
            "this user may not mount a tmpfs in a user namespace (run this fault as root, or allow user namespaces): "
            + said.decode(errors="replace")[-2000:]
        )
    told = json.loads(lines[-1])
    return Report(
        [Claim(what, c["value"], c["least"], c["most"], c["unit"]) for what, c in told["claims"].items()],
        [Figure(what, figure["value"], figure["unit"]) for what, figure in told["figures"].items()],
        told["notes"],
    )
