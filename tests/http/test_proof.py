"""Checkpoint, key and proofs over HTTP prove the log to a client that trusts only the key."""

from __future__ import annotations

from base64 import b64decode

import pytest

from adapters.postgres.reader import COLUMNS
from adapters.postgres.recorder import stored_record
from hivesync_core.eventstore.records import canonical_text
from hivesync_core.proof.checkpoint import Checkpoint, open_checkpoint
from hivesync_core.proof.note import PublicKey
from hivesync_core.proof.proofs import is_consistent, is_included
from hivesync_core.proof.tree import leaf_hash
from tests.http.harness import RunningServer, problem
from tests.proof.store import tamper


async def checkpoint_of(server: RunningServer) -> Checkpoint:
    key = PublicKey.parse((await server.anyone.get("/api/v1/checkpoint/key")).text)
    answer = await server.anyone.get("/api/v1/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return open_checkpoint(answer.text, key).checkpoint


def decoded(path: list[str]) -> list[bytes]:
    return [b64decode(step) for step in path]


async def test_before_anything_is_signed_there_is_no_checkpoint(server: RunningServer) -> None:
    problem(await server.anyone.get("/api/v1/checkpoint"), 404, "proof.no_checkpoint_yet")
    assert (await server.anyone.get("/api/v1/checkpoint/key")).text.startswith("localhost/log+")


async def test_a_client_follows_the_log_from_checkpoint_to_checkpoint(server: RunningServer) -> None:
    grace = await server.person("Grace")
    project = await grace.project()
    await server.parts.proof.sign()
    first = await checkpoint_of(server)
    assert first.size == await server.events()
    await grace.task(project)
    await server.parts.proof.sign()
    second = await checkpoint_of(server)
    assert second.size > first.size
    proof = (await server.anyone.get(f"/api/v1/checkpoint/consistency?old_size={first.size}")).json()
    assert is_consistent(first.size, second.size, first.root, second.root, decoded(proof["path"]))
    assert (b64decode(proof["old_root"]), b64decode(proof["root"])) == (first.root, second.root)
    within = (await server.anyone.get(f"/api/v1/checkpoint/consistency?old_size=1&size={first.size}")).json()
    assert b64decode(within["root"]) == first.root


async def test_an_event_is_proven_to_be_in_the_log(server: RunningServer) -> None:
    grace = await server.person("Grace")
    await grace.project()
    await server.parts.proof.sign()
    newest = await checkpoint_of(server)
    for position in range(1, newest.size + 1):
        proof = (await grace.get(f"/checkpoint/inclusion?position={position}")).json()
        leaf, path = b64decode(proof["leaf_hash"]), decoded(proof["path"])
        assert is_included(leaf, position - 1, newest.size, path, newest.root)
        assert leaf == await leaf_in_the_log(server, position)


async def leaf_in_the_log(server: RunningServer, position: int) -> bytes:
    query = f"SELECT {COLUMNS} FROM eventlog.events WHERE notification_id = %s"
    record = stored_record((await server.parts.database.fetch_all(query, (position,)))[0])
    return leaf_hash(canonical_text(position, record, record.meta))


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/checkpoint/inclusion?position=10000", 422, "proof.sizes_contradict"),
        ("/checkpoint/inclusion?position=1&size=10000", 404, "proof.not_in_the_tree"),
        ("/checkpoint/inclusion?position=0", 400, "request.invalid"),
        ("/checkpoint/inclusion?position=x", 400, "request.invalid"),
        ("/checkpoint/inclusion?position=99999999999999999999", 400, "request.invalid"),
        ("/checkpoint/consistency?old_size=-1", 400, "request.invalid"),
        ("/checkpoint/consistency?old_size=10000", 422, "proof.sizes_contradict"),
        ("/checkpoint/consistency?old_size=1&size=10000", 404, "proof.not_in_the_tree"),
        ("/checkpoint/consistency", 400, "request.invalid"),
    ],
)
async def test_proofs_that_cannot_be(server: RunningServer, path: str, status: int, code: str) -> None:
    grace = await server.person("Grace")
    await server.parts.proof.sign()
    problem(await grace.get(path), status, code)


async def test_an_inclusion_proof_wants_a_token_that_may_read(server: RunningServer) -> None:
    writer = await server.person("Grace", scopes=["write"])
    problem(await server.anyone.get("/api/v1/checkpoint/inclusion?position=1"), 401, "auth.not_authenticated")
    problem(await writer.get("/checkpoint/inclusion?position=1"), 403, "auth.scope_missing")


async def test_the_metrics_tell_of_a_log_that_was_rewritten(server: RunningServer) -> None:
    await server.person("Grace")
    await server.parts.proof.sign()
    assert "hivesync_log_rewritten 0.0" in (await server.anyone.get("/metrics")).text
    tamper(
        server.parts.url,
        "UPDATE eventlog.events SET hash = sha256('') WHERE notification_id = %s",
        (await server.events(),),
    )
    await server.parts.proof.keep_signing()
    assert "hivesync_log_rewritten 1.0" in (await server.anyone.get("/metrics")).text
