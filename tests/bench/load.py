"""Load over HTTP/1.1 from a process of its own: ready-made requests over many connections, and their latencies."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import uvloop


class LoadResult(NamedTuple):
    """What a run of load came to: requests a second, latencies in milliseconds, answers by status."""

    rate: float
    p50_ms: float
    p99_ms: float
    statuses: dict[int, int]


class _Connection(asyncio.Protocol):
    """Sends one request after the other and notes how long each answer took."""

    def __init__(self, requests: Sequence[bytes], done: asyncio.Future[None]) -> None:
        self._requests = iter(requests)
        self._done = done
        self._buffer = b""
        self._wanted = -1
        self._sent_at = 0.0
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}

    def connection_made(self, transport: Any) -> None:
        """The connection stands: send the first request."""
        self._transport = transport
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """The server hung up."""
        if not self._done.done():
            self._done.set_exception(error or ConnectionResetError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Collect an answer; when it is whole, send the next request."""
        self._buffer += data
        if self._wanted < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end].lower()
            status = int(head[9:12])
            self.statuses[status] = self.statuses.get(status, 0) + 1
            mark = head.find(b"content-length:")
            length = int(head[mark + 15 :].split(b"\r\n", 1)[0]) if mark >= 0 else 0
            self._wanted = end + 4 + length
        if len(self._buffer) >= self._wanted:
            self.latencies.append(time.perf_counter() - self._sent_at)
            self._buffer, self._wanted = b"", -1
            self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            if not self._done.done():
                self._done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def request(
    method: str, path: str, *, token: str = "", body: bytes = b"", headers: Sequence[tuple[str, str]] = ()
) -> bytes:
    """A whole HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    elif method != "GET":
        lines.append("Content-Length: 0")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def run_load(port: int, per_connection: Sequence[Sequence[bytes]]) -> LoadResult:
    """Send each list of requests over a connection of its own, all at once, from another process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(port, per_connection, sender))
    process.start()
    sender.close()
    try:
        answer = receiver.recv()
    except EOFError:
        answer = "its process ended without a result"
    finally:
        process.join()
    if isinstance(answer, str):
        raise RuntimeError(f"the load failed: {answer}")
    return LoadResult(*answer)


def checked(result: LoadResult) -> LoadResult:
    """The result, if every request was answered with 200."""
    if set(result.statuses) != {200}:
        raise RuntimeError(f"not every request was answered with 200: {result.statuses}")
    return result


def _work(port: int, per_connection: Sequence[Sequence[bytes]], sender: Any) -> None:
    try:
        sender.send(tuple(uvloop.run(_drive(port, per_connection))))
    except (OSError, ValueError, ArithmeticError, LookupError) as error:
        sender.send(f"{type(error).__name__}: {error}")


async def _drive(port: int, per_connection: Sequence[Sequence[bytes]]) -> LoadResult:
    loop = asyncio.get_running_loop()
    connections: list[_Connection] = []
    finished: list[asyncio.Future[None]] = []
    started = time.perf_counter()
    for requests in per_connection:
        done: asyncio.Future[None] = loop.create_future()
        _, protocol = await loop.create_connection(
            lambda requests=requests, done=done: _Connection(requests, done), "127.0.0.1", port
        )
        connections.append(protocol)
        finished.append(done)
    await asyncio.gather(*finished)
    elapsed = time.perf_counter() - started
    latencies = sorted(latency for connection in connections for latency in connection.latencies)
    statuses: dict[int, int] = {}
    for connection in connections:
        for status, count in connection.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    return LoadResult(
        len(latencies) / elapsed,
        latencies[len(latencies) // 2] * 1e3,
        latencies[int(len(latencies) * 0.99)] * 1e3,
        statuses,
    )
