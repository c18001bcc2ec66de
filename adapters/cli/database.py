"""The database that a command works on: the one that was set, or the private PostgreSQL, running or not."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from adapters.cli.console import CommandFailed
from adapters.cli.ending import Exit
from adapters.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError
from adapters.postgres.embedded.cluster import SUPERUSER, read_password
from adapters.postgres.embedded.server import DATABASE

STARTING_WAIT_S = 30.0
"""How long a command waits for a server that is just starting or stopping."""

TURN_FILE = "command.lock"
_POLL_S = 0.25
_POSTMASTER_LINES = 5


@contextmanager
def database_of(
    url: str | None, data_dir: Path, *, may_make: bool = False, say: Callable[[str], None] = lambda text: None
) -> Iterator[str]:
    """The URL of the installation's database, for as long as the block runs.

    Without ``url`` it is the private PostgreSQL in ``data_dir``: that of the running server, found by its socket, or
    started here where no server runs. ``may_make`` lets it be made. Raises ``CommandFailed``.
    """
    if url:
        _must_answer(url)
        yield url
        return
    folder = data_dir.expanduser().resolve() / "postgres"
    _must_be_there(folder, data_dir, may_make=may_make)
    with ExitStack() as held:
        # A database that another command has started ends with that command: wait for it, and start our own.
        held.enter_context(_turn(folder, say))
        running = _running(folder)
        if running is not None:
            held.close()
            yield running
            return
        say("no server runs: its database is started for this command")
        yield held.enter_context(_started(folder))


@contextmanager
def _turn(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the turn of commands that may have to start the database; one at a time."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / TURN_FILE).open("ab")
    except PermissionError as error:
        raise _not_allowed(folder) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another command has the database; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _started(folder: Path) -> Iterator[str]:
    """The private PostgreSQL of our own, or of a server that turns out to be starting. Raises ``CommandFailed``."""
    give_up_at = time.monotonic() + STARTING_WAIT_S
    while True:
        server = EmbeddedPostgres(folder)
        try:
            url = server.start()
            break
        except EmbeddedPostgresError as error:
            running = _running(folder)
            if running is not None:
                yield running
                return
            if time.monotonic() > give_up_at or not _is_in_use(folder):
                raise CommandFailed(str(error), exit_code=Exit.UNREACHABLE) from error
            time.sleep(_POLL_S)
    try:
        yield url
    finally:
        server.stop()


def _must_be_there(folder: Path, data_dir: Path, *, may_make: bool) -> None:
    try:
        if may_make or (folder / "cluster").exists():
            return
    except PermissionError as error:
        raise _not_allowed(folder) from error
    raise CommandFailed(
        f"there is no HiveSync in {data_dir.resolve()}",
        "Give its data folder by --data-dir or HIVESYNC_DATA_DIR, or its database by --database-url or DATABASE_URL. "
        "A new one is made by the first start of `hivesync`, or by `hivesync-admin create-admin`.",
        Exit.UNREACHABLE,
    )


def _running(folder: Path) -> str | None:
    """The URL of the private PostgreSQL where it runs: its own file says where its socket is."""
    try:
        told = (folder / "cluster" / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        password = read_password(folder)
    except FileNotFoundError:
        return None
    except (PermissionError, EmbeddedPostgresError) as error:
        raise _not_allowed(folder) from error
    if len(told) < _POSTMASTER_LINES:
        return None
    url = (
        f"postgresql://{SUPERUSER}:{quote(password, safe='')}@/{DATABASE}"
        f"?host={quote(told[_POSTMASTER_LINES - 1], safe='')}&port={told[_POSTMASTER_LINES - 2]}"
    )
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return None
    return url


def _is_in_use(folder: Path) -> bool:
    """Whether another HiveSync holds the folder: it may be about to listen, or about to let go."""
    try:
        with (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _must_answer(url: str) -> None:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        raise CommandFailed(
            f"the database does not answer: {str(error).strip()}",
            "Check DATABASE_URL (or --database-url), and that PostgreSQL runs and can be reached from here.",
            Exit.UNREACHABLE,
        ) from error
    except psycopg.ProgrammingError as error:
        raise CommandFailed(f"the database's URL cannot be read: {error}", exit_code=Exit.USAGE) from error


def _not_allowed(folder: Path) -> CommandFailed:
    try:
        owner = f"uid {folder.stat().st_uid}"
    except OSError:
        owner = "another user"
    return CommandFailed(
        f"{folder} belongs to {owner}, and this is uid {os.geteuid()}",
        "Run the command as the user that HiveSync runs as.",
        Exit.UNREACHABLE,
    )
