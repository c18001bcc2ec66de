"""Imported tasks are in the log once, with their own times, whatever happens on the way."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest

from adapters.identity.account_rows import AccountRows
from adapters.ids import now, uuid7
from adapters.imports.importer import Destination, Importer, Wishes
from adapters.imports.people import PersonRefused, accounts_by_name
from adapters.imports.source import ReadOptions, Source
from adapters.imports.table import TableOptions
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.reader import PostgresStreamReader
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.log import Log
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from shared.api.imports import BadRow, ImportProgress, ImportReport
from tests.imports.files import as_gh_writes, closed, issue, lines_of

PROJECT = ProjectId(UUID(int=0xA))
ANN = AccountId(UUID(int=0xB))
ISSUES = [issue(number) if number % 3 else closed(number) for number in range(1, 301)]


@asynccontextmanager
async def running_log(url: str) -> AsyncIterator[Log]:
    """The write side of a server on a test's database."""
    database = Database(url)
    await database.open()
    appender = GroupCommit(database)
    await appender.start()
    catalogue = the_catalogue()
    try:
        yield Log(appender, PostgresStreamReader(database, catalogue), MsgspecMapper(catalogue), uuid7)
    finally:
        await appender.stop()
        await database.close()


async def imported(
    log: Log, data: bytes, *, csv: bool = False, accounts: dict[str, AccountId] | None = None, **wishes: Any
) -> ImportReport:
    """Import a file into the project."""
    target = Destination(PROJECT, ANN, Role.OWNER, accounts or {})
    options = ReadOptions(format="csv" if csv else "github", table=TableOptions())
    return await Importer(log, target, Source(io.BytesIO(data)), options, Wishes(**wishes)).run()


