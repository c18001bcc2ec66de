"""How a provider may misbehave, and what has to come of each: state, code, requests, comments kept and refused."""

from __future__ import annotations

import gzip
import json
from typing import Any, NamedTuple

from tests.servers.model import Behaviour, chunk_of, comment

TIMEOUT_S = 2
TRIES_MAX = 3
_PAGE = b"<!doctype html><html><body><h1>Sign in</h1></body></html>"
_HTML = {"content-type": "text/html; charset=utf-8"}
_JSON = {"content-type": "application/json"}
_STREAM = {"content-type": "text/event-stream"}
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


class Case(NamedTuple):
    """How a provider behaves, and what has to come of it. ``kept`` comments stand, so many are refused."""

    name: str
    behaviours: tuple[Behaviour, ...]
    status: str
    code: str | None = None
    tries: int = 1
    kept: int | None = None
    refused: int | None = None
    seconds_least: float = 0.0


def _always(behaviour: Behaviour) -> tuple[Behaviour, ...]:
    return (behaviour,) * (TRIES_MAX + 2)


def _says(*comments: Any) -> Behaviour:
    return Behaviour(text=json.dumps({"comments": list(comments)}))


def _answers(code: str) -> list[Case]:
    good = comment(3, "Why this is so.")
    busy = Behaviour(429, {"retry-after": "1"})
    beyond = [comment(0, "A."), comment(99, "B."), comment(-1, "C.")]
    stalled = Behaviour(text=json.dumps({"comments": []}) + " " * 400, pace_s=TIMEOUT_S * 0.7)
    return [
        Case("nothing", (), "ready", kept=2),
        Case("429-then-well", (busy, busy), "ready", tries=3, seconds_least=2.0),
        Case("429", _always(Behaviour(429)), "failed", "provider.busy", 3),
        Case("429-bad-date", _always(Behaviour(429, {"retry-after": "soon"})), "failed", "provider.busy", 3),
        Case("500-then-well", (Behaviour(500), Behaviour(500)), "ready", tries=3),
        Case("500", _always(Behaviour(500)), "failed", "provider.broken", 3),
        Case("502", _always(Behaviour(502)), "failed", "provider.broken", 3),
        Case("503", _always(Behaviour(503, {"retry-after": "0"})), "failed", "provider.broken", 3),
        Case("no-answer", _always(Behaviour(delay_s=TIMEOUT_S + 1)), "failed", "provider.timeout", 3),
        Case("stalled", _always(stalled), "failed", "provider.timeout", 3),
        Case("cut", _always(Behaviour(cut_after=2)), "failed", "answer.cut", 3),
        Case("cut-then-well", (Behaviour(cut_after=1),), "ready", tries=2),
        Case("no-finish", _always(Behaviour(finish=None)), "failed", "answer.cut", 3),
        Case("too-long", _always(Behaviour(finish="length")), "failed", "answer.too_long", 1),
        Case("broken-json", _always(Behaviour(text='{"comments": [' + code)), "failed", "answer.malformed", 3),
        Case("fenced-json", _always(Behaviour(text='```json\n{"comments": []}\n```')), "failed", "answer.malformed", 3),
        Case("broken-stream", _always(Behaviour(junk="{" + code)), "failed", "answer.malformed", 3),
        Case("odd-stream", _always(Behaviour(junk='{"choices": 7}')), "failed", "answer.malformed", 3),
        Case("schema", _always(Behaviour(text=json.dumps({"code": code}))), "failed", "answer.malformed", 3),
        Case("list", _always(Behaviour(text="[]")), "failed", "answer.malformed", 3),
        Case("deep", _always(Behaviour(text="[" * 50_000)), "failed", "answer.malformed", 3),
        Case("one-bad", _always(_says(good, {**good, "patch": code}, {"type": "inline"}, 7)), "ready", tries=2, kept=1, refused=3),
        Case("code", _always(_says(good, comment(3, code))), "ready", tries=2, kept=1, refused=1),
        Case("only-code", _always(_says(comment(3, code))), "refused", "review.every_comment_refused", 2, refused=1),
        Case("wrong-lines", _always(_says(good, *beyond)), "ready", tries=2, kept=1, refused=3),
        Case("text-line", _always(_says(good, {**good, "target": {"line": "3"}})), "ready", tries=2, kept=1, refused=1),
        Case("ten-megabytes", _always(Behaviour(pad_bytes=10_000_000)), "failed", "answer.too_large", 1),
        Case("refusal", _always(Behaviour(refusal=True)), "refused", "model.refused", 1),
        Case("filtered", _always(Behaviour(finish="content_filter")), "refused", "model.refused", 1),
        Case("401", _always(Behaviour(401)), "failed", "provider.refuses_us", 1),
        Case("404", _always(Behaviour(404)), "failed", "provider.refuses_us", 1),
        Case("400", _always(Behaviour(400)), "failed", "provider.refuses_us", 1),
        Case("redirected", _always(Behaviour(307, {"location": "http://127.0.0.1:9/"})), "failed", "provider.refuses_us", 1),
    ]  # fmt: skip


