"""A request gives one connected trace, with no secret and no text in it, and a collector that is away harms nobody."""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.trace.sampling import Decision
from structlog.testing import capture_logs

from adapters.ids import uuid7
from adapters.observability import traces
from adapters.observability.traces import STOP_WAIT_S, sampler
from projections.registry import READ_MODELS
from tests.http.harness import PASSWORD, PATIENCE_S, Person, RunningServer, running
from tests.observability.collector import Collector, attributes_of
from tests.servers.patience import loop_time

ROOT = Path(__file__).parents[2]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
TOPICS = "hivesync.topics"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


async def settled(server: RunningServer) -> None:
    """Return when everything that follows the log has seen all of it."""
    head = await server.events()
    async with asyncio.timeout(PATIENCE_S):
        while server.parts.gateway.hub.position < head or any(
            server.parts.positions.reached(model.name) < head for model in READ_MODELS
        ):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.02)  # The spans end after the positions were told.


def making(spans: list[Span], topic: str = "task.created.v1") -> Span:
    """The span of the command that led to this event."""
    (found,) = [span for span in spans if topic in attributes_of(span).get(TOPICS, ())]
    return found


def trace_of(spans: list[Span], trace_id: str) -> list[Span]:
    return [span for span in spans if span.trace_id.hex() == trace_id]


async def test_a_request_gives_one_connected_trace_within_the_callers(postgres_url: str, collector: Collector) -> None:
    async with running(postgres_url, otlp_endpoint=collector.url, service_name="garden") as server:
        ann = await server.person("ann")
        project = await ann.project()
        # So that no batch holds events of both commands: it would belong to the trace of the first.
        await settled(server)
        answer = await ann.post(f"/projects/{project}/tasks", {"title": "Dig"}, traceparent=f"00-{TRACE}-{CALLER}-01")
        assert answer.status_code == 201
        assert answer.headers["x-request-id"] == str(UUID(TRACE))
        await settled(server)
    spans = trace_of(collector.spans, TRACE)
    by_name = {span.name: span for span in spans}
    request = by_name["POST /api/v1/projects/{project_id}/tasks"]
    command = by_name["task CreateTask"]
    later = {"commit", "push to sockets", *(f"project {model.name}" for model in READ_MODELS)}
    assert set(by_name) == {request.name, command.name, *later}
    assert request.parent_span_id.hex() == CALLER
    assert command.parent_span_id == request.span_id
    assert {by_name[name].parent_span_id for name in later} == {command.span_id}
    assert request.kind == Span.SPAN_KIND_SERVER
    told = attributes_of(request)
    assert (told["http.request.method"], told["http.response.status_code"]) == ("POST", 201)
    assert told["http.route"] == "/api/v1/projects/{project_id}/tasks"
    told = attributes_of(command)
    assert told["hivesync.decider"] == ["task"]
    assert told["hivesync.stream_id"] == [answer.json()["id"]]
    assert told[TOPICS] == ["task.created.v1"]
    assert attributes_of(by_name["commit"])["hivesync.commands"] == 1
    assert attributes_of(by_name["project board"])["hivesync.last_position"] == told["hivesync.position"]
    assert {attributes_of(span)["hivesync.correlation_id"] for span in spans} == {str(UUID(TRACE))}
    assert collector.services == {"garden"}
    assert set(collector.paths) == {"/v1/traces"}


async def test_an_events_history_entry_is_found_from_its_trace_and_back(
    postgres_url: str, collector: Collector
) -> None:
    async with running(postgres_url, otlp_traces_endpoint=f"{collector.url}/of/ours") as server:
        ann = await server.person("ann")
        task = await ann.task(await ann.project())
        (entry,) = (
            await ann.get("/history", params={"stream_id": str(task), "min_position": await server.events()})
        ).json()["items"]
        await settled(server)
    trace_id = entry["correlation_id"].replace("-", "")
    spans = trace_of(collector.spans, trace_id)
    assert making(spans) in spans
    assert attributes_of(making(spans))["hivesync.command_id"] == entry["command_id"]
    roots = [span.name for span in spans if not span.parent_span_id]
    assert roots == ["POST /api/v1/projects/{project_id}/tasks"]
    assert set(collector.paths) == {"/of/ours"}


