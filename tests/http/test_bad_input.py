"""Whatever a client sends to whatever route: a problem that says so, never a failure, and nothing is stored."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from adapters.http import guarded, plain_query, request
from adapters.http.failures import BodyMalformed
from adapters.http.limits import JSON_BODY_BYTES_MAX
from adapters.http.request import decode_json
from tests.http.harness import PATIENCE_S, Person, RunningServer

JSON = "application/json"
TEN_MEGABYTES = 10_000_000
DEEP = 100_000

CANDIDATES = (
    str(uuid4()),
    "2027-01-31",
    "task.created.v1",
    "task",
    "1",
    "https://example.org/x",
    "ada@example.org",
    "+49123",
    "en",
)
"""Texts of which one fits each pattern of the API."""


class Route(NamedTuple):
    """An operation of the API's own description, with ids in its path that exist where they can."""

    method: str
    path: str
    body: dict[str, Any] | None
    parameters: list[dict[str, Any]]


class World(NamedTuple):
    """A server, somebody who may do everything on it, and what its description says."""

    server: RunningServer
    ada: Person
    described: dict[str, Any]
    routes: list[Route]

    @property
    def with_body(self) -> list[Route]:
        """The routes that take a JSON object; a file of JSON, as imports take it, is another matter."""
        return [
            route for route in self.routes if route.body is not None and "properties" in _resolved(self, route.body)
        ]

    async def send(self, route: Route, content: bytes, media_type: str = JSON, **options: Any) -> httpx.Response:
        """Send exactly these bytes."""
        headers = {"content-type": media_type, "if-match": '"1"', **options.pop("headers", {})}
        return await self.ada.client.request(route.method, route.path, content=content, headers=headers, **options)


@pytest.fixture
async def world(server: RunningServer) -> World:
    """A project with a task, and every route of the server."""
    ada = await server.person("Ada", is_admin=True)
    project_id = await ada.project()
    ids = {"project_id": project_id, "task_id": await ada.task(project_id), "account_id": ada.account_id}
    described = (await server.anyone.get("/api/v1/openapi.json")).json()
    return World(server, ada, described, list(_routes(described, {name: str(one) for name, one in ids.items()})))


def _routes(described: dict[str, Any], ids: dict[str, str]) -> Iterator[Route]:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    whatever = "1" if parameter["schema"].get("type") == "integer" else str(uuid4())
                    path = path.replace(f"{{{parameter['name']}}}", ids.get(parameter["name"], whatever))
            body = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
            yield Route(method.upper(), path, body, operation.get("parameters", []))


def _assert_problem(route: Route, answer: httpx.Response, *statuses: int) -> None:
    where = f"{route.method} {route.path}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code in statuses, where
    assert answer.headers["content-type"] == "application/problem+json", where
    assert answer.json()["type"].startswith("/problems/"), where


async def test_there_are_routes_to_test(world: World) -> None:
    assert len(world.with_body) > 20


async def test_json_that_is_no_json_is_refused_on_every_route(world: World) -> None:
    before = await world.server.events()
    for route in world.with_body:
        for content in (b"{", b"{'a': 1}", b'{"a": 1} and more', b"\x00", b"nul", b'{"a": NaN}'):
            _assert_problem(route, await world.send(route, content), 400)
    assert await world.server.events() == before


async def test_a_hundred_thousand_levels_are_refused_on_every_route(world: World) -> None:
    before = await world.server.events()
    for route in world.with_body:
        name = _some_field(world, route)
        deep = (b"[" * DEEP, b'{"a":' * DEEP, b'{"%s":' % name + b"[" * DEEP, b'{"%s":' % name + b'{"a":' * DEEP)
        for content in deep:
            _assert_problem(route, await world.send(route, content), 400)
        closed = b'{"%s":' % name + b"[" * DEEP + b"]" * DEEP + b"}"
        _assert_problem(route, await world.send(route, closed), 400)
    assert await world.server.events() == before


def test_json_of_which_nothing_is_known_is_refused_when_it_is_too_deep() -> None:
    for deep in (b"[" * DEEP, b'{"a":' * DEEP, b"[" * DEEP + b"]" * DEEP):
        with pytest.raises(BodyMalformed):
            decode_json(deep, Any)


