"""The clock of PostgreSQL's and a server's machine jumps by two hours and back by a day; another server's stays true."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg

from adapters.ids import uuid7
from tests.faults.audit import audit
from tests.faults.doors import HttpDoor
from tests.faults.faketime import JumpingClock, jumping_clock
from tests.faults.kills import until
from tests.faults.listener import Listener
from tests.faults.load import Load
from tests.faults.report import Claim, Figure, Report, at_least, none_of
from tests.faults.servers import ServerProcess
from tests.faults.stage import Person, Stage

HOUR_S = 3_600
JUMPS = (("two hours ahead", 2 * HOUR_S), ("a day behind", -24 * HOUR_S), ("true again", 0))
CLIENTS = 6
LOAD_S = 4.0
LOAD_SHORT_S = 1.5
EXPIRED_WAIT_S = 15.0
_OK = 200
_GOOD, _REFUSED = frozenset({200}), frozenset({401})
_EITHER = _GOOD | _REFUSED
"""A token that has expired is deleted some time later: whether it is found again by a clock that went back is open."""

_EXPIRED = "SELECT count(*) FROM eventlog.events WHERE topic = 'task.help_lease_expired.v1' AND originator_id = %s"
_BACKWARDS = """
    SELECT count(*) FROM (SELECT recorded_at < lag(recorded_at) OVER (ORDER BY notification_id) AS back
                          FROM eventlog.events) steps WHERE back
"""


class Token(NamedTuple):
    """A token, and the statuses that it must be answered after each jump."""

    name: str
    secret: str
    wanted: Sequence[frozenset[int]]


class Wrong(NamedTuple):
    """Something that was not as it should be."""

    what: str


async def run(seed: int, *, short: bool = False) -> Report:
    """Tokens, leases and keys from before each jump are shown after it, while clients work at both servers."""
    with jumping_clock() as clock, Stage(binaries=clock.programs()) as stage:
        person = await stage.person()
        jumping = stage.server("jumping", program=clock.program, **clock.environment)
        steady = stage.server("steady")
        for server in stage.servers:
            await asyncio.to_thread(server.wait_ready)
        async with AsyncExitStack() as stack:
            doors = [
                await stack.enter_async_context(HttpDoor(server.base_url, person.token, person.project_id))
                for server in (jumping, steady)
            ]
            urls = [jumping.base_url, steady.base_url]
            listener = await stack.enter_async_context(Listener(urls, person.token, seed))
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=urls[0], timeout=10, trust_env=False))
            load = Load(doors, seed, clients=CLIENTS)
            await load.start()
            await asyncio.sleep(LOAD_SHORT_S if short else LOAD_S)
            wrong, tokens_tried = await _jump(stage, client, person, clock, LOAD_SHORT_S if short else LOAD_S)
            journal = await load.stop()
            claims = [*await audit(stage.url, journal), *await listener.audit(stage.url)]
        backwards = _one(stage.url, _BACKWARDS)
        genuine = await asyncio.to_thread(_verify, stage.url, steady)
    return Report(
        [
            at_least("tokens shown after a jump", tokens_tried, 10),
            none_of("tokens, leases or keys that were not treated as they should be", len(wrong)),
            at_least("events that stand after one with a later time: order is by position", backwards, 1),
            Claim("verify against what was signed", genuine, 0, 0),
            *claims,
        ],
        [Figure("jumps", len(JUMPS), "")],
        [
            "libfaketime moved the clock of PostgreSQL and one server" if clock.is_complete else "a clock was put into one server",
            "A token of before is refused two hours later where it was for less; a day earlier nothing is refused that was for "
            "longer: a token has an end and no beginning.",
            *(one.what for one in wrong),
        ],
    )  # fmt: skip


async def _jump(
    stage: Stage, client: httpx.AsyncClient, person: Person, clock: JumpingClock, load_s: float
) -> tuple[list[Wrong], int]:
    """Jump, and show what was made before; what was not as it should be, and how many tokens were tried."""
    tried = 0
    wrong: list[Wrong] = []
    tokens = await _tokens_of_before(client, person)
    key = str(uuid7())
    first = await _comment(client, person, key)
    lease_ahead = await _lease(client, person, HOUR_S)
    for number, (name, seconds) in enumerate(JUMPS):
        clock.jump(seconds)
        await asyncio.sleep(load_s)
        for token in tokens:
            status = await _status(client, token.secret)
            tried += 1
            if status not in token.wanted[number]:
                wrong.append(Wrong(f"{name}: {token.name} was answered {status}, not {sorted(token.wanted[number])}"))
        again = await _comment(client, person, key)
        if again != first:
            wrong.append(Wrong(f"{name}: the idempotency key of before was answered {again} instead of {first}"))
        session = await _sign_in(client, person)
        if session is None or await _status(client, session["access_token"]) != _OK:
            wrong.append(Wrong(f"{name}: a new session does not work"))
        elif seconds < 0:
            tokens.append(
                Token("an access token made a day behind", session["access_token"], (_EITHER, _EITHER, _REFUSED))
            )
            lease_behind = await _lease(client, person, HOUR_S)
        if seconds > 0 and not await _expires(stage.url, lease_ahead):
            wrong.append(Wrong(f"{name}: the help lease of one hour did not run out"))
    if not await _expires(stage.url, lease_behind):
        wrong.append(Wrong("true again: the help lease made a day behind did not run out"))
    leases = [_one(stage.url, _EXPIRED, task_id) for task_id in (lease_ahead, lease_behind)]
    wrong += [Wrong(f"a help lease ran out {times} times") for times in leases if times > 1]
    return wrong, tried


async def _tokens_of_before(client: httpx.AsyncClient, person: Person) -> list[Token]:
    """Tokens of all kinds, made by the true clock."""
    session = await _sign_in(client, person)
    assert session is not None, "nobody can sign in before the first jump"
    return [
        Token("a token without an end", person.token, (_GOOD, _GOOD, _GOOD)),
        Token("a token for one hour", await _personal(client, person, 1), (_REFUSED, _GOOD, _GOOD)),
        Token("a token for three hours", await _personal(client, person, 3), (_GOOD, _GOOD, _GOOD)),
        Token("an access token of before", session["access_token"], (_REFUSED, _EITHER, _EITHER)),
    ]


async def _personal(client: httpx.AsyncClient, person: Person, hours: int) -> str:
    ends = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    body = {"name": f"for {hours} h", "scopes": ["read"], "expires_at": ends}
    return str((await _must(client, person, "/tokens", body))["token"])


async def _comment(client: httpx.AsyncClient, person: Person, key: str) -> Any:
    """Make a task under an idempotency key; what was answered."""
    headers = {"authorization": f"Bearer {person.token}", "idempotency-key": key}
    path = f"/api/v1/projects/{person.project_id}/tasks"
    return (await client.post(path, json={"title": "keyed"}, headers=headers)).json()


async def _lease(client: httpx.AsyncClient, person: Person, seconds: int) -> str:
    """A task whose help was claimed for so long by another member; the task's id."""
    email, password = f"{uuid7().hex}@example.org", "fifteen letters at least, please"
    body = {"email": email, "name": "Pat Doe", "password": password}
    helper_id = (await _must(client, person, "/accounts", body))["account_id"]
    helper = await _sign_in(client, person._replace(email=email, password=password))
    assert helper is not None
    await _must(client, person, f"/projects/{person.project_id}/members/{helper_id}", {"role": "member"}, "PUT")
    task_id = (await _must(client, person, f"/projects/{person.project_id}/tasks", {"title": "leased"}))["id"]
    await _must(client, person, f"/tasks/{task_id}/request-help", {"reason": "It is high up"})
    of_helper = person._replace(token=helper["access_token"])
    await _must(client, of_helper, f"/tasks/{task_id}/claim-help", {"lease_s": seconds})
    return str(task_id)