async def test_commands_that_are_stored_together_link_their_transaction_to_each(
    postgres_url: str, collector: Collector
) -> None:
    async with running(postgres_url, otlp_endpoint=collector.url) as server:
        ann = await server.person("ann")
        project = await ann.project()
        await asyncio.gather(*(ann.task(project, f"Task {number}") for number in range(24)))
        await settled(server)
    spans = collector.spans
    commands = {span.span_id for span in spans if span.name == "task CreateTask"}
    assert len(commands) == 24
    for name in ("commit", "project board"):
        batches = [span for span in spans if span.name == name]
        reached = [span.parent_span_id for span in batches] + [link.span_id for span in batches for link in span.links]
        assert commands <= set(reached)
        assert len(reached) == len(set(reached))
    assert max(attributes_of(span).get("hivesync.commands", 0) for span in spans) > 1


async def test_no_password_token_query_or_text_is_in_a_trace(postgres_url: str, collector: Collector) -> None:
    key = "k3y-of-the-collector"
    async with running(postgres_url, otlp_endpoint=collector.url, otlp_headers=f"x-key={key}") as server:
        ann = await server.person("ann")
        project = await ann.project("Rosebud", description="sledge")
        task = await ann.task(project, "Paint the heron", description="turquoise")
        await ann.post(f"/tasks/{task}/comments", {"text": "marmalade"})
        await ann.post(f"/tasks/{task}/request-help", {"reason": "wheelbarrow"})
        await ann.post(f"/tasks/{task}/nowhere", {"reason": "cartwheel"})
        await ann.get(f"/projects/{project}/tasks", params={"text": "heronry", "token": "pancake"})
        email = (await ann.get("/me")).json()["email"]
        pair = (await server.anyone.post("/api/v1/auth/sign-in", json={"email": email, "password": PASSWORD})).json()
        await server.anyone.post("/api/v1/auth/sign-in", json={"email": email, "password": "wrong harmonica"})
        await server.anyone.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})
        await server.anyone.get("/set-up/pomegranate", params={"code": "persimmon"})
        await settled(server)
        secrets = [
            ann.client.headers["authorization"].removeprefix("Bearer "),
            pair["access_token"], pair["refresh_token"], email, PASSWORD, key,
            "harmonica", "Rosebud", "sledge", "heron", "turquoise", "marmalade", "wheelbarrow", "cartwheel",
            "pancake", "pomegranate", "persimmon",
        ]  # fmt: skip
    sent = b"".join(collector.bodies)
    assert making(collector.spans)
    assert [secret for secret in secrets if secret.encode() in sent] == []
    assert {headers["x-key"] for headers in collector.headers} == {key}


async def test_a_refusal_is_named_by_its_code_and_is_no_error(postgres_url: str, collector: Collector) -> None:
    async with running(postgres_url, otlp_endpoint=collector.url) as server:
        ann = await server.person("ann")
        task = await ann.task(await ann.project())
        answer = await ann.post(f"/tasks/{task}/approve", {}, if_match='"1"')
        assert answer.status_code == 409
    (refused,) = [span for span in collector.spans if "hivesync.refusal" in attributes_of(span)]
    assert attributes_of(refused)["hivesync.refusal"] == answer.json()["type"].removeprefix("/problems/")
    assert refused.status.code == Status.STATUS_CODE_UNSET


async def make_tasks(server: RunningServer, count: int) -> float:
    """The seconds of this loop that the slowest of some requests took."""
    ann: Person = await server.person("ann")
    project = await ann.project()
    slowest = 0.0
    for number in range(count):
        async with loop_time() as waited:
            await ann.task(project, f"Task {number}")
        slowest = max(slowest, waited.seconds)
    return slowest


