"""Somebody works, is erased, and is looked for byte by byte: in the whole database, in exports, files and logs."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg

from adapters.ids import uuid7
from adapters.postgres.embedded.account import account_for_postgres
from adapters.postgres.embedded.binaries import find_binaries
from tests.faults.audit import audit_log, audit_projections, read_log, wait_until_projected
from tests.faults.kills import until
from tests.faults.report import Claim, Figure, Report, at_least, none_of
from tests.faults.servers import ServerProcess
from tests.faults.stage import Person, Stage

FORMATS = ("csv", "txt", "jsonl")
EXPORT_WAIT_S = 60.0
ERASED_WAIT_S = 10.0
_KNOWN_WORDS = 3
"""The address, the name and the token's name stand there; the former name does not any more, the password never did."""

_LEFT_BEHIND = "SELECT count(*) FROM identity.accounts WHERE account_id = %s"


class Somebody(NamedTuple):
    """A person whose every datum is a word that stands nowhere else."""

    name: str
    email: str
    new_name: str
    password: str
    token_name: str

    @property
    def words(self) -> tuple[bytes, ...]:
        """What must not be found, in lower case."""
        return tuple(word.lower().encode() for word in self)


class Exported(NamedTuple):
    """An export that was downloaded: the file, with manifest and proof beside it."""

    path: Path
    exit_code: int
    text: str


async def run(seed: int, *, short: bool = False) -> Report:
    """A person with a past is erased; the proofs of before and after hold, and the person is nowhere."""
    somebody = _somebody(random.Random(seed))
    with Stage() as stage:
        admin = await stage.person()
        server = stage.server("server", HIVESYNC_ACCESS_LOG="all", HIVESYNC_LOG_LEVEL="debug")
        await asyncio.to_thread(server.wait_ready)
        async with httpx.AsyncClient(base_url=f"{server.base_url}/api/v1", timeout=15, trust_env=False) as client:
            account_id, secrets = await _live(client, admin, somebody)
            hidden = (*somebody.words, *(secret.lower().encode() for secret in secrets))
            known_before = _found(_dump(stage, "identity"), hidden)
            in_log_before = _found(_dump(stage, "eventlog", "readmodel", "ops", "proof"), hidden)
            formats = FORMATS[:1] if short else FORMATS
            before = [await _export(client, admin, stage, server, kind) for kind in formats]
            await _must(client, admin, "DELETE", f"/accounts/{account_id}")
            await _must(client, admin, "POST", f"/projects/{admin.project_id}/tasks", {"title": "Life goes on"})
            await wait_until_projected(stage.url)
            after = [await _export(client, admin, stage, server, kind) for kind in formats]
            refused = [(await client.get("/me", headers=_bearer(secret))).status_code for secret in secrets]
            await until(lambda: _is_gone(stage.url, account_id), ERASED_WAIT_S)
        records = read_log(stage.url)
        log, projected = audit_log(records), await audit_projections(stage.url, records)
        store = await asyncio.to_thread(_verify, server, "--database-url", stage.url)
        again = [await asyncio.to_thread(_verify, server, str(one.path)) for one in before]
        server.stop()
        left = _found(_dump(stage), hidden)
        files = {
            path: _found(path.read_bytes(), hidden) for path in sorted(stage.folder.rglob("*")) if _is_ours(path, stage)
        }
        rows = _one(stage.url, _LEFT_BEHIND, account_id)
    shown = f"erased-{account_id}"
    return Report(
        [
            at_least("data of the person found in the accounts before (the search can find)", len(known_before), _KNOWN_WORDS),
            none_of("data of the person found in log, read models and proofs before", len(in_log_before)),
            none_of("rows of the person left", rows),
            none_of("tokens of the person that still work", sum(status != 401 for status in refused)),
            none_of("data of the person found in the whole database after", len(left)),
            none_of("files of the server (logs, exports, history.jsonl) that hold any", sum(map(bool, files.values()))),
            at_least("files searched", len(files), 8),
            none_of("exports that do not show the erased account as such", sum(shown not in one.text for one in after)),
            none_of("exports of before that showed it so already", sum(shown in one.text for one in before)),
            none_of("exports that do not verify", sum(one.exit_code for one in (*before, *after))),
            none_of("exports of before that do not verify after", sum(again)),
            Claim("verify the store against what was signed", store, 0, 0),
            none_of("links of the chain that do not follow, and gaps", log.chain_errors + log.gaps),
            none_of("rows that differ from a replay from zero", projected.differing_rows),
        ],
        [Figure("words looked for", len(hidden), ""), Figure("events", log.events, "")],
        [
            "What PostgreSQL keeps of a deleted row until it is vacuumed, and in old files of its write-ahead log, is not "
            "searched: that is the operator's storage, as a backup is.",
            *(f"{path.name} holds {words}" for path, words in files.items() if words),
        ],
    )  # fmt: skip


def _somebody(chance: random.Random) -> Somebody:
    def word() -> str:
        return "".join(chance.choices("bcdfghjklmnpqrstvwxz", k=12))

    return Somebody(word(), f"{word()}@{word()}.example", word(), f"{word()} {word()}", word())


