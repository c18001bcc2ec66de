"""Submitted files, prompts' material and answers are looked for wherever an installation keeps anything (R6)."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import httpx
import psycopg

from tests.faults.report import Figure, Report, at_least, none_of
from tests.faults.reviewing import KEY, ReviewDoor
from tests.faults.searching import in_files, in_redis, in_tables, in_text
from tests.faults.servers import ServerProcess
from tests.faults.stage import Stage
from tests.observability.collector import Collector
from tests.servers.model import Behaviour, ModelServer, comment
from tests.servers.valkey import ValkeyServer

FILES = 12
FILES_SHORT = 3
WAIT_S = 60.0


async def run(seed: int, *, short: bool = False) -> Report:
    """Everything that can be done with a file, well and badly, at the finest log level; then everything is searched."""
    source_marker, word_marker = f"zs{secrets.token_hex(8)}", f"zw{secrets.token_hex(8)}"
    markers = [source_marker, word_marker, KEY]
    with ValkeyServer() as valkey, ModelServer() as model, Collector() as collector, Stage() as stage:
        person = await stage.person()
        server = stage.server(
            "server", OPENAI_API_KEY=KEY, REDIS_URL=valkey.url, HIVESYNC_LOG_LEVEL="debug", HIVESYNC_ACCESS_LOG="all",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, PYTHONFAULTHANDLER="1",
        )  # fmt: skip
        await asyncio.to_thread(server.wait_ready)
        model.writer = lambda lines: [
            comment(3, f"Why {word_marker} is so."),
            comment(3, f"type: ignore[{word_marker}]"),
        ]
        async with ReviewDoor(server.base_url, person) as door:
            await door.ask_model(model.url, timeout_s=2)
            reviews = [
                await door.submit(f"file{n}.py", _source(source_marker, n))
                for n in range(FILES_SHORT if short else FILES)
            ]
            shown = [await door.ended(review_id, WAIT_S) for review_id in reviews]
            reached = sum(word_marker in str(one["comments"]) for one in shown)
            answers = await _use(door, model, reviews, source_marker, word_marker)
            _break_a_blob(stage.url, reviews[-1])
            broken = await door.do(reviews[-1], "apply", {})
            told = await exported(door.client, ("jsonl", "csv", "txt"))
            metrics = (await door.client.get("/metrics")).text
            listed = (await door.client.get("/api/v1/history?limit=200")).text
            control = len(_searched(stage, valkey, ["Faults"]))
            before = _searched(stage, valkey, markers)
            before += [f"told: {hit}" for hit in in_text(told + metrics + listed + broken.text + answers, markers)]
            retention = await _drop_everything(door.client)
            gone = await door.client.get(f"/api/v1/reviews/{reviews[0]}/diff")
            with psycopg.connect(stage.url) as connection:
                left = connection.execute("SELECT count(*) FROM blobs.content WHERE kind <> 'prompt'").fetchone()
                keys = connection.execute("SELECT count(*) FROM blobs.keys").fetchone()
                prompts = connection.execute("SELECT count(*) FROM blobs.content").fetchone()
            after = _searched(stage, valkey, markers)
            certificate = await door.client.get(f"/api/v1/reviews/{reviews[0]}/certificate")
            crashed = await _crash(door, model, server, _source(source_marker, 0))
            after += in_files(stage.folder, markers)
            traced = b"".join(collector.bodies)
            after += [f"traces: {marker}" for marker in markers if marker.encode() in traced]
            logged = len(server.log())
    assert left is not None and keys is not None and prompts is not None
    return Report(
        [
            at_least("files documented, with their words shown to people", reached, len(reviews)),
            at_least("control: places where the project's name is found", control, 2),
            none_of("places with a line of a file, a word of an answer, or the key", len(before)),
            none_of("the same after retention and a crash in the middle of a job, traces too", len(after)),
            at_least("crash reports in the log", crashed, 1),
            at_least("spans in the traces", len(collector.spans), 1),
            at_least("blobs that retention dropped", sum(retention.values()), len(reviews)),
            none_of("sources and words left, their keys included", left[0] + keys[0] - prompts[0]),
            none_of("diffs that can still be had", int(gone.status_code != 404)),
            none_of("certificates that cannot be had any more", int(certificate.status_code != 200)),
        ],
        [Figure("bytes of traces that were searched", len(traced), ""), Figure("characters of logs that were searched", logged, "")],
        [f"found in {place}" for place in (*before, *after)],
    )  # fmt: skip


async def _use(door: ReviewDoor, model: ModelServer, reviews: list[UUID], source_marker: str, word_marker: str) -> str:
    """Decide, edit, apply, try in the playground, and have the provider fail; what errors said."""
    source = _source(source_marker, 1)
    for number, review_id in enumerate(reviews):
        (await door.do(review_id, "approve", {})).raise_for_status()
        edit = await door.do(review_id, "comments/0/edit", {"content": f"Other {word_marker} words."})
        edit.raise_for_status()
        (await door.client.get(f"/api/v1/reviews/{review_id}/diff")).raise_for_status()
        (await door.do(review_id, "apply", {"source": "\n" + _source(source_marker, number)})).raise_for_status()
    tried = await door.client.post("/admin/playground/test", json={"path": "tried.py", "source": source})
    tried.raise_for_status()
    told = ""
    for behaviour in (
        Behaviour(500),
        Behaviour(400),
        Behaviour(text=f"{word_marker} {source}"),
        Behaviour(junk=word_marker),
    ):
        model.next(*([behaviour] * 3))
        told += json.dumps((await door.ended(await door.submit("bad.py", source), WAIT_S))["message"])
    wrong = {"path": "bad.py", "source": source, "unheard_of": source}
    path = str((await door.client.get("/api/v1/projects")).json()["items"][0]["project_id"])
    told += (await door.client.post(f"/api/v1/projects/{path}/reviews", json=wrong)).text
    told += (await door.client.post(f"/api/v1/projects/{path}/reviews", content=source.encode())).text
    return told


async def _crash(door: ReviewDoor, model: ModelServer, server: ServerProcess, source: str) -> int:
    """End the server by a signal that has it write a report while a model answers; how many reports there are."""
    model.usual = Behaviour(pace_s=0.5)
    model.waiting.clear()
    await door.submit("crash.py", source)
    await asyncio.to_thread(model.waiting.wait, WAIT_S)
    os.kill(server.pid, signal.SIGABRT)
    async with asyncio.timeout(WAIT_S):
        while server.runs:
            await asyncio.sleep(0.05)
    return server.log().count("Fatal Python error: Aborted")


def _break_a_blob(url: str, review_id: UUID) -> None:
    """Spoil what is kept of one file, so that the server meets an error in the middle of its work."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE blobs.content SET sealed = sealed || '\\x00'::bytea WHERE encode(sha256, 'hex') IN (SELECT "
            "state::json->>'answer_sha256' FROM eventlog.events "
            "WHERE originator_id = %s AND topic = 'review.ready.v1')",
            (review_id,),
        )


