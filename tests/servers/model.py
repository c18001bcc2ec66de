"""A real HTTP server that speaks OpenAI's protocol for chat completions, and can be told to misbehave."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

_NUMBERED = re.compile(r"^ *(\d+)\|(.*)$", re.MULTILINE)
_PART_CHARS = 40

Comments = list[Any]


class Line(NamedTuple):
    """A line of the file that the model is shown."""

    number: int
    text: str


class Behaviour(NamedTuple):
    """How one request is answered; the plain one answers at once with what the server's ``writer`` writes.

    ``status`` is answered with ``headers`` and an error that quotes the request, as some servers do. ``text`` is the
    model's answer whatever it is. ``cut_after`` closes the connection after so many parts, ``junk`` is sent as a part
    of the stream, ``pad_bytes`` makes the answer so large, ``delay_s`` comes before the answer and ``pace_s`` between
    its parts. ``body`` is sent as it is, with ``headers`` alone; ``raw`` instead of any answer, before the connection is
    reset; ``drips`` is sent again and again until the other side goes away. ``parts`` are the stream's parts as given.
    """

    status: int = 200
    headers: Mapping[str, str] = {}
    text: str | None = None
    refusal: bool = False
    finish: str | None = "stop"
    cut_after: int | None = None
    junk: str | None = None
    pad_bytes: int = 0
    delay_s: float = 0.0
    pace_s: float = 0.0
    body: bytes | None = None
    raw: bytes | None = None
    drips: bytes | None = None
    parts: tuple[str, ...] | None = None


def comment(line: int, content: str, type_: str = "inline") -> dict[str, Any]:
    """A comment as a model gives it."""
    return {"type": type_, "target": {"line": line}, "content": content}


def above_definitions(lines: list[Line]) -> Comments:
    """One plain comment above each definition that begins at the margin, and one at the top."""
    found = [line for line in lines if re.match(r"(async )?(def|class)\b", line.text)]
    comments = [comment(line.number, f"Part {n} of what this file offers.") for n, line in enumerate(found[:20], 1)]
    return [comment(1, "What this file is for, in one sentence.", "header"), *comments]


class ModelServer:
    """Listens on a port of its own until the block ends. ``asked`` holds the body of every request.

    ``plan`` are the behaviours of the next requests, in order; then ``usual`` counts. ``by_path`` holds the same for
    files of one path, which the prompt names, so that many may be asked about at once.
    """

    def __init__(self, writer: Callable[[list[Line]], Comments] = above_definitions) -> None:
        self.writer = writer
        self.plan: deque[Behaviour] = deque()
        self.by_path: dict[str, deque[Behaviour]] = {}
        self.usual = Behaviour()
        self.asked: list[dict[str, Any]] = []
        self.asked_at: list[float] = []
        self.waiting = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def next(self, *behaviours: Behaviour) -> None:
        """Answer the next requests so."""
        self.plan.clear()
        self.plan.extend(behaviours)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def behaviour_for(self, body: dict[str, Any]) -> Behaviour:
        """How this request is answered; what is planned is used up."""
        told = body["messages"][0]["content"]
        plan = next((plan for path, plan in self.by_path.items() if f"({path})" in told), self.plan)
        return plan.popleft() if plan else self.usual

    def answer_to(self, body: dict[str, Any], behaviour: Behaviour) -> str:
        """What the model says."""
        if behaviour.text is not None:
            return behaviour.text
        shown = body["messages"][-1]["content"]
        lines = [Line(int(number), text) for number, text in _NUMBERED.findall(shown)]
        return json.dumps({"comments": self.writer(lines)})


def _handler_of(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def handle(self) -> None:
            """Serve a connection until the client goes away, however it goes."""
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.asked.append(body)
            server.asked_at.append(time.monotonic())
            server.waiting.set()
            behaviour = server.behaviour_for(body)
            time.sleep(behaviour.delay_s)
            try:
                if behaviour.raw is not None:
                    self._reset(behaviour.raw)
                elif behaviour.drips is not None:
                    self._drip(behaviour.drips, behaviour.pace_s)
                elif behaviour.body is not None:
                    self._send(behaviour, behaviour.body)
                elif behaviour.status != 200:
                    self._refuse(behaviour, body)
                else:
                    self._stream(behaviour, server.answer_to(body, behaviour))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _refuse(self, behaviour: Behaviour, body: dict[str, Any]) -> None:
            error = {"error": {"message": "no: " + json.dumps(body["messages"][::-1]), "type": "error", "code": None}}
            headers = {**behaviour.headers, "content-type": "application/json"}
            self._send(behaviour._replace(headers=headers), json.dumps(error).encode())

        def _send(self, behaviour: Behaviour, content: bytes) -> None:
            self.send_response(behaviour.status)
            for name, value in behaviour.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _reset(self, content: bytes) -> None:
            """Send it, then break the connection off, with whatever of the request was not read."""
            self.wfile.write(content)
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

        def _drip(self, content: bytes, pace_s: float) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            while True:
                self._chunk(content)
                time.sleep(pace_s)

        def _stream(self, behaviour: Behaviour, text: str) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for number, part in enumerate(_parts(behaviour, text)):
                if number == behaviour.cut_after:
                    self.close_connection = True
                    return
                time.sleep(behaviour.pace_s)
                self._chunk(f"data: {part}\n\n".encode())
            self._chunk(b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

        def _chunk(self, content: bytes) -> None:
            self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
            self.wfile.flush()

    return Handler


def _parts(behaviour: Behaviour, text: str) -> Iterator[str]:
    """The stream's parts, as JSON: deltas, how it finished, what it took."""
    if behaviour.parts is not None:
        yield from behaviour.parts
        return
    if behaviour.refusal:
        yield chunk_of({"refusal": "I will not describe this."})
    else:
        for start in range(0, len(text), _PART_CHARS):
            yield chunk_of({"content": text[start : start + _PART_CHARS]})
    if behaviour.junk is not None:
        yield behaviour.junk
    for _ in range(behaviour.pad_bytes // 100_000):
        yield chunk_of({"content": " " * 100_000})
    if behaviour.finish is not None:
        yield chunk_of({}, behaviour.finish)
        usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100}
        yield json.dumps({**_ENVELOPE, "choices": [], "usage": usage})


_ENVELOPE = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "local"}


def chunk_of(delta: dict[str, Any], finish: str | None = None) -> str:
    """A part of a stream, as JSON."""
    return json.dumps({**_ENVELOPE, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
