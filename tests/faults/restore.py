"""Backup and restore: to a moment in the past from a base backup and the archived log, and from a dump."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

from adapters.postgres.connections import Database
from adapters.postgres.embedded import EmbeddedPostgres
from adapters.postgres.embedded.account import account_for_postgres
from adapters.proof.keeper import CheckpointKeeper
from adapters.proof.keys import signing_key
from adapters.proof.outside import CHECKPOINTS_FILE, FOLDER
from tests.faults.audit import audit, audit_journal, audit_log, audit_projections, read_log, wait_until_projected
from tests.faults.doors import HttpDoor
from tests.faults.load import Load
from tests.faults.orders import Journal
from tests.faults.report import Claim, Figure, Report, at_least, none_of
from tests.faults.servers import SERVE, ServerProcess
from tests.faults.stage import Stage, postgres_program

CLIENTS = 6
ARCHIVED_WAIT_S = 30.0
PROMOTED_WAIT_S = 60.0
_DUMPED = "from_dump"
_GENUINE, _TAMPERED = 0, 1


class Moment(NamedTuple):
    """A time of the database, and when by the harness' clock it was asked for and known."""

    target: str
    asked_at: float
    known_at: float


async def run(seed: int, *, short: bool = False) -> Report:
    """Back up under load, go on, restore beside it, and hold the copies against the original and what was signed."""
    chance = random.Random(seed)
    with _archive() as archive, Stage(settings=_archiving(archive)) as stage:
        person = await stage.person()
        server = stage.server("api")
        server.wait_ready()
        async with HttpDoor(server.base_url, person.token, person.project_id) as door:
            load = Load([door], seed, clients=CLIENTS)
            await load.start()
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            await asyncio.to_thread(_base_backup, stage)
            signed_before = await _sign(stage, server, "before")
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            moment = await asyncio.to_thread(_moment, stage.url)
            await asyncio.sleep(chance.uniform(0.5, 1.5) if short else 5.0)
            signed_after = await _sign(stage, server, "after")
            journal = await load.stop()
        claims = await audit(stage.url, journal)
        await asyncio.to_thread(_finish_archive, stage.url, archive)
        data_dir = Path(server.environment["HIVESYNC_DATA_DIR"])
        claims += await _check_moment(stage, archive, moment, journal, (data_dir, signed_before, signed_after))
        claims += await _check_dump(stage, data_dir, signed_after)
    return Report(claims, [Figure("events in the original", len(journal.acknowledged()), "orders")])


