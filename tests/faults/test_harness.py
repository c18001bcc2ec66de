"""The harness is not blind: each kind of damage, done on purpose, is seen by the audit that looks for it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest

import adapters.http.commanding as commanding
from hivesync_core.eventstore.log import Log
from tests.faults import nth_call
from tests.faults.audit import (
    _out_of_order,
    audit_journal,
    audit_log,
    audit_projections,
    read_log,
    wait_until_projected,
)
from tests.faults.doors import LogDoor
from tests.faults.injection import Injection
from tests.faults.listener import _disorder
from tests.faults.load import Load
from tests.faults.orders import Answer, Attempt, Entry, Journal, Order
from tests.faults.report import Report, at_least, none_of
from tests.faults.stage import make_person
from tests.faults.use_cases import USE_CASES, in_process
from tests.servers.postgres import PostgresServers

LOAD_S = 1.0
_FREE = "ALTER TABLE eventlog.events DISABLE TRIGGER ALL"


class Worked(NamedTuple):
    """A database in which clients have worked, and their journal."""

    url: str
    journal: Journal


@pytest.fixture(scope="module")
def once_worked(postgres_servers: PostgresServers) -> Iterator[Worked]:
    """Some hundred events, projected, with everything as it should be; to be copied."""
    with postgres_servers.get("18").database() as url:
        yield Worked(url, asyncio.run(_work(url)))


@pytest.fixture
def worked(postgres_servers: PostgresServers, once_worked: Worked) -> Iterator[Worked]:
    """A copy of one's own, to damage."""
    with postgres_servers.get("18").database(empty=True) as url:
        template, copy = (urlsplit(one).path.strip("/") for one in (once_worked.url, url))
        with psycopg.connect(postgres_servers.get("18").server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {copy}".encode())
            connection.execute(f"CREATE DATABASE {copy} TEMPLATE {template}".encode())
        yield Worked(url, deepcopy(once_worked.journal))


async def _work(url: str) -> Journal:
    person = await make_person(url, "fault@example.org", "Fay Ulster")
    async with in_process(url, person), LogDoor(url) as door:
        load = Load([door], 1, clients=4)
        await load.start()
        await asyncio.sleep(LOAD_S)
        journal = await load.stop()
        assert await wait_until_projected(url)
    return journal


async def test_what_is_undamaged_is_found_so(worked: Worked) -> None:
    records = read_log(worked.url)
    log, told = audit_log(records), audit_journal(worked.url, records, worked.journal)
    assert (log.chain_errors, log.gaps) == (0, 0)
    assert told.acknowledged > 20
    assert (told.lost, told.doubled, told.refused_but_stored, told.order_broken) == (0, 0, 0, 0)
    assert await audit_projections(worked.url, records) == (0, 0, 0)


Damage = Callable[[str, Entry], tuple[str, tuple[object, ...]]]


def _drop(_: str, entry: Entry) -> tuple[str, tuple[object, ...]]:
    return "DELETE FROM eventlog.events WHERE notification_id = %s", (entry.last.answer.position,)


def _change(_: str, entry: Entry) -> tuple[str, tuple[object, ...]]:
    return (
        "UPDATE eventlog.events SET state = replace(state, 'mark', 'Mark') WHERE notification_id = %s",
        (entry.last.answer.position,),
    )


def _double(_: str, entry: Entry) -> tuple[str, tuple[object, ...]]:
    return (
        "INSERT INTO eventlog.events SELECT (SELECT max(notification_id) + 1 FROM eventlog.events), gen_random_uuid(), 1, "
        "topic, state, gen_random_uuid(), recorded_at, actor, correlation_id, causation_id, command_id, hash "
        "FROM eventlog.events WHERE notification_id = %s",
        (entry.last.answer.position,),
    )


@pytest.mark.parametrize(
    ("damage", "seen"),
    [(_drop, "lost"), (_change, "lost"), (_double, "doubled")],
    ids=["dropped", "changed", "doubled"],
)
async def test_an_event_that_is_not_as_it_was_acknowledged_is_seen(worked: Worked, damage: Damage, seen: str) -> None:
    entry = next(e for e in worked.journal.acknowledged() if e.order.kind == "comment")
    query, params = damage(worked.url, entry)
    with psycopg.connect(worked.url) as connection:
        connection.execute(_FREE)
        connection.execute(query.encode(), params)
    records = read_log(worked.url)
    log = audit_log(records)
    assert getattr(audit_journal(worked.url, records, worked.journal), seen) == 1
    assert log.chain_errors >= 1


async def test_a_row_that_a_replay_would_not_make_is_seen(worked: Worked) -> None:
    with psycopg.connect(worked.url) as connection:
        connection.execute(
            "UPDATE readmodel.board_task SET title = 'other' WHERE task_id = (SELECT task_id FROM readmodel.board_task LIMIT 1)"
        )
    found = await audit_projections(worked.url, read_log(worked.url))
    assert found.differing_rows == 2, "one too many, and one missing"


async def test_an_event_that_a_read_model_skipped_is_seen(worked: Worked) -> None:
    with psycopg.connect(worked.url) as connection:
        connection.execute("UPDATE ops.projections SET events = events - 1 WHERE name = 'board' AND build = 'live'")
    assert (await audit_projections(worked.url, read_log(worked.url))).incomplete == 1


async def test_a_refused_order_that_is_stored_is_seen(worked: Worked) -> None:
    entry = next(e for e in worked.journal.acknowledged() if e.order.kind == "comment")
    worked.journal.entries.append(Entry(9, entry.order, [Attempt(0.0, 0.1, Answer(409))]))
    assert audit_journal(worked.url, read_log(worked.url), worked.journal).refused_but_stored == 1


def test_orders_that_overtook_others_are_seen() -> None:
    first = Entry(1, Order("comment", "a", "a"), [Attempt(1.0, 2.0, Answer(200, None, 1, 7))])
    second = Entry(2, Order("comment", "b", "b"), [Attempt(3.0, 4.0, Answer(200, None, 1, 6))])
    at_once = Entry(2, Order("comment", "b", "b"), [Attempt(1.5, 4.0, Answer(200, None, 1, 6))])
    assert _out_of_order(Journal([first, second])) == 1
    assert _out_of_order(Journal([first, at_once])) == 0


def test_a_socket_that_repeats_or_mixes_up_is_seen() -> None:
    assert _disorder([1, 2, 5]) == 0
    assert _disorder([1, 2, 2, 5]) == 1
    assert _disorder([1, 5, 2]) == 1


async def test_a_server_that_takes_no_notice_of_keys_is_seen(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commanding, "idempotency_of", lambda *_: None)
    assert (await _tally(postgres_url, "comment on a task")).doubled


async def test_a_command_that_stores_half_is_seen(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Log.execute_all

    async def in_two_steps(log: Log, submissions: list[object], context: object) -> list[object]:
        return [outcome for one in submissions for outcome in await whole(log, [one], context)]  # type: ignore[list-item, arg-type]

    monkeypatch.setattr(Log, "execute_all", in_two_steps)
    tally = await _tally(postgres_url, "make an admin")
    assert tally.partial or tally.doubled


async def _tally(url: str, name: str) -> nth_call.Tally:
    person = await make_person(url, "fault@example.org", "Fay Ulster")
    injection, tally = Injection(), nth_call.Tally()
    use_case = next(one for one in USE_CASES if one.name == name)
    with injection.installed():
        async with in_process(url, person) as api:
            await nth_call._exhaust(api, injection, use_case, tally, random.Random(1))
    assert tally.hits > 0
    return tally


def test_a_report_without_claims_or_with_a_broken_one_does_not_hold() -> None:
    good = Report([none_of("lost", 0), at_least("kills", 25, 25)])
    assert good.holds
    assert not Report([]).holds
    assert not Report([none_of("lost", 1)]).holds
    assert not Report([good.claims[1]._replace(value=24)]).holds
