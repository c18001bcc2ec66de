"""Import of 2,415 issues, as many as a real repository had, by the command's own parts; then the same file again."""

from __future__ import annotations

import asyncio
import gzip
import io
import random
import resource
import time
from typing import NamedTuple

from adapters.ids import uuid7
from adapters.imports.importer import Destination, Importer, Wishes
from adapters.imports.source import ReadOptions, Source
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.reader import PostgresStreamReader
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.log import Log
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from shared.api.imports import ImportReport
from tests.bench.report import Figure, Report, Target
from tests.bench.server import own_server
from tests.imports.files import closed, issue, lines_of

ISSUES = 2_415
MANY_ISSUES = 24_150
BODY_CHARS = 2_000
SECONDS_WANTED = 10.0
GROWTH_WANTED_MB = 64.0


class Measured(NamedTuple):
    """One import."""

    report: ImportReport
    seconds: float
    growth_mb: float


def run() -> Report:
    """One after the other on one server."""
    with own_server() as url:
        first, again, many = asyncio.run(_imports(url))
    assert (first.report.created, again.report.existing, many.report.created) == (ISSUES, ISSUES, MANY_ISSUES)
    return Report(
        figures=[
            Figure(f"{ISSUES:,} issues", first.seconds, "s"),
            Figure(f"{ISSUES:,} issues", ISSUES / first.seconds, "tasks/s"),
            Figure("the same file again, nothing to do", again.seconds, "s"),
            Figure(f"{MANY_ISSUES:,} issues", MANY_ISSUES / many.seconds, "tasks/s"),
            Figure(f"{MANY_ISSUES:,} issues: memory growth", many.growth_mb, "MB"),
        ],
        targets=[
            Target(f"import of {ISSUES:,} issues", first.seconds, SECONDS_WANTED, "s", at_most=True),
            Target("memory growth with ten times as many", many.growth_mb, GROWTH_WANTED_MB, "MB", at_most=True),
        ],
        notes=[f"JSON Lines packed with gzip, bodies of about {BODY_CHARS:,} characters, nine in ten closed"],
    )


async def _imports(url: str) -> tuple[Measured, Measured, Measured]:
    database = Database(url)
    await database.open()
    appender = GroupCommit(database)
    await appender.start()
    catalogue = the_catalogue()
    log = Log(appender, PostgresStreamReader(database, catalogue), MsgspecMapper(catalogue), uuid7)
    try:
        project_id = ProjectId(uuid7())
        file = _file(ISSUES)
        first, again = await _import(log, project_id, file), await _import(log, project_id, file)
        return first, again, await _import(log, ProjectId(uuid7()), _file(MANY_ISSUES))
    finally:
        await appender.stop()
        await database.close()


async def _import(log: Log, project_id: ProjectId, file: bytes) -> Measured:
    destination = Destination(project_id, AccountId(uuid7()), Role.OWNER)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    report = await Importer(log, destination, Source(io.BytesIO(file)), ReadOptions(), Wishes()).run()
    seconds = time.perf_counter() - began
    return Measured(report, seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def _file(issues: int) -> bytes:
    chance = random.Random(3)
    words = [f"word{number}" for number in range(2_000)]
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as file:
        for number in range(1, issues + 1):
            body = " ".join(chance.choices(words, k=BODY_CHARS // 8))
            made = issue if number % 10 == 0 else closed
            file.write(lines_of([made(number, body=body)]))
    return packed.getvalue()
