"""The embedded PostgreSQL: made whole, started fast, never left behind, and nothing acknowledged is lost."""

from __future__ import annotations

import os
import platform
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from adapters.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError, account, binaries, logs
from adapters.postgres.embedded.leftovers import _processes as server_processes
from adapters.postgres.embedded.server import sync_before_recovery

PATIENCE_S = 120.0

_SETTINGS = {"logging_collector": "off", "shared_buffers": "16MB"}
_ROOT = Path(__file__).parents[2]
_PARENT = """
import sys
from pathlib import Path
from adapters.postgres.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), settings={"logging_collector": "off", "shared_buffers": "16MB"})
print(server.start(), server.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def made_folder() -> Iterator[Path]:
    """A data folder with a cluster in it, made once and copied by each test."""
    folder = Path(tempfile.mkdtemp(prefix="hs-made-"))
    with EmbeddedPostgres(folder, settings=_SETTINGS):
        pass
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data_dir(made_folder: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hs-data-"))
    shutil.rmtree(folder)
    subprocess.run(["cp", "-a", str(made_folder), str(folder)], check=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fresh_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hs-fresh-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _server(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, settings=_SETTINGS)


def _value(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _wait_until(condition: object, what: str) -> None:
    assert callable(condition)
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.01)


def _insert_until_it_breaks(url: str) -> list[int]:
    """The numbers whose insert was acknowledged before the server went away."""
    acknowledged: list[int] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int PRIMARY KEY)")
        first = (_one(connection.execute("SELECT max(n) FROM kept").fetchone()) or 0) + 1
        victim = connection.info.backend_pid
        for n in range(first, first + 100_000):
            try:
                connection.execute("INSERT INTO kept VALUES (%s)", [n])
            except psycopg.OperationalError:
                return acknowledged
            acknowledged.append(n)
            if len(acknowledged) == 200:
                os.kill(_parent_of(victim), signal.SIGKILL)
    raise AssertionError("the server outlived its own death")


def _one(row: tuple[int | None] | None) -> int | None:
    return row[0] if row else None


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_a_cold_start_makes_a_private_utf8_database_with_checksums(fresh_dir: Path) -> None:
    folder = fresh_dir / "data"
    with _server(folder) as server:
        url = server.url()
        assert _value(url, "SELECT current_database()") == "hivesync"
        assert _value(url, "SELECT current_setting('server_version_num')::int / 10000") == 18
        assert _value(url, "SHOW data_checksums") == "on"
        assert _value(url, "SHOW server_encoding") == "UTF8"
        method = sync_before_recovery().get("recovery_init_sync_method", "fsync")
        assert _value(url, "SHOW recovery_init_sync_method") == method
        assert _value(url, "SELECT upper('über')") == "ÜBER"
        assert _value(url, "SELECT 'a' > 'Z'") is True
        assert _value(url, "SHOW listen_addresses") == ""
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "cluster").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
    assert not list(folder.glob(".initdb-*"))


def test_nobody_gets_in_without_the_password(data_dir: Path) -> None:
    with _server(data_dir) as server:
        for password in ("", "password=wrong"):
            with pytest.raises(psycopg.OperationalError, match=r"password"):
                psycopg.connect(f"host={server.socket_dir} user=postgres dbname=hivesync {password}")


def test_rows_are_there_after_a_restart_that_makes_nothing_anew(data_dir: Path) -> None:
    with _server(data_dir) as server, psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        connection.commit()
    made = (data_dir / "cluster" / "PG_VERSION").stat()
    with _server(data_dir) as server:
        again = (data_dir / "cluster" / "PG_VERSION").stat()
        assert (again.st_ino, again.st_mtime_ns) == (made.st_ino, made.st_mtime_ns), "nothing was made anew"
        assert _value(server.url(), "SELECT n FROM kept") == 42


def test_a_stopped_server_leaves_no_process_and_may_start_again(data_dir: Path) -> None:
    server = _server(data_dir)
    for _ in range(2):
        server.start()
        assert server.poll() is None
        assert server.pid is not None
        server.stop()
        server.stop()
        assert server.pid is None
        _wait_until(lambda: not server_processes(data_dir / "cluster"), "all processes ended")


@pytest.mark.parametrize(
    ("system", "release", "at_once"),
    [
        ("linux", "6.1.0-13-amd64", True),
        ("linux", "5.8.0", True),
        ("linux", "5.7.19", False),
        ("darwin", "23.1.0", False),
    ],
)
def test_the_file_system_is_flushed_at_once_where_it_tells_of_what_it_lost(
    monkeypatch: pytest.MonkeyPatch, system: str, release: str, at_once: bool
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "release", lambda: release)
    assert sync_before_recovery() == ({"recovery_init_sync_method": "syncfs"} if at_once else {})


def test_a_killed_server_is_back_by_itself_with_every_acknowledged_row(data_dir: Path) -> None:
    with _server(data_dir) as server:
        acknowledged: list[int] = []
        for kill in range(1, 4):
            acknowledged += _insert_until_it_breaks(server.url())
            _wait_until(lambda wanted=kill: server.restarts == wanted, "the server was started again")
            server.ensure_running(PATIENCE_S)
        assert len(acknowledged) >= 600
        with psycopg.connect(server.url()) as connection:
            stored = {n for (n,) in connection.execute("SELECT n FROM kept")}
        assert set(acknowledged) <= stored


def test_a_killed_backend_does_not_end_the_server(data_dir: Path) -> None:
    with _server(data_dir) as server:
        pid = server.pid
        with psycopg.connect(server.url()) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)
        _wait_until(lambda: _connects(server.url()), "connections after a backend was killed")
        assert (server.pid, server.restarts) == (pid, 0)


def _connects(url: str) -> bool:
    try:
        return _value(url, "SELECT true") is True
    except psycopg.OperationalError:
        return False


def _start_parent(folder: Path) -> tuple[subprocess.Popen[str], str, int]:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(folder)],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    url, pid = parent.stdout.readline().split()
    return parent, url, int(pid)


def test_killing_the_process_that_started_it_ends_the_server_and_loses_nothing(data_dir: Path) -> None:
    parent, url, _ = _start_parent(data_dir)
    with parent, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        parent.kill()
        parent.wait()
        _wait_until(lambda: not server_processes(data_dir / "cluster"), "the server ended with its parent")
    with _server(data_dir) as server:
        assert _value(server.url(), "SELECT n FROM kept") == 42


def test_a_start_right_after_the_kill_waits_for_the_old_server(data_dir: Path) -> None:
    parent, _, old = _start_parent(data_dir)
    with parent:
        parent.kill()
        parent.wait()
        with _server(data_dir) as server:
            assert server.pid != old
            assert _value(server.url(), "SELECT true") is True


def test_a_stale_pid_file_of_a_killed_server_does_not_hinder_the_start(data_dir: Path) -> None:
    parent, _, pid = _start_parent(data_dir)
    with parent:
        # Both at once, so that neither can tidy up: what a power cut leaves.
        os.kill(parent.pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        parent.kill()
        parent.wait()
    assert (data_dir / "cluster" / "postmaster.pid").exists()
    with _server(data_dir) as server:
        assert _value(server.url(), "SELECT true") is True


def test_a_second_server_on_the_folder_is_refused_and_the_first_goes_on(data_dir: Path) -> None:
    with _server(data_dir) as server:
        with pytest.raises(EmbeddedPostgresError, match="already runs on the data folder"):
            _server(data_dir).start()
        assert _value(server.url(), "SELECT true") is True


def test_a_folder_of_another_major_version_is_refused_and_left_alone(data_dir: Path) -> None:
    version = data_dir / "cluster" / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(EmbeddedPostgresError, match=r"written by PostgreSQL 15, and this is PostgreSQL 18"):
        _server(data_dir).start()
    version.write_text("18\n")
    with _server(data_dir) as server:
        assert _value(server.url(), "SELECT true") is True


def test_an_initdb_that_was_cut_off_is_begun_again(fresh_dir: Path) -> None:
    torn = fresh_dir / ".initdb-torn" / "cluster"
    torn.mkdir(parents=True)
    (torn / "PG_VERSION").write_text("18\n")
    (fresh_dir / "password").write_text("of the torn one")
    with _server(fresh_dir) as server:
        assert _value(server.url(), "SELECT true") is True
    assert not torn.exists()


def test_a_setting_that_postgres_refuses_is_told_with_its_words(data_dir: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="shared_bufers"):
        EmbeddedPostgres(data_dir, settings={**_SETTINGS, "shared_bufers": "1"}).start()
    assert not server_processes(data_dir / "cluster")


def test_a_path_too_long_for_a_socket_address_works(fresh_dir: Path) -> None:
    with _server(fresh_dir / ("long-" * 20) / ("path-" * 20)) as server:
        assert len(str(server.socket_dir)) < 100
        assert _value(server.url(), "SELECT true") is True


def test_parent_folders_keep_their_rights(fresh_dir: Path) -> None:
    closed = fresh_dir / "closed"
    closed.mkdir(mode=0o700)
    with _server(closed / "data"):
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert stat.S_IMODE((closed / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["postgres", "nobody"])
def test_a_copy_of_the_programs_runs_as_an_account_that_cannot_reach_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _closed_environment(monkeypatch, name) as (folder, bases):
        for _ in range(2):
            with _server(folder / "data") as server:
                assert server.pid is not None
                program = Path(f"/proc/{server.pid}/exe").readlink()
                assert _value(server.url(), "SELECT upper('ü')") == "Ü"
                if os.geteuid() == 0:
                    assert bases in program.parents
                    assert (
                        Path(f"/proc/{server.pid}").stat().st_uid == pwd.getpwnam(account._ACCOUNTS_FOR_ROOT[0]).pw_uid
                    )
                else:
                    assert bases not in program.parents


@contextmanager
def _closed_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[tuple[Path, Path]]:
    """As root: the environment closed to others, as in a home folder. Anyone else runs the programs where they are."""
    folder, bases = Path(tempfile.mkdtemp(prefix="hs-copy-")), Path(tempfile.mkdtemp(prefix="hs-bin-"))
    bases.chmod(0o755)
    known = {entry.pw_name for entry in pwd.getpwall()}
    monkeypatch.setattr(account, "_ACCOUNTS_FOR_ROOT", (name if name in known else "nobody",))
    monkeypatch.setattr(binaries, "_COPIES", (bases,))
    real = account.Account.can_reach
    monkeypatch.setattr(
        account.Account, "can_reach", lambda who, path: "site-packages" not in path.parts and real(who, path)
    )
    try:
        yield folder, bases
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(bases)


def test_its_log_is_bounded_in_the_size_and_the_number_of_files(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOG_FILES_MAX", 2)
    monkeypatch.setattr(logs, "SWEEP_EVERY_S", 0.05)
    small = {"shared_buffers": "16MB", "log_rotation_size": "64kB"}
    with EmbeddedPostgres(data_dir, settings=small) as server, psycopg.connect(server.url(), autocommit=True) as client:
        cluster = data_dir / "cluster"
        seen: set[str] = set()
        until = time.monotonic() + PATIENCE_S
        while len(seen) < 4 and time.monotonic() < until:
            client.execute("DO $$ BEGIN FOR i IN 1..30 LOOP RAISE LOG '%', repeat('x', 4000); END LOOP; END $$")
            seen |= {path.name for path in logs.log_files(cluster)}
            time.sleep(0.3)
        assert len(seen) >= 4, "it goes on in a new file when one is full"
        _wait_until(lambda: len(logs.log_files(cluster)) <= 2, "old files were removed")
        kept = logs.log_files(cluster)
        assert {path.name for path in kept} <= seen
        assert all(path.stat().st_size < 1024 * 1024 for path in kept)