async def test_broken_utf_8_is_refused_on_every_route(world: World) -> None:
    before = await world.server.events()
    for route in world.with_body:
        name = _some_field(world, route)
        for text in (b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\\ud800", b"abc\xe2\x82"):
            _assert_problem(route, await world.send(route, b'{"%s":"%s"}' % (name, text)), 400, 422)
    assert await world.server.events() == before


async def test_a_nul_in_any_text_is_refused_on_every_route(world: World) -> None:
    before = await world.server.events()
    tried = 0
    for route in world.with_body:
        valid = _example(world, route)
        for name, value in valid.items():
            if isinstance(value, str):
                tried += 1
                for text in ("\0", f"{value}\0", "a\0b"):
                    answer = await world.send(route, json.dumps({**valid, name: text}).encode())
                    _assert_problem(route, answer, 400, 401, 403, 404, 409, 412, 422)
    assert tried > 20
    assert await world.server.events() == before


async def test_an_unknown_field_is_refused_on_every_route(world: World) -> None:
    before = await world.server.events()
    for route in world.with_body:
        content = json.dumps({**_example(world, route), "unheard_of": 1}).encode()
        answer = await world.send(route, content)
        _assert_problem(route, answer, 400)
        assert "unheard_of" in answer.text
    assert await world.server.events() == before


async def test_a_field_of_the_wrong_type_is_refused_on_every_route(world: World) -> None:
    before = await world.server.events()
    for route in world.with_body:
        valid = _example(world, route)
        for name in valid:
            answer = await world.send(route, json.dumps({**valid, name: {"wrong": ["type"]}}).encode())
            _assert_problem(route, answer, 400)
            assert name in answer.json()["errors"][0]["field"]
        for content in (b"null", b"[]", b"5", b'"text"', b"true"):
            if content == b"null" and "null" in json.dumps(route.body):
                continue
            _assert_problem(route, await world.send(route, content), 400)
    assert await world.server.events() == before


async def test_a_missing_field_is_refused_on_every_route(world: World) -> None:
    before = await world.server.events()
    tried = 0
    for route in world.with_body:
        valid = _example(world, route)
        for name in _resolved(world, route.body).get("required", ()):
            tried += 1
            rest = {key: value for key, value in valid.items() if key != name}
            _assert_problem(route, await world.send(route, json.dumps(rest).encode()), 400)
    assert tried > 10
    assert await world.server.events() == before


async def test_ten_megabytes_are_refused_on_every_route(world: World) -> None:
    before = await world.server.events()
    large = b'{"title":"' + b"x" * TEN_MEGABYTES + b'"}'
    for route in world.with_body:
        _assert_problem(route, await world.send(route, large), 413)
    assert await world.server.events() == before


async def test_ten_megabytes_without_an_announced_length_are_refused(world: World) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * (TEN_MEGABYTES // 100)

    for route in world.with_body[:3]:
        answer = await world.ada.client.request(
            route.method, route.path, content=endless(), headers={"content-type": JSON, "if-match": '"1"'}
        )
        _assert_problem(route, answer, 413)


async def test_the_largest_body_that_is_allowed_is_read(world: World) -> None:
    project_id = await world.ada.project()
    spaces = b" " * (JSON_BODY_BYTES_MAX - len(b'{"title":"Large"}'))
    answer = await world.ada.client.post(
        f"/api/v1/projects/{project_id}/tasks", content=b'{"title":"Large"}' + spaces, headers={"content-type": JSON}
    )
    assert answer.status_code == 201
    route = Route("POST", f"/api/v1/projects/{project_id}/tasks", {}, [])
    _assert_problem(route, await world.send(route, b'{"title":"Large"}' + spaces + b" "), 413)


async def test_another_media_type_is_refused_on_every_route(world: World) -> None:
    for route in world.with_body:
        for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            content = json.dumps(_example(world, route)).encode()
            _assert_problem(route, await world.send(route, content, media_type), 415)


async def test_a_query_that_makes_no_sense_is_refused_on_every_route(world: World) -> None:
    before = await world.server.events()
    tried = 0
    for route in world.routes:
        for parameter in route.parameters:
            if parameter["in"] != "query":
                continue
            tried += 1
            for value in ("\0", "\udcff", "%00", "-1", "x" * 5_000, "9" * 30, "[" * 2_000):
                raw = httpx.QueryParams({parameter["name"]: value}) if value != "\udcff" else f"{parameter['name']}=%ff"
                answer = await world.ada.client.request(route.method, route.path, params=raw)
                assert answer.status_code < 500, f"{route.path} {parameter['name']}={value!r:.40}: {answer.text[:300]}"
                if answer.status_code >= 400:
                    assert answer.headers["content-type"] == "application/problem+json"
    assert tried > 20
    assert await world.server.events() == before


NONSENSE = (
    "limit=0",
    "limit=201",
    "limit=ten",
    "cursor=forged",
    "cursor=WzFd",
    "cursor=WyJcdTAwMDAiLCIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDAiLCItdXBkYXRlZCJd",
    "state=dancing",
    "assignee=me",
    "sort=colour",
    "q=a%00b",
    "label=%00",
    "as_of=yesterday",
    "as_of=9999999999999999999",
    "as_of=99999999",
    "as_of=2999-01-01T00:00:00Z",
    "as_of=0001-01-01T00:00:00%2B14:00",
    "as_of=2026-13-45T99:00:00Z",
    "limit=null",
    "limit=10&limit=20",
    "as_of=1&as_of=2",
    "min_position=null",
    "min_position=-1",
    "min_position=9223372036854775807",
    "min_position=99999999999999999999",
)


async def test_a_board_is_not_asked_nonsense(server: RunningServer) -> None:
    ada = await server.person("Ada")
    project_id = await ada.project()
    for query in NONSENSE:
        answer = await ada.get(f"/projects/{project_id}/tasks?{query}")
        assert answer.status_code in (400, 422), f"{query}: {answer.status_code} {answer.text[:200]}"
        assert answer.headers["content-type"] == "application/problem+json"


async def test_looking_at_queries_keeps_nothing_of_the_requests(server: RunningServer) -> None:
    ada = await server.person("Ada")
    project_id = await ada.project()
    known = []
    for limit in (5, 6, 7):
        assert (await ada.get(f"/projects/{project_id}/tasks?limit={limit}")).status_code == 200
        known.append(plain_query._single_parameters.cache_info().currsize)
    assert len(set(known)) == 1, known


async def test_an_id_that_is_no_uuid_is_nothing(server: RunningServer) -> None:
    ada = await server.person("Ada")
    for one in ("1", "not-a-uuid", "%00", "..%2f..%2fetc%2fpasswd", "0" * 5_000):
        answer = await ada.get(f"/tasks/{one}")
        assert answer.status_code == 404, one


async def test_bytes_that_are_no_http_are_told_so(server: RunningServer) -> None:
    for junk, status in (
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"GET\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"400"),
        (b"POST /api/v1/projects HTTP/1.1\r\ncontent-length: -5\r\n\r\n", b"400"),
        (b"POST /api/v1/projects HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nzz", b"400"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 20_000, b"431"),
        (b"GET / HTTP/1.1\r\nhost: " + b"x" * 200_000, b"431"),
        (b"GET /" + b"x" * 200_000, b"431"),
    ):
        answer = await asyncio.to_thread(_throw, server, junk)
        assert answer.startswith(b"HTTP/1.1 " + status), (junk[:60], answer[:200])
        assert b"application/problem+json" in answer
    assert (await server.anyone.get("/health")).status_code == 200


async def test_a_body_that_is_no_http_is_told_so_whoever_sends_it(server: RunningServer) -> None:
    token = (await server.person("Ada")).client.headers["authorization"]
    before = await server.events()
    for authorization in (f"authorization: {token}\r\n", ""):
        head = f"POST /api/v1/projects HTTP/1.1\r\nhost: x\r\n{authorization}transfer-encoding: chunked\r\n\r\n"
        for chunks in (b"zz\r\n", b"-1\r\n", b"f" * 18 + b"\r\n", b"5\r\nhello0\r\n\r\n", b'2\r\n{"zz\r\n'):
            answer = await asyncio.to_thread(_throw, server, head.encode() + chunks)
            assert answer.startswith(b"HTTP/1.1 400"), (chunks, answer[:200])
            assert answer.count(b"HTTP/1.1") == 1, "it is answered once"
            assert b"application/problem+json" in answer
    assert await server.events() == before


async def test_a_host_that_is_no_address_is_told_so(server: RunningServer) -> None:
    token = (await server.person("Ada")).client.headers["authorization"]
    for host in ("x:99999999", "[::", "a b", "", "x:-1", "x:y"):
        for path in ("people", "projects", "tasks"):
            asked = (
                f"GET /api/v1/{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {token}\r\nconnection: close\r\n\r\n"
            )
            answer = await asyncio.to_thread(_throw, server, asked.encode())
            assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200")), (host, path, answer[:200])
            if host == "x:99999999" and path == "people":
                assert answer.startswith(b"HTTP/1.1 400"), answer[:200]


async def test_head_is_answered_without_a_body_over_a_connection_that_stays(server: RunningServer) -> None:
    head = b"HEAD /health HTTP/1.1\r\nhost: x\r\n\r\nHEAD /nothing HTTP/1.1\r\nhost: x\r\n\r\n"
    answers = await asyncio.to_thread(_throw, server, head + b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
    assert [line for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1")] == [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 404 Not Found",
        b"HTTP/1.1 200 OK",
    ], answers
    assert answers.count(b'"status"') == 1, "the last one alone has a body"


async def test_a_client_that_never_comes_to_the_point_is_cut_off(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded, "HEAD_WAIT_S", 0.3)
    monkeypatch.setattr(request, "BODY_WAIT_S", 0.3)
    token = (await server.person("Ada")).client.headers["authorization"]
    body = f"POST /api/v1/projects HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-length: 900\r\n\r\n{{"
    for dawdling in (b"", b"GET /heal", b"GET /health HTTP/1.1\r\nhost: x\r\n", body.encode()):
        started = time.monotonic()
        answer = await asyncio.to_thread(_throw, server, dawdling)
        assert answer.startswith(b"HTTP/1.1 408"), (dawdling, answer)
        assert time.monotonic() - started > 0.2, "not at once"
    assert (await server.anyone.get("/health")).status_code == 200


async def test_a_request_that_ends_in_the_middle_stores_nothing(server: RunningServer) -> None:
    ada = await server.person("Ada")
    before = await server.events()
    token = ada.client.headers["authorization"]
    headers = (f"authorization: {token}", f"content-type: {JSON}", "content-length: 900", "", '{"name":"Half')
    await asyncio.to_thread(
        _throw, server, "\r\n".join(("POST /api/v1/projects HTTP/1.1", "host: x", *headers)).encode(), 1.0
    )
    await asyncio.sleep(0.1)
    assert await server.events() == before


def _throw(server: RunningServer, content: bytes, wait_s: float = PATIENCE_S) -> bytes:
    """Send exactly these bytes and go away after what comes back within a moment."""
    host, port = server.url.removeprefix("http://").split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as thrown:
        thrown.settimeout(wait_s)
        try:
            thrown.sendall(content)
            while received := thrown.recv(65_536):
                answer += received
        except OSError:
            pass
    return answer


def _resolved(world: World, schema: dict[str, Any] | None) -> dict[str, Any]:
    """A schema behind its reference, of the first kind where there are several."""
    assert schema is not None
    if "anyOf" in schema:
        return _resolved(world, schema["anyOf"][0])
    if "$ref" in schema:
        found: dict[str, Any] = world.described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _some_field(world: World, route: Route) -> bytes:
    return next(iter(_resolved(world, route.body)["properties"])).encode()


def _example(world: World, route: Route) -> dict[str, Any]:
    """A body that fits the schema in every field; whether the rules like it is another question."""
    return {name: _value(world, part) for name, part in _resolved(world, route.body)["properties"].items()}


def _value(world: World, schema: dict[str, Any]) -> Any:
    schema = _resolved(world, schema)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "string":
            formats = {"uuid": str(uuid4()), "date": "2027-01-31", "date-time": "2027-01-31T12:00:00Z"}
            fitting = (formats.get(schema.get("format", "")), "x" * max(1, schema.get("minLength", 1)), *CANDIDATES)
            return next(text for text in fitting if text and re.search(schema.get("pattern", ""), text))
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "array":
            return [_value(world, schema["items"])]
        case "object":
            return {name: _value(world, part) for name, part in schema.get("properties", {}).items()}
        case _:
            return None