async def exported(client: httpx.AsyncClient, formats: Iterable[str]) -> str:
    """Every event in these formats."""
    told = ""
    for format_ in formats:
        asked = await client.post("/api/v1/exports", json={"format": format_})
        asked.raise_for_status()
        export_id = asked.json()["export_id"]
        async with asyncio.timeout(WAIT_S):
            while (shown := (await client.get(f"/api/v1/exports/{export_id}")).json())["status"] != "completed":
                assert shown["status"] != "failed", shown
                await asyncio.sleep(0.1)
        told += (await client.get(f"/api/v1/exports/{export_id}/file")).text
    return told


async def _drop_everything(client: httpx.AsyncClient) -> dict[str, Any]:
    """Keep nothing from now on, and have it dropped."""
    (
        await client.patch("/admin/settings", json={"retention": {"source_days": 0, "comment_days": 0}})
    ).raise_for_status()
    answer = await client.post("/api/v1/admin/retention/run")
    answer.raise_for_status()
    dropped: dict[str, Any] = answer.json()
    return dropped


def _searched(stage: Stage, valkey: ValkeyServer, markers: list[str]) -> list[str]:
    """Tables, every file of database, log and data folder, and Redis."""
    with psycopg.connect(stage.url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    return in_tables(stage.url, markers) + in_files(stage.folder, markers) + in_redis(valkey.url, markers)


def _source(marker: str, number: int) -> str:
    return f"import os\n\ndef f{number}_{marker}(path):\n    return os.path.join(path, '{marker}')\n"