async def _live(client: httpx.AsyncClient, admin: Person, somebody: Somebody) -> tuple[str, list[str]]:
    """A past with everything in it that could leave traces; the account's id, and its secrets."""
    invited = await _must(client, admin, "POST", "/invitations", {"email": somebody.email})
    accepting = {
        "token": invited["token"],
        "name": somebody.name,
        "password": somebody.password,
        "email": somebody.email,
    }
    account_id = (await client.post("/invitations/accept", json=accepting)).json()["account_id"]
    await client.post("/auth/sign-in", json={"email": somebody.email, "password": f"not {somebody.password}"})
    signing_in = {"email": somebody.email, "password": somebody.password}
    session = (await client.post("/auth/sign-in", json=signing_in)).json()
    own = admin._replace(token=session["access_token"])
    await _must(client, own, "PATCH", "/me", {"name": somebody.new_name})
    personal = await _must(client, own, "POST", "/tokens", {"name": somebody.token_name, "scopes": ["read"]})
    await _must(client, admin, "PUT", f"/projects/{admin.project_id}/members/{account_id}", {"role": "member"})
    made = await _must(client, own, "POST", f"/projects/{admin.project_id}/tasks", {"title": "Mend the roof"})
    await _must(client, own, "POST", f"/tasks/{made['id']}/comments", {"text": "It leaks"})
    await _must(client, own, "POST", f"/tasks/{made['id']}/complete")
    # What goes wrong is what gets logged.
    for path in (f"/people?ids={somebody.email}", f"/accounts?search={somebody.new_name}", f"/{somebody.email}"):
        await client.get(path, headers=_bearer(own.token))
    await client.post("/accounts", json={"email": somebody.email, "name": 7}, headers=_bearer(admin.token))
    body = {"email": somebody.email, "name": somebody.name, "password": somebody.password}
    await client.post("/accounts", json=body, headers=_bearer(admin.token))
    await client.post("/auth/sign-in", content=f'{{"email": "{somebody.email}", broken')
    return account_id, [session["access_token"], session["refresh_token"], personal["token"]]


async def _export(client: httpx.AsyncClient, admin: Person, stage: Stage, server: ServerProcess, kind: str) -> Exported:
    """Ask for the whole history, fetch it with all that belongs to it, and verify it."""
    export_id = (await _must(client, admin, "POST", "/exports", {"format": kind}))["export_id"]

    async def is_written() -> bool:
        shown = await client.get(f"/exports/{export_id}", headers=_bearer(admin.token))
        return bool(shown.json().get("status") == "completed")

    if not await until(is_written, EXPORT_WAIT_S):
        raise RuntimeError(
            f"the export as {kind} was not written within {EXPORT_WAIT_S:.0f} s:\n{server.log()[-2000:]}"
        )
    path = stage.folder / f"fetched-{uuid7().hex}.{kind}"
    for what, suffix in (("file", ""), ("manifest", ".manifest.json"), ("proof", ".proof")):
        answer = await client.get(f"/exports/{export_id}/{what}", headers=_bearer(admin.token))
        answer.raise_for_status()
        path.with_name(path.name + suffix).write_bytes(answer.content)
    return Exported(path, await asyncio.to_thread(_verify, server, str(path)), path.read_text(encoding="utf-8"))


async def _must(
    client: httpx.AsyncClient, who: Person, method: str, path: str, body: dict[str, Any] | None = None
) -> Any:
    response = await client.request(method, path, json=body, headers=_bearer(who.token))
    if response.status_code >= 300:
        raise RuntimeError(f"{method} {path}: {response.status_code} {response.text}")
    return response.json() if response.content else None


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def _is_gone(url: str, account_id: str) -> bool:
    return _one(url, _LEFT_BEHIND, account_id) == 0


def _one(url: str, query: str, account_id: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode(), (account_id,)).fetchone()
    assert row is not None
    return int(row[0])


def _dump(stage: Stage, *schemas: str) -> bytes:
    """Everything in the database, or in some of its schemas, as text."""
    command = [
        str(find_binaries(account_for_postgres()) / "pg_dump"),
        *(f"--schema={name}" for name in schemas),
        stage.url,
    ]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _found(data: bytes, words: Sequence[bytes]) -> list[str]:
    lowered = data.lower()
    return [word.decode() for word in words if word in lowered]


def _is_ours(path: Path, stage: Stage) -> bool:
    """Files of the server and what was fetched from it, not those of PostgreSQL itself."""
    return path.is_file() and not path.is_relative_to(stage.postgres.data_dir)


def _verify(server: ServerProcess, *arguments: str) -> int:
    """The exit code of ``hivesync verify``."""
    program = "import sys; from adapters.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [
        sys.executable,
        "-c",
        program,
        "verify",
        "--quiet",
        "--data-dir",
        server.environment["HIVESYNC_DATA_DIR"],
    ]
    return subprocess.run([*command, *arguments], capture_output=True, check=False).returncode
