"""A clock that jumps under running processes: libfaketime with its offset in a file, or a clock put into the server."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.postgres.embedded.account import account_for_postgres
from adapters.postgres.embedded.binaries import find_binaries
from tests.faults.servers import SERVE

OFFSET_FILE = "HIVESYNC_FAULTS_CLOCK"
_LIBRARY = "libfaketime.so.1"
_INSTALLED = ("usr/lib", "usr/local/lib")
_CACHE = Path(sys.prefix) / "faketime"
_TIMEOUT_S = 300
_INJECTED = ("-m", "tests.faults.injected_clock")


class JumpingClock:
    """The wall clock of the processes that get ``environment``, true until it jumps; monotonic clocks stay true.

    Without libfaketime only servers jump, which then must be started as ``program``; PostgreSQL's clock stays true.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset"
        library = find_library()
        self.is_complete = library is not None
        self.environment = {OFFSET_FILE: str(self._file)}
        self.program = SERVE if self.is_complete else _INJECTED
        self.jump(0)
        if library is not None:
            # Where the account that PostgreSQL runs as can read it.
            shutil.copy(library, folder / _LIBRARY)
            (folder / _LIBRARY).chmod(0o644)
            self.environment |= {
                "LD_PRELOAD": str(folder / _LIBRARY),
                "FAKETIME_TIMESTAMP_FILE": str(self._file),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }

    def jump(self, seconds: int) -> None:
        """Show the true time and so many seconds more, from now on."""
        changed = self._file.with_suffix(".new")
        changed.write_text(f"{seconds:+d}", encoding="ascii")
        changed.chmod(0o644)
        changed.replace(self._file)

    def programs(self) -> Path | None:
        """PostgreSQL's programs with this clock; none where it cannot have it.

        The library keeps a semaphore that belongs to whoever is the first to load it, so it is loaded by PostgreSQL
        itself, when rights have been given up.
        """
        if not self.is_complete:
            return None
        real, folder = find_binaries(account_for_postgres()), self._file.parent / "bin"
        folder.mkdir()
        _write_program(folder / "initdb", f'exec {real / "initdb"} "$@"')
        settings = "\n".join(f"export {name}={value}" for name, value in self.environment.items())
        _write_program(folder / "postgres", f'{settings}\nexec {real / "postgres"} "$@"')
        return folder


@contextmanager
def jumping_clock() -> Iterator[JumpingClock]:
    """A clock in a folder that everybody can read."""
    with tempfile.TemporaryDirectory(prefix="hivesync-clock-") as folder:
        Path(folder).chmod(0o755)
        try:
            yield JumpingClock(Path(folder))
        finally:
            _tidy()


def _tidy() -> None:
    """Remove what the library leaves in shared memory of processes that have ended."""
    for left in Path("/dev/shm").glob("*faketime_s*_*"):
        pid = left.name.rpartition("_")[2]
        if pid.isdigit() and not Path("/proc", pid).exists():
            left.unlink(missing_ok=True)


def _write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def find_library() -> Path | None:
    """libfaketime, the machine's own or fetched from its package once; none where there is none to have."""
    for root in _INSTALLED:
        for found in Path("/", root).glob(f"**/faketime/{_LIBRARY}"):
            return found
    if not (_CACHE / _LIBRARY).exists() and shutil.which("apt-get") and shutil.which("dpkg"):
        with Path(sys.prefix, "faketime.lock").open("ab") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not (_CACHE / _LIBRARY).exists():
                _fetch()
    return _CACHE / _LIBRARY if (_CACHE / _LIBRARY).exists() else None


def _fetch() -> None:
    """Take the library out of Debian's package, without installing anything; nothing happens where that fails."""
    with tempfile.TemporaryDirectory(prefix="hivesync-faketime-") as folder:
        commands = (["apt-get", "download", "libfaketime"], ["sh", "-c", "dpkg -x libfaketime_*.deb ."])
        for command in commands:
            ran = subprocess.run(command, cwd=folder, capture_output=True, timeout=_TIMEOUT_S, check=False)
            if ran.returncode:
                return
        for found in Path(folder).glob(f"usr/lib/**/{_LIBRARY}"):
            _CACHE.mkdir(exist_ok=True)
            shutil.copy(found, _CACHE / f"{_LIBRARY}.new")
            os.replace(_CACHE / f"{_LIBRARY}.new", _CACHE / _LIBRARY)
