"""The Nth exchange with the database fails, for every N of every use case: no partial effect, no wrong answer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import get_args

import psycopg

import adapters.identity.directory as directory
import hivesync_core.eventstore.log as log
from adapters.postgres.connections import Database
from tests.faults.audit import audit_log, read_log
from tests.faults.injection import How, Injection
from tests.faults.report import Figure, Report, at_least, none_of
from tests.faults.stage import Stage
from tests.faults.use_cases import USE_CASES, Api, Heard, UseCase, in_process

UNAVAILABLE = 503
GIVE_UP_S = 0.6
SHORT_USE_CASES = ("make a task", "approve a task", "make an account", "erase an account", "sign in")
_EVENTS = "SELECT topic FROM eventlog.events WHERE notification_id > %s ORDER BY notification_id"
_HEAD = "SELECT coalesce(max(notification_id), 0) FROM eventlog.events"
_UNSETTLED = "SELECT count(*) FROM identity.accounts WHERE unsettled_since IS NOT NULL"
_PEOPLE = "SELECT account_id::text, is_admin, disabled FROM identity.accounts"
_LIVES = """
    SELECT originator_id::text, topic, state::json->>'is_admin' FROM eventlog.events
    WHERE topic LIKE 'account.%' ORDER BY notification_id
"""


@dataclass
class Tally:
    """What was found over all runs; the lists say where."""

    runs: int = 0
    hits: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    overcome: int = 0


async def run(seed: int, *, short: bool = False) -> Report:
    """Every use case, every N, with the connection broken before the exchange and after it."""
    chance = random.Random(seed)
    injection, tally = Injection(), Tally()
    with Stage() as stage, injection.installed():
        person = await stage.person()
        async with in_process(stage.url, person) as api:
            for use_case in USE_CASES:
                if not short or use_case.name in SHORT_USE_CASES:
                    await _exhaust(api, injection, use_case, tally, chance)
            with _leftovers_at_once():
                await api.server.identity.directory.settle_leftovers()
        found = audit_log(read_log(stage.url))
        strays = _strays(stage.url)
    claims = [
        at_least("runs with a fault", tally.hits, sum(tally.calls.values())),
        none_of("wrong answers: neither the right one nor 503", len(tally.wrong)),
        none_of("partial effects", len(tally.partial)),
        none_of("requests that do not succeed when they are repeated", len(tally.stuck)),
        none_of("effects doubled by the repetition", len(tally.doubled)),
        none_of("people whose row and stream say different things", len(strays)),
        none_of("links of the chain that do not follow", found.chain_errors),
        none_of("gaps in the log or in a stream", found.gaps),
    ]
    figures = [
        Figure("use cases", len(tally.calls), ""),
        Figure("exchanges with the database in all of them", sum(tally.calls.values()), ""),
        Figure(
            "use cases whose lost answer cannot be repeated, as it holds a secret",
            sum(bool(u.adds) for u in USE_CASES),
            "",
        ),
        Figure("faults that the request overcame without an error", tally.overcome, ""),
    ]
    return Report(claims, figures, [*tally.wrong, *tally.partial, *tally.stuck, *tally.doubled, *strays])


@contextmanager
def _leftovers_at_once() -> Iterator[None]:
    """Whatever is unsettled counts as left behind, however young it is."""
    age, directory._LEFTOVER_AGE_S = directory._LEFTOVER_AGE_S, 0.0
    try:
        yield
    finally:
        directory._LEFTOVER_AGE_S = age


@contextmanager
def _impatient() -> Iterator[None]:
    """Commands give up after ``GIVE_UP_S`` instead of seconds, where the database stays away."""
    patience, log.EXECUTE_WAIT_S = log.EXECUTE_WAIT_S, GIVE_UP_S
    try:
        yield
    finally:
        log.EXECUTE_WAIT_S = patience


async def _exhaust(api: Api, injection: Injection, use_case: UseCase, tally: Tally, chance: random.Random) -> None:
    """Run a use case without a fault, then with one at each of its exchanges."""
    asked, before = await use_case.prepare(api), await _head(api.server.database)
    with injection.watching():
        right = await api.send(asked)
    wanted = await _since(api.server.database, before)
    tally.calls[use_case.name] = calls = injection.count
    plans: list[tuple[int, How]] = [(n, how) for n in range(1, calls + 1) for how in get_args(How)]
    chance.shuffle(plans)
    for at, how in plans:
        await _spoil(api, injection, use_case, (at, how), right, wanted, tally)


async def _spoil(
    api: Api,
    injection: Injection,
    use_case: UseCase,
    plan: tuple[int, How],
    right: Heard,
    wanted: list[str],
    tally: Tally,
) -> None:
    at, how = plan
    where = f"{use_case.name}, broken {how} exchange {at}"
    asked, before = await use_case.prepare(api), await _head(api.server.database)
    with _impatient() if how == "for good after" else nullcontext(), injection.watching(at, how):
        heard = await api.send(asked)
    tally.runs += 1
    tally.hits += injection.hit
    stored = await _since(api.server.database, before)
    if heard.status not in (right.status, UNAVAILABLE):
        tally.wrong.append(f"{where}: answered {heard}")
    if use_case.reads and heard.succeeded and heard.body != right.body:
        tally.wrong.append(f"{where}: told {heard.body} instead of {right.body}")
    if stored not in ([], wanted) or (heard.succeeded and stored != wanted):
        tally.partial.append(f"{where}: {heard.status}, stored {stored} of {wanted}")
    if heard.status == right.status:
        tally.overcome += injection.hit
    else:
        again = await api.send(asked)
        if again.status != right.status and again.status not in use_case.repeats:
            tally.stuck.append(f"{where}: {heard.status}, again {again}")
    finally_stored = await _since(api.server.database, before)
    allowed = [wanted, [*stored, *use_case.adds]] if use_case.adds else [wanted]
    if finally_stored not in allowed:
        tally.doubled.append(f"{where}: after the repetition {finally_stored} instead of {wanted}")


async def _head(database: Database) -> int:
    row = await database.fetch_one(_HEAD)
    assert row is not None
    return int(row[0])


async def _since(database: Database, position: int) -> list[str]:
    return [topic for (topic,) in await database.fetch_all(_EVENTS, (position,))]


def _strays(url: str) -> list[str]:
    """Rows of people that their account's stream does not bear out, after leftovers were settled."""
    with psycopg.connect(url) as connection:
        unsettled = connection.execute(_UNSETTLED).fetchone()
        people = {row[0]: row[1:] for row in connection.execute(_PEOPLE).fetchall()}
        lives: dict[str, tuple[bool, bool] | None] = {}
        for account_id, topic, is_admin in connection.execute(_LIVES).fetchall():
            was = lives.get(account_id) or (False, False)
            if topic in ("account.registered.v1", "account.role_changed.v1"):
                lives[account_id] = (is_admin == "true", was[1])
            elif topic in ("account.disabled.v1", "account.enabled.v1"):
                lives[account_id] = (was[0], topic == "account.disabled.v1")
            elif topic == "account.erased.v1":
                lives[account_id] = None
    standing = {account_id: life for account_id, life in lives.items() if life is not None}
    strays = [f"account {a}: row {people.get(a)}, stream {standing.get(a)}" for a in people.keys() | standing.keys()
              if people.get(a) != standing.get(a)]  # fmt: skip
    return strays + (["rows still marked as unsettled"] if unsettled is None or unsettled[0] else [])