@contextmanager
def _archive() -> Iterator[Path]:
    """A folder that the account of PostgreSQL may write to."""
    folder = Path(tempfile.mkdtemp(prefix="hivesync-archive-"))
    account_for_postgres().owns_after(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _archiving(archive: Path) -> dict[str, str]:
    return {"archive_mode": "on", "archive_command": f"cp %p {archive}/%f"}


def _base_backup(stage: Stage) -> None:
    """A copy of the running server's files, as an operator takes it."""
    target = stage.folder / "restored" / "cluster"
    target.parent.mkdir(mode=0o700)
    postgres_program(
        "pg_basebackup",
        "--pgdata",
        str(target),
        "--checkpoint",
        "fast",
        "--wal-method",
        "stream",
        "--dbname",
        stage.url,
    )
    shutil.copy(stage.folder / "pg" / "password", target.parent / "password")


async def _sign(stage: Stage, server: ServerProcess, name: str) -> Path:
    """Sign a checkpoint as the server does, and keep a copy of all that were signed so far."""
    data_dir = Path(server.environment["HIVESYNC_DATA_DIR"])
    database = Database(stage.url, size=2)
    await database.open()
    try:
        await CheckpointKeeper(database, signing_key(data_dir, "localhost/log"), data_dir).sign()
    finally:
        await database.close()
    copy = stage.folder / f"{name}.txt"
    shutil.copy(data_dir / FOLDER / CHECKPOINTS_FILE, copy)
    return copy


def _moment(url: str) -> Moment:
    asked_at = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT clock_timestamp()::text").fetchone()
    assert row is not None
    return Moment(row[0], asked_at, time.monotonic())


def _finish_archive(url: str, archive: Path) -> None:
    """Wait until everything that was written is in the archive."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn()), pg_switch_wal()").fetchone()
    assert row is not None
    until = time.monotonic() + ARCHIVED_WAIT_S
    while not (archive / row[0]).exists():
        if time.monotonic() > until:
            raise RuntimeError(f"PostgreSQL did not archive {row[0]} within {ARCHIVED_WAIT_S:.0f} s")
        time.sleep(0.1)


async def _check_moment(
    stage: Stage, archive: Path, moment: Moment, journal: Journal, signed: tuple[Path, Path, Path]
) -> Sequence[Claim]:
    """Restore to the moment, and look at what is there and at what can be done with it."""
    data_dir, signed_before, signed_after = signed
    folder = stage.folder / "restored"
    await asyncio.to_thread(_prepare_recovery, folder / "cluster", archive, moment.target)
    original = read_log(stage.url)
    with EmbeddedPostgres(folder) as restored:
        url = restored.url()
        await asyncio.to_thread(_wait_promoted, url)
        records = read_log(url)
        log = audit_log(records)
        earlier = Journal([entry for entry in journal.entries if entry.last.done < moment.asked_at])
        later = [entry for entry in journal.acknowledged() if entry.first_sent > moment.known_at]
        told = audit_journal(url, records, earlier)
        genuine = await asyncio.to_thread(_verify, url, data_dir, signed_before)
        cut_off = await asyncio.to_thread(_verify, url, data_dir, signed_after)
        going_on = await _go_on(stage, url)
    return [
        at_least("restored to a moment: events", len(records), 1),
        at_least("restored to a moment: events that the original has more", len(original) - len(records), 1),
        none_of("restored to a moment: head hash other than the original's there", log.head != original[len(records) - 1].hash),
        none_of("restored to a moment: links of the chain that do not follow, and gaps", log.chain_errors + log.gaps),
        none_of("restored to a moment: orders lost that were acknowledged before it", told.lost),
        none_of("restored to a moment: orders of after it", sum(e.last.answer.position <= len(records) for e in later)),
        Claim("restored to a moment: verify against what was signed before it", genuine, _GENUINE, _GENUINE),
        Claim("restored to a moment: verify finds what was signed later cut off", cut_off, _TAMPERED, _TAMPERED),
        *going_on,
    ]  # fmt: skip


def _prepare_recovery(cluster: Path, archive: Path, target: str) -> None:
    (cluster / "recovery.signal").touch()
    with (cluster / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write(f"restore_command = 'cp {archive}/%f \"%p\"'\n")
        settings.write(f"recovery_target_time = '{target}'\nrecovery_target_action = 'promote'\n")
    account = account_for_postgres()
    for path in (cluster, *cluster.rglob("*")):
        if not account.is_own:
            os.lchown(path, account.uid, account.gid)


def _wait_promoted(url: str) -> None:
    until = time.monotonic() + PROMOTED_WAIT_S
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
            if time.monotonic() > until:
                raise RuntimeError(f"the restored PostgreSQL was not promoted within {PROMOTED_WAIT_S:.0f} s")
            time.sleep(0.1)


async def _go_on(stage: Stage, url: str) -> Sequence[Claim]:
    """A server on the restored database: its read models equal a replay."""
    with ServerProcess("restored", stage.folder, url, program=SERVE) as server:
        await asyncio.to_thread(server.wait_ready)
        caught_up = await wait_until_projected(url)
        projected = await audit_projections(url, read_log(url))
    return [
        none_of("restored to a moment: read models that do not catch up", not caught_up),
        none_of("restored to a moment: rows that differ from a replay from zero", projected.differing_rows),
        none_of("restored to a moment: read models that skipped or doubled an event", projected.incomplete),
    ]


async def _check_dump(stage: Stage, data_dir: Path, signed: Path) -> Sequence[Claim]:
    """Dump, load into an empty database, and compare: every table came along, so nothing has to catch up."""
    dump = stage.folder / "dump"
    await asyncio.to_thread(postgres_program, "pg_dump", "--format=custom", f"--file={dump}", stage.url)
    with psycopg.connect(stage.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_DUMPED}".encode())
    url = stage.postgres.url(_DUMPED)
    await asyncio.to_thread(postgres_program, "pg_restore", "--exit-on-error", "--dbname", url, str(dump))
    original, records = read_log(stage.url), read_log(url)
    log = audit_log(records)
    projected = await audit_projections(url, records)
    genuine = await asyncio.to_thread(_verify, url, data_dir, signed)
    return [
        none_of("from a dump: events missing or more", abs(len(original) - len(records))),
        none_of("from a dump: head hash other than the original's", log.head != original[-1].hash),
        none_of("from a dump: links of the chain that do not follow, and gaps", log.chain_errors + log.gaps),
        none_of("from a dump: rows that differ from a replay from zero", projected.differing_rows),
        Claim("from a dump: verify against what was signed", genuine, _GENUINE, _GENUINE),
    ]


def _verify(url: str, data_dir: Path, checkpoints: Path) -> int:
    """The exit code of ``hivesync verify`` on a store."""
    program = "import sys; from adapters.cli.main import main; sys.exit(main(sys.argv[1:]))"
    arguments = [
        "verify",
        "--database-url",
        url,
        "--data-dir",
        str(data_dir),
        "--checkpoint",
        str(checkpoints),
        "--json",
    ]
    ran = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    told = json.loads(ran.stdout.strip().splitlines()[-1]) if ran.stdout.strip() else {}
    if ran.returncode not in (_GENUINE, _TAMPERED) or told.get("exit_code", ran.returncode) != ran.returncode:
        raise RuntimeError(f"hivesync verify could not tell: {ran.stdout} {ran.stderr}")
    return ran.returncode