def cases_of(code: str) -> list[Case]:
    """All of them; ``code`` is a line of code that no model may have us store."""
    return [
        *_answers(code),
        *_refused_once(code),
        *_statuses(code),
        *_streams(code),
        *_texts(code),
        *_connections(code),
    ]


def _failing(name: str, behaviour: Behaviour, reason: str, tries: int = TRIES_MAX) -> Case:
    return Case(name, _always(behaviour), "failed", reason, tries)


def _refused_once(code: str) -> list[Case]:
    """What was refused is told to the model once, within the tries that there are."""
    good, bad, better = comment(3, "Why this is so."), comment(3, code), comment(3, "Why it is like that.")
    busy = Behaviour(429, {"retry-after": "0"})
    return [
        Case("put-right", (_says(good, bad), _says(better)), "ready", tries=2, kept=2, refused=0),
        Case("put-right-all", (_says(bad), _says(better)), "ready", tries=2, kept=1, refused=0),
        Case("put-wrong", (_says(good, bad), _says(bad)), "ready", tries=2, kept=1, refused=1),
        Case("put-right-fails", (_says(good, bad), Behaviour(500)), "ready", tries=2, kept=1, refused=1),
        Case("put-right-malformed", (_says(good, bad), Behaviour(text=code)), "ready", tries=2, kept=1, refused=1),
        Case("put-right-refused", (_says(good, bad), Behaviour(refusal=True)), "ready", tries=2, kept=1, refused=1),
        Case("no-try-left", (busy, busy, _says(good, bad), _says(better)), "ready", tries=3, kept=1, refused=1),
    ]


def _statuses(code: str) -> list[Case]:
    huge = (code.encode() + b" ") * 100_000
    packed = {**_HTML, "content-encoding": "gzip"}
    return [
        *(
            _failing(str(status), Behaviour(status), "provider.refuses_us", 1)
            for status in (402, 403, 405, 413, 415, 422, 451)
        ),
        *(_failing(str(status), Behaviour(status), "provider.broken") for status in (408, 409, 504, 529)),
        _failing("302-to-itself", Behaviour(302, {"location": "/v1/chat/completions"}), "provider.refuses_us", 1),
        _failing("503-page", Behaviour(503, _HTML, body=_PAGE), "provider.broken"),
        _failing("500-huge", Behaviour(500, _HTML, body=huge), "provider.broken"),
        _failing("502-packed", Behaviour(502, packed, body=gzip.compress(b" " * 20_000_000)), "provider.broken"),
        _failing("429-date", Behaviour(429, {"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}), "provider.busy"),
        _failing("429-negative", Behaviour(429, {"retry-after": "-5"}), "provider.busy"),
        _failing("429-no-number", Behaviour(429, {"retry-after": "nan"}), "provider.busy"),
        _failing("204", Behaviour(204, body=b""), "answer.cut"),
        _failing("web-page", Behaviour(headers=_HTML, body=_PAGE), "answer.malformed"),
        _failing("error-as-200", Behaviour(headers=_JSON, body=b'{"error": {"message": "no"}}'), "answer.malformed"),
    ]


def _streams(code: str) -> list[Case]:
    """The protocol's own form is wrong, or it goes on for ever."""
    call = {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "x", "arguments": code}}]}
    said, end = chunk_of({"content": json.dumps({"comments": []})}), chunk_of({}, "stop")
    odd_usage = json.dumps(
        {"choices": [], "usage": {"prompt_tokens": -5, "completion_tokens": 1e99, "total_tokens": True}}
    )
    packed = {**_STREAM, "content-encoding": "gzip"}
    return [
        _failing("empty", Behaviour(headers=_STREAM, body=b""), "answer.cut"),
        _failing("no-choices", Behaviour(parts=(json.dumps({"choices": []}),)), "answer.cut"),
        _failing("choices-null", Behaviour(parts=(json.dumps({"choices": None}),)), "answer.cut"),
        _failing("choices-text", Behaviour(parts=(json.dumps({"choices": code}),)), "answer.malformed"),
        _failing("content-null", Behaviour(parts=(chunk_of({"content": None}), end)), "answer.malformed"),
        _failing("content-number", Behaviour(parts=(chunk_of({"content": 7}), end)), "answer.malformed"),
        _failing("tool-calls", Behaviour(parts=(chunk_of(call), chunk_of({}, "tool_calls"))), "answer.malformed"),
        _failing("other-finish", Behaviour(parts=(said, chunk_of({}, "banana"))), "answer.malformed"),
        _failing("event-array", Behaviour(parts=("[]",)), "answer.malformed"),
        _failing("event-null", Behaviour(parts=("null",)), "answer.malformed"),
        _failing("event-deep", Behaviour(parts=("[" * 20_000,)), "answer.malformed"),
        _failing("error-event", Behaviour(parts=(said, json.dumps({"error": {"message": code}}))), "provider.broken"),
        Case("usage-odd", (Behaviour(parts=(said, end, odd_usage)),), "ready", kept=0),
        _failing("utf-16", Behaviour(headers=_STREAM, body=f"data: {said}\n\n".encode("utf-16")), "answer.malformed"),
        _failing(
            "latin-1", Behaviour(headers=_STREAM, body=b'data: {"choices": [{"\xe9": 1}]}\n\n'), "answer.malformed"
        ),
        _failing("packed", Behaviour(headers=packed, body=gzip.compress(b"\0" * 50_000_000)), "answer.malformed"),
        _failing("drips", Behaviour(drips=b": wait\n\n", pace_s=0.3), "provider.timeout"),
        _failing("flood", Behaviour(drips=b": " + b"x" * 60_000 + b"\n\n"), "answer.too_large", 1),
    ]