async def _expires(url: str, task_id: str) -> bool:
    async def has_expired() -> bool:
        return _one(url, _EXPIRED, task_id) > 0

    return await until(has_expired, EXPIRED_WAIT_S)


async def _must(
    client: httpx.AsyncClient, person: Person, path: str, body: dict[str, Any], method: str = "POST"
) -> Any:
    headers = {"authorization": f"Bearer {person.token}"}
    response = await client.request(method, f"/api/v1{path}", json=body, headers=headers)
    if response.status_code >= 300:
        raise RuntimeError(f"{method} {path}: {response.status_code} {response.text}")
    return response.json()


async def _sign_in(client: httpx.AsyncClient, person: Person) -> dict[str, Any] | None:
    body = {"email": person.email, "password": person.password}
    response = await client.post("/api/v1/auth/sign-in", json=body)
    return response.json() if response.status_code == _OK else None


async def _status(client: httpx.AsyncClient, secret: str) -> int:
    return (await client.get("/api/v1/me", headers={"authorization": f"Bearer {secret}"})).status_code


def _one(url: str, query: str, *params: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode(), params or None).fetchone()
    assert row is not None
    return int(row[0])


def _verify(url: str, server: ServerProcess) -> int:
    """The exit code of ``hivesync verify`` with the key of a server."""
    program = "import sys; from adapters.cli.main import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["verify", "--database-url", url, "--data-dir", str(Path(server.environment["HIVESYNC_DATA_DIR"]))]
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, check=False).returncode
