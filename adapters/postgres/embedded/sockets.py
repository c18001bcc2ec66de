"""The folder of the server's socket: private, short enough for a socket address, and reachable by the server's account."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from adapters.postgres.embedded.account import Account

# sun_path holds 108 bytes on Linux and 104 on macOS, with the closing NUL; PostgreSQL appends "/.s.PGSQL.5432.lock" too.
_FOLDER_BYTES_MAX = 80

SOCKET = ".s.PGSQL.5432"


def socket_folder(data_dir: Path, account: Account) -> Path:
    """Beside the data where that works, otherwise in the system's folder for such things, under a stable name."""
    beside = data_dir / "run"
    if account.is_own and len(os.fsencode(beside)) <= _FOLDER_BYTES_MAX:
        beside.mkdir(mode=0o700, exist_ok=True)
        beside.chmod(0o700)
        return beside
    name = "hivesync-" + hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    base = Path("/run") if not account.is_own and os.access("/run", os.W_OK) else Path(tempfile.gettempdir())
    if len(os.fsencode(base / name)) > _FOLDER_BYTES_MAX:
        base = Path("/tmp")
    folder = base / name
    try:
        folder.mkdir(mode=0o700)
        account.owns_after(folder)
    except FileExistsError:
        if not _is_private(folder, account):
            # Somebody else put something there: a name that nobody could foresee, then.
            folder = Path(tempfile.mkdtemp(prefix=name + "-", dir=base))
            account.owns_after(folder)
    return folder


def forget_socket(folder: Path) -> None:
    """Remove the socket of a server that no longer runs."""
    for name in (SOCKET, SOCKET + ".lock"):
        (folder / name).unlink(missing_ok=True)


def remove_socket_folder(folder: Path) -> None:
    """Remove the folder of a server that no longer runs, unless somebody put something else into it."""
    forget_socket(folder)
    with suppress(OSError):
        folder.rmdir()


def _is_private(folder: Path, account: Account) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and stat.S_IMODE(found.st_mode) == 0o700