def _texts(code: str) -> list[Case]:
    """What the model says is of another form than it was asked for, or holds what no text may hold."""
    good = comment(3, "Why this is so.")
    odd: list[Any] = [10**18, True, 1.5, None, [], {}, "3"]
    lines = [{**good, "target": {"line": line}} for line in odd]
    twice = json.dumps({"comments": [good]}).replace('"content"', '"content": "Another.", "content"')
    return [
        _failing("mark-before", Behaviour(text="\ufeff" + json.dumps({"comments": []})), "answer.malformed"),
        _failing("nul-behind", Behaviour(text=json.dumps({"comments": []}) + "\0"), "answer.malformed"),
        _failing("not-a-number", Behaviour(text='{"comments": [NaN]}'), "answer.malformed"),
        _failing("half-character", Behaviour(text='{"comments": ["\\ud800"]}'), "answer.malformed"),
        _failing("endless-number", Behaviour(text='{"comments": [%s]}' % ("9" * 5_000)), "answer.malformed"),
        _failing("too-many", Behaviour(text=json.dumps({"comments": [7] * 2_000})), "answer.malformed"),
        Case("key-twice", (Behaviour(text=twice),), "ready", kept=1),
        Case("odd-lines", _always(_says(good, *lines)), "ready", tries=2, kept=1, refused=len(lines)),
        Case("nul-in-it", _always(_says(good, comment(3, "A\0B."))), "ready", tries=2, kept=1, refused=1),
        Case("long", _always(_says(good, comment(3, "word " * 2_000))), "ready", tries=2, kept=1, refused=1),
    ]


def _connections(code: str) -> list[Case]:
    return [
        _failing("reset", Behaviour(raw=b""), "answer.cut"),
        _failing("reset-in-header", Behaviour(raw=_HEAD[:30]), "answer.cut"),
        _failing("no-http", Behaviour(raw=b"\x16\x03\x01 " + code.encode() + b"\r\n\r\n"), "answer.cut"),
        _failing("bad-chunk", Behaviour(raw=_HEAD + b"transfer-encoding: chunked\r\n\r\nZZZ\r\n"), "answer.cut"),
        _failing("less-than-said", Behaviour(raw=_HEAD + b"content-length: 5000\r\n\r\ndata: {"), "answer.cut"),
        _failing("huge-header", Behaviour(raw=_HEAD + b"x: " + b"y" * 200_000 + b"\r\n\r\n"), "answer.cut"),
    ]
