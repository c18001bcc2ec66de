"""The data folder: made once and whole, guarded against a second server and another major version.

Layout of the folder that the operator names:

    lock        held (flock) by the HiveSync that uses the folder
    password    the database superuser's, readable by our own account only
    cluster/    PostgreSQL's own data, owned by the account that it runs as
    start.log   what PostgreSQL said before its own log began; its log is in cluster/log
    run/        the socket, when the path is short enough for one
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from adapters.durable_files import sync_folder
from adapters.postgres.embedded.account import Account
from adapters.postgres.embedded.errors import EmbeddedPostgresError

SUPERUSER = "postgres"
_LAUNCH = Path(__file__).with_name("launch.py")
_INITDB_TIMEOUT_S = 120
_BUILTIN_LOCALE_SINCE = 17


def claim(data_dir: Path) -> IO[bytes]:
    """Make the folder (0700) and hold its lock until the returned file is closed.

    Raises EmbeddedPostgresError when another HiveSync uses the folder or it cannot be written.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if data_dir.stat().st_uid != os.geteuid():
            raise PermissionError(
                f"it belongs to uid {data_dir.stat().st_uid}, and HiveSync runs as uid {os.geteuid()}"
            )
        data_dir.chmod(0o700)
        lock = (data_dir / "lock").open("ab")
    except OSError as error:
        raise EmbeddedPostgresError(f"The data folder {data_dir} cannot be used: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise EmbeddedPostgresError(
            f"Another HiveSync already runs on the data folder {data_dir}. Stop it, or give this one a folder of its own."
        ) from error
    return lock


def launcher(account: Account, folder: Path, command: list[str]) -> list[str]:
    """The command line that runs the command as the account, for as long as this thread lives.

    `{folder}` in the command is replaced by a name of the folder that the account can use.
    """
    identity = [str(account.uid), str(account.gid), str(os.getpid())]
    return [sys.executable, "-I", "-S", str(_LAUNCH), *identity, str(folder), *command]


def server_environment() -> dict[str, str]:
    """What PostgreSQL's programs see: nothing of ours, so that no PG* variable or locale changes what they do."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def ensure_cluster(data_dir: Path, binaries: Path, major: int, account: Account) -> Path:
    """The cluster's folder, made when there is none. Raises EmbeddedPostgresError on another major version."""
    cluster = data_dir / "cluster"
    for leftover in data_dir.glob(".initdb-*"):
        shutil.rmtree(leftover)
    if not cluster.exists():
        _create(cluster, binaries, major, account)
    _check_version(cluster, major)
    if cluster.stat().st_uid != account.uid:
        raise EmbeddedPostgresError(
            f"{cluster} belongs to uid {cluster.stat().st_uid}, but PostgreSQL would run as uid {account.uid}. "
            "Start HiveSync as the user that made it, or change the owner of the whole folder."
        )
    return cluster


def read_password(data_dir: Path) -> str:
    """The superuser's password. Raises EmbeddedPostgresError when the file is gone."""
    path = data_dir / "password"
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise EmbeddedPostgresError(f"The database password cannot be read from {path}: {error.strerror}") from error


def _check_version(cluster: Path, major: int) -> None:
    try:
        found = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    except OSError as error:
        raise EmbeddedPostgresError(f"{cluster} is not a PostgreSQL data folder: {error}") from error
    if found != str(major):
        raise EmbeddedPostgresError(
            f"The data in {cluster} was written by PostgreSQL {found}, and this is PostgreSQL {major}; one cannot read the "
            f"other's. Nothing was changed. Run the HiveSync release that wrote it and export (hivesync-admin export), or "
            f"upgrade the folder with pg_upgrade, or set HIVESYNC_DATA_DIR to a new folder."
        )


def _create(cluster: Path, binaries: Path, major: int, account: Account) -> None:
    """initdb into a temporary folder, then rename: a cluster that is there is whole."""
    data_dir = cluster.parent
    staging = Path(tempfile.mkdtemp(prefix=".initdb-", dir=data_dir))
    try:
        fresh, pwfile = staging / "cluster", staging / "password"
        password = secrets.token_urlsafe(32)
        fresh.mkdir(mode=0o700)
        _write_private(pwfile, password)
        for path in (staging, fresh, pwfile):
            account.owns_after(path)
        _run_initdb(fresh, binaries, major, account)
        _write_private(data_dir / "password", password)
        fresh.rename(cluster)
        sync_folder(data_dir)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _run_initdb(fresh: Path, binaries: Path, major: int, account: Account) -> None:
    command = [
        str(binaries / "initdb"),
        "--pgdata={folder}",
        f"--username={SUPERUSER}",
        "--pwfile={folder}/../password",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        *_locale(major),
    ]
    try:
        subprocess.run(
            launcher(account, fresh, command), env=server_environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_INITDB_TIMEOUT_S, check=True,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        said = error.stdout.decode(errors="replace").strip()[-2000:]
        raise EmbeddedPostgresError(
            f"PostgreSQL could not make its data folder in {fresh.parent.parent}:\n{said}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise EmbeddedPostgresError(
            f"PostgreSQL did not make its data folder in {fresh.parent.parent} within {_INITDB_TIMEOUT_S} s"
        ) from error


def _locale(major: int) -> list[str]:
    """UTF-8 that sorts by code point, the same on every machine and not dependent on its C library's versions."""
    if major >= _BUILTIN_LOCALE_SINCE:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C", "--lc-ctype=C.UTF-8"]


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