def stored(url: str) -> list[tuple[str, dict[str, Any]]]:
    """What the log holds, in order: stream and payload."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT originator_id::text, state FROM eventlog.events ORDER BY notification_id")
        return [(stream, msgspec.json.decode(state)) for stream, state in rows.fetchall()]


async def test_every_issue_is_there_once_and_a_closed_one_is_completed_and_approved(postgres_url: str) -> None:
    async with running_log(postgres_url) as log:
        report = await imported(log, lines_of(ISSUES))
    assert (report.read, report.created, report.existing, report.bad, report.complete) == (300, 300, 0, 0, True)
    events = stored(postgres_url)
    kinds = Counter(payload["type"] for _, payload in events)
    assert kinds == {"task.imported.v1": 300, "task.completed.v1": 100, "task.approved.v1": 100}
    one = next(payload for _, payload in events if payload.get("external_id") == "garden/gate#3")
    assert (one["created_at"], one["closed_at"], one["author"]) == (
        "2022-09-13T12:00:00Z", "2022-12-22T12:00:00Z", "octocat",
    )  # fmt: skip
    assert report.position == len(events)


async def test_importing_again_adds_what_is_new_and_doubles_nothing(postgres_url: str) -> None:
    async with running_log(postgres_url) as log:
        await imported(log, lines_of(ISSUES[:200]))
        before = stored(postgres_url)
    async with running_log(postgres_url) as log:
        report = await imported(log, lines_of(ISSUES))
    assert (report.created, report.existing) == (100, 200)
    assert stored(postgres_url)[: len(before)] == before


async def test_the_same_issues_in_the_form_of_gh_are_no_new_tasks(postgres_url: str) -> None:
    async with running_log(postgres_url) as log:
        first = await imported(log, lines_of(ISSUES[:20]))
        again = await imported(log, as_gh_writes(ISSUES[:25]))
        back = await imported(log, lines_of(ISSUES[:25]))
    assert (first.created, again.created, back.created) == (20, 5, 0)
    assert not again.bad_rows


async def test_two_imports_at_once_make_every_task_once(postgres_url: str) -> None:
    async with running_log(postgres_url) as log, running_log(postgres_url) as other:
        reports = await asyncio.gather(imported(log, lines_of(ISSUES)), imported(other, lines_of(ISSUES)))
    assert sum(report.created for report in reports) == 300
    assert Counter(payload["type"] for _, payload in stored(postgres_url))["task.imported.v1"] == 300


async def test_a_torn_file_keeps_what_was_whole_and_says_how_to_go_on(postgres_url: str) -> None:
    many = [issue(number) for number in range(1, 1_501)]
    packed = gzip.compress(lines_of(many))
    async with running_log(postgres_url) as log:
        torn = await imported(log, packed[: len(packed) // 2])
        assert (torn.complete, torn.created) == (False, torn.go_on_from_line - 1 if torn.go_on_from_line else 0)
        assert torn.created > 100
        assert "the gzip file ends here" in (torn.stopped_by or "")
        rest = await imported(log, packed, from_line=torn.go_on_from_line)
    assert (rest.complete, rest.read, rest.existing) == (True, 1_500 - torn.created, 0)
    assert len({stream for stream, _ in stored(postgres_url)}) == 1_500


async def test_bad_pieces_are_named_and_the_others_imported(postgres_url: str) -> None:
    told: list[BadRow] = []
    data = lines_of([issue(1), issue(2, title=[])]) + b"{half\n" + lines_of([issue(4)])
    async with running_log(postgres_url) as log:
        report = await imported(log, data, on_bad_row=told.append)
    assert (report.created, report.bad, report.complete) == (2, 2, True)
    assert [(row.line, row.field) for row in report.bad_rows] == [(2, "title"), (3, None)]
    assert told == report.bad_rows


async def test_a_task_that_the_rules_refuse_is_named(postgres_url: str) -> None:
    async with running_log(postgres_url) as log:
        report = await imported(log, b"id,title\n\x01,one\n2,two\n", csv=True)
    assert (report.created, [(row.line, row.field) for row in report.bad_rows]) == (1, [(2, "external_id")])


async def test_a_dry_run_tells_the_same_and_stores_nothing(postgres_url: str) -> None:
    data = b"id,title,due\n1,one,\n2,,\n3,three,never\n\x01,four,\n"
    async with running_log(postgres_url) as log:
        dry = await imported(log, data, csv=True, dry_run=True)
        assert stored(postgres_url) == []
        wet = await imported(log, data, csv=True)
        again = await imported(log, data, csv=True, dry_run=True)
    assert (dry.created, dry.bad, dry.dry_run) == (1, 3, True)
    assert dry.bad_rows == wet.bad_rows
    assert (wet.created, again.created, again.existing) == (1, 0, 1)


async def test_a_task_that_is_twice_in_a_file_is_new_once_in_a_dry_run_too(postgres_url: str) -> None:
    data = lines_of([issue(1), issue(2), issue(1, title="the same, a page later")])
    async with running_log(postgres_url) as log:
        dry = await imported(log, data, dry_run=True)
        wet = await imported(log, data)
    assert (dry.created, dry.existing) == (wet.created, wet.existing) == (2, 1)


async def test_bad_pieces_are_counted_also_where_they_stand_on_one_line(postgres_url: str) -> None:
    one_line = json.dumps([issue(1, title=None), issue(2), issue(3, title=None, body=5), issue(4, state="ajar")])
    table = b"id,title,due\n1,,never\n2,two,\n\x01,three,\n4,,never\n"
    async with running_log(postgres_url) as log:
        assert (await imported(log, one_line.encode())).bad == 3
        report = await imported(log, table, csv=True)
    assert (report.bad, len(report.bad_rows)) == (3, 5)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_that_utc_has_no_date_for_is_named(postgres_url: str, time: str) -> None:
    table = f"id,title,created\n1,one,\n2,two,{time}\n".encode()
    issues = lines_of([issue(1), issue(2, created_at=time), closed(3, closed_at=time)])
    async with running_log(postgres_url) as log:
        of_table, of_issues = await imported(log, table, csv=True), await imported(log, issues)
    assert [(row.line, row.field) for row in of_table.bad_rows] == [(3, "created_at")]
    assert [(row.line, row.field) for row in of_issues.bad_rows] == [(2, "created_at"), (3, "closed_at")]


async def test_what_was_under_way_at_a_torn_end_is_stored_though_connections_break(postgres_url: str) -> None:
    """The reading stops at once, and 128 commands wait for their answers: none of them may be given up with it."""
    torn = lines_of([issue(number) for number in range(1, 129)]) + b"[" * 20
    packed = gzip.compress(torn)[:-8]
    async with running_log(postgres_url) as log:
        execute, breaks = log.execute, count()

        async def breaking(*arguments: Any, **named: Any) -> Any:
            if next(breaks) < 100:
                await asyncio.sleep(0)
                raise StoreUnavailable("the connection broke")
            return await execute(*arguments, **named)

        log.execute = breaking  # type: ignore[method-assign]
        report = await imported(log, packed)
    assert (report.created, report.complete) == (128, False)


async def test_assignees_are_members_where_they_are_known_and_kept_by_name_where_not(postgres_url: str) -> None:
    people = [{"login": "Hubot"}, {"login": "OctoCat"}]
    async with running_log(postgres_url) as log:
        report = await imported(log, lines_of([issue(1, assignees=people)]), accounts={"octocat": ANN})
    (_, payload), *_ = stored(postgres_url)
    assert payload["assignee_id"] == str(ANN)
    assert [(one["name"], one["account_id"]) for one in payload["assignees"]] == [
        ("Hubot", None),
        ("OctoCat", str(ANN)),
    ]
    assert report.unknown_people == ["Hubot"]


async def test_connections_that_break_cost_no_task_and_double_none(postgres_url: str) -> None:
    many = [closed(number) for number in range(1, 2_001)]

    async def break_connections() -> None:
        async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
            for _ in range(5):
                await asyncio.sleep(0.05)
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    async with running_log(postgres_url) as log:
        report, _ = await asyncio.gather(imported(log, lines_of(many)), break_connections())
    assert (report.complete, report.created + report.existing) == (True, 2_000)
    assert Counter(payload["type"] for _, payload in stored(postgres_url)) == dict.fromkeys(
        ["task.imported.v1", "task.completed.v1", "task.approved.v1"], 2_000
    )


async def test_progress_is_told_and_ends_at_the_whole(postgres_url: str) -> None:
    told: list[ImportProgress] = []
    many = [issue(number) for number in range(1, 1_001)]
    async with running_log(postgres_url) as log:
        report = await imported(log, lines_of(many), on_progress=told.append)
    assert told
    assert [one.read for one in told] == sorted(one.read for one in told)
    assert told[-1].read <= report.read == 1_000


async def test_members_are_known_by_address_by_name_and_by_what_was_said(postgres_url: str) -> None:
    database = Database(postgres_url)
    await database.open()
    rows = AccountRows(database)
    ann, ben, twin, auditor = (AccountId(uuid7()) for _ in range(4))
    for account_id, name in ((ann, "Ann"), (ben, "Sam"), (twin, "sam"), (auditor, "Audrey")):
        await rows.insert(account_id, email=f"{account_id.hex}@Example.com", name=name, password_hash=None, at=now())
    members = {ann: Role.OWNER, ben: Role.MEMBER, twin: Role.MEMBER, auditor: Role.AUDITOR}
    known = await accounts_by_name(rows, members, {"OctoCat": f"{ben.hex}@example.COM", "hubot": str(twin)})
    assert known["ann"] == ann
    assert known[f"{ben.hex}@example.com"] == ben
    assert (known["octocat"], known["hubot"]) == (ben, twin)
    assert not known.keys() & {"sam", "audrey", f"{auditor.hex}@example.com"}
    for stranger in ("nobody@example.com", str(auditor), str(UUID(int=1))):
        with pytest.raises(PersonRefused):
            await accounts_by_name(rows, members, {"octocat": stranger})
    await database.close()
