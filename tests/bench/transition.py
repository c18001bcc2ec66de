"""A durable task transition over HTTP at 64 connections, beside an empty handler of the same server."""

from __future__ import annotations

from tests.bench.api_server import ApiServer, api_server
from tests.bench.breakdown import spent
from tests.bench.load import LoadResult, checked, request, run_load
from tests.bench.report import Figure, Report, Target
from tests.bench.server import own_server

CONNECTIONS = 64
PER_CONNECTION = 120
ROUNDS = 3
WANTED = 0.25
REQUESTS = CONNECTIONS * PER_CONNECTION

_COMMANDS = (("request-help", b'{"reason":"I am stuck"}'), ("withdraw-help", b""))
"""A pair that brings a task back to where it was, so that it can be repeated for ever."""


def run() -> Report:
    """Empty handler and transitions in turn; the best of some rounds each. Then once more each, to see what they cost."""
    with own_server() as url, api_server(url, CONNECTIONS) as server:
        rounds = [(_empty(server), _transitions(server)) for _ in range(ROUNDS)]
        costs = _costs(url, server)
    empty = max((empty for empty, _ in rounds), key=lambda result: result.rate)
    ours = max((ours for _, ours in rounds), key=lambda result: result.rate)
    return Report(
        figures=[
            Figure("empty handler", empty.rate, "requests/s"),
            Figure("POST of a transition, durable", ours.rate, "requests/s"),
            Figure("POST of a transition, p50", ours.p50_ms, "ms"),
            Figure("POST of a transition, p99", ours.p99_ms, "ms"),
            *costs,
        ],
        targets=[Target("transition / empty handler", ours.rate / empty.rate, WANTED)],
        notes=[
            f"{CONNECTIONS} connections from another process; each answer means a commit; best of {ROUNDS} rounds;",
            "processor time is of rounds of their own; the server's is divided by looking what it is at",
        ],
    )


def _costs(url: str, server: ApiServer) -> list[Figure]:
    """Processor time a request, and what of it goes where."""
    started = spent(url, server.pid)
    _empty(server)
    emptied = spent(url, server.pid)
    _transitions(server)
    ours = spent(url, server.pid).since(emptied)
    with server.sampled() as shares:
        _transitions(server)
    empty_us = emptied.since(started).server_s / (REQUESTS * 2) * 1e6
    ours_us = ours.server_s / REQUESTS * 1e6
    return [
        Figure("processor time of the server, empty handler", empty_us, "us"),
        Figure("processor time of the server, transition", ours_us, "us"),
        *(Figure(f"    {part}", share * ours_us, "us") for part, share in shares.items()),
        Figure("processor time of PostgreSQL, transition", sum(ours.backends_s.values()) / REQUESTS * 1e6, "us"),
        *(Figure(f"    {part}", used / REQUESTS * 1e6, "us") for part, used in ours.backends_s.items()),
    ]


def _empty(server: ApiServer) -> LoadResult:
    one = request("POST", "/bench/empty", token=server.token)
    return checked(run_load(server.port, [[one] * PER_CONNECTION * 2] * CONNECTIONS))


def _transitions(server: ApiServer) -> LoadResult:
    load = []
    for task_id in server.task_ids:
        pair = [
            request("POST", f"/api/v1/tasks/{task_id}/{name}", token=server.token, body=body)
            for name, body in _COMMANDS
        ]
        load.append(pair * (PER_CONNECTION // 2))
    return checked(run_load(server.port, load))