@pytest.fixture
def export_threads(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The threads in which spans are sent."""
    threads: set[int] = set()
    export = traces.OTLPSpanExporter.export

    def noted(exporter: traces.OTLPSpanExporter, spans: Sequence[Any]) -> Any:
        threads.add(threading.get_ident())
        return export(exporter, spans)

    monkeypatch.setattr(traces.OTLPSpanExporter, "export", noted)
    return threads


def nobody_listens() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


async def test_a_collector_that_is_away_slows_and_fails_no_request_and_is_told_once(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, export_threads: set[int]
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    with capture_logs() as logs:
        async with running(postgres_url, otlp_endpoint=nobody_listens()) as server:
            assert await make_tasks(server, 30) < 2
            async with asyncio.timeout(PATIENCE_S):
                while server.parts.tracing.figures()["lost"] < 8:
                    await asyncio.sleep(0.01)
            metrics = (await server.anyone.get("/metrics")).text
            assert 'hivesync_trace_spans_total{name="lost"}' in metrics
    assert [line["log_level"] for line in logs if line["event"] == "traces_cannot_be_sent"] == ["warning"]
    assert export_threads and threading.get_ident() not in export_threads


async def test_a_collector_that_never_answers_does_not_hold_up_a_request_or_the_stop(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, export_threads: set[int]
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    with Collector(answers=False) as silent:
        async with running(postgres_url, otlp_endpoint=silent.url) as server:
            assert await make_tasks(server, 30) < 2
            async with loop_time() as waited:
                await server.parts.tracing.stop()
            assert waited.seconds < STOP_WAIT_S + 1
            assert export_threads and threading.get_ident() not in export_threads


async def test_a_caller_that_does_not_trace_is_not_traced(postgres_url: str, collector: Collector) -> None:
    async with running(postgres_url, otlp_endpoint=collector.url) as server:
        ann = await server.person("ann")
        project = await ann.project()
        await ann.post(f"/projects/{project}/tasks", {"title": "Dig"}, traceparent=f"00-{TRACE}-{CALLER}-00")
        await settled(server)
    assert collector.spans
    assert trace_of(collector.spans, TRACE) == []


async def test_a_sampler_that_is_off_sends_nothing(postgres_url: str, collector: Collector) -> None:
    async with running(postgres_url, otlp_endpoint=collector.url, traces_sampler="always_off") as server:
        await make_tasks(server, 3)
        await settled(server)
    assert collector.bodies == []


@pytest.mark.parametrize("made", [lambda: uuid7().int, lambda: random.getrandbits(128)], ids=["ours", "callers"])
def test_a_ratio_takes_its_part_of_our_ids_and_of_others(made: Any) -> None:
    quarter = sampler("parentbased_traceidratio", 0.25)
    taken = [quarter.should_sample(None, made(), "x").decision is Decision.RECORD_AND_SAMPLE for _ in range(4_000)]
    assert 800 < sum(taken) < 1_200


@pytest.mark.parametrize(
    "parent",
    ["", "00", f"ff-{TRACE}-{CALLER}-01", f"00-{'0' * 32}-{CALLER}-01", f"00-{TRACE}-{'0' * 16}-01", "x" * 5_000],
)
async def test_a_traceparent_that_is_none_is_passed_over(server: RunningServer, parent: str) -> None:
    answer = await server.anyone.get("/api/v1/me", headers={"traceparent": parent})
    assert answer.status_code == 401
    assert UUID(answer.headers["x-request-id"]) not in (UUID(TRACE), UUID(int=0))


async def test_the_callers_trace_is_the_request_id_where_nothing_is_traced_too(server: RunningServer) -> None:
    parent = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
    assert (await server.anyone.get("/health", headers=parent)).headers["x-request-id"] == str(UUID(TRACE))
    both = {**parent, "x-request-id": "mine"}
    assert (await server.anyone.get("/health", headers=both)).headers["x-request-id"] == "mine"


def test_a_server_without_a_collector_does_not_load_the_sdk(tmp_path: Path) -> None:
    program = (
        "import sys; from adapters.main import build; from shared.settings import Settings; "
        "build(Settings(database_url='postgresql://nobody@127.0.0.1:1/x', data_dir=sys.argv[1])); "
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk.trace', 'opentelemetry.exporter'))])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "[]", ran.stderr
