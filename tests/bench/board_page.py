"""A page of 50 tasks of a project of 2,415 over HTTP at 64 connections, beside an empty handler of the same server."""

from __future__ import annotations

from tests.bench.api_server import ApiServer, api_server
from tests.bench.load import LoadResult, checked, request, run_load
from tests.bench.report import Figure, Report, Target
from tests.bench.server import own_server

CONNECTIONS = 64
PER_CONNECTION = 120
TASKS = 2_415
ROUNDS = 3
WANTED = 0.3


def run() -> Report:
    """Empty handler and pages in turn; the best of some rounds each."""
    with own_server() as url, api_server(url, TASKS) as server:
        rounds = [
            (_read(server, ["/bench/empty"] * 2), _read(server, [_page(server)]), _read(server, _many_pages(server)))
            for _ in range(ROUNDS)
        ]
    empty, ours, unshared = (max(results, key=lambda result: result.rate) for results in zip(*rounds, strict=True))
    return Report(
        figures=[
            Figure("empty handler", empty.rate, "requests/s"),
            Figure("GET of a board page of 50 tasks", ours.rate, "requests/s"),
            Figure("the same, of more pages than are kept", unshared.rate, "requests/s"),
            Figure("the same / empty handler", unshared.rate / empty.rate, "x"),
            Figure("GET of a board page, p50", ours.p50_ms, "ms"),
            Figure("GET of a board page, p99", ours.p99_ms, "ms"),
        ],
        targets=[Target("board page / empty handler", ours.rate / empty.rate, WANTED)],
        notes=[f"{CONNECTIONS} connections from another process; {TASKS:,} tasks in the project; best of {ROUNDS}"],
    )


def _page(server: ApiServer) -> str:
    return f"/api/v1/projects/{server.project_id}/tasks?limit=50"


def _many_pages(server: ApiServer) -> list[str]:
    """Pages of 50 tasks on average, more than the server keeps answers for: each is read from the database."""
    return [
        f"/api/v1/projects/{server.project_id}/tasks?limit={limit}&sort={sort}"
        for limit in range(10, 91)
        for sort in ("updated", "-updated", "created", "-created")
    ]


def _read(server: ApiServer, paths: list[str]) -> LoadResult:
    load = [request("GET", path, token=server.token) for path in paths]
    count = PER_CONNECTION * (2 if len(paths) == 2 else 1)
    shifts = range(0, CONNECTIONS * 5, 5)
    return checked(run_load(server.port, [[load[(at + shift) % len(load)] for at in range(count)] for shift in shifts]))
