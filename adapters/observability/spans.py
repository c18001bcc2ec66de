"""The spans of a server: requests, commands, the transactions that store events, and what is done with them later.

They hold ids, names, counts and positions only: no body, no query, no header, no text that anybody wrote, no message
of an error. A trace's id is the correlation id of the events that came of it, without hyphens, so that each is found
from the other; where a client sends both a ``traceparent`` and an ``X-Request-ID`` of its own, the attribute
``hivesync.correlation_id`` has the latter.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from uuid import UUID

from opentelemetry.context import Context as TraceContext
from opentelemetry.context import attach, detach
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from adapters.http.request import CORRELATION_KEY
from adapters.observability.traces import Traces
from adapters.observability.tracing import Application
from hivesync_core.eventstore.log import Context, Log, Outcome, Submission
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.ports import EventAppender, StreamReader
from hivesync_core.eventstore.records import Append
from hivesync_core.kernel.ports import IdSource
from hivesync_core.kernel.refusal import Refusal
from projections.engine.entries import Entry

COMMANDS_MAX: Final = 8_192
"""Commands whose spans are remembered, for what happens to their events later."""

CAUSES_MAX: Final = 64
"""Commands of one batch that its span is linked to."""

LISTED_MAX: Final = 64
"""Names and ids in one attribute."""

CORRELATION: Final = "hivesync.correlation_id"
UNTRACED_PATHS: Final = ("/health", "/ready", "/metrics")
"""What monitors ask every few seconds."""

_propagator = TraceContextTextMapPropagator()


class Spans:
    """Puts spans around what the server does; see ``Tracing``."""

    def __init__(self, traces: Traces) -> None:
        self.traces = traces
        self._commands: OrderedDict[UUID, SpanContext] = OrderedDict()

    def log(self, appender: EventAppender, reader: StreamReader, mapper: MsgspecMapper, new_id: IdSource) -> Log:
        """The Log, traced."""
        return TracedLog(self, appender, reader, mapper, new_id)

    def requests(self, app: Application) -> Application:
        """The application, traced."""
        return TracedRequests(self.traces, app)

    def remember(self, command_id: UUID, span: Span) -> None:
        """Let what follows from a command be found under its span."""
        self._commands[command_id] = span.get_span_context()
        if len(self._commands) > COMMANDS_MAX:
            self._commands.popitem(last=False)

    def commit(self, appends: Sequence[Append]) -> AbstractContextManager[object]:
        """A span for a transaction."""
        metas = (append.events[0].meta for append in appends if append.events)
        causes = ((meta.command_id, meta.correlation_id) for meta in metas)
        events = sum(len(append.events) for append in appends)
        return self._caused("commit", causes, {"hivesync.commands": len(appends), "hivesync.events": events})

    def batch(self, name: str, entries: Sequence[Entry]) -> AbstractContextManager[object]:
        """A span for a batch of stored events."""
        metas = (entry.recorded.meta for entry in entries)
        causes = ((meta.command_id, meta.correlation_id) for meta in metas)
        attributes = {
            "hivesync.events": len(entries),
            "hivesync.first_position": entries[0].recorded.position if entries else 0,
            "hivesync.last_position": entries[-1].recorded.position if entries else 0,
        }
        return self._caused(name, causes, attributes)

    def figures(self) -> dict[str, float]:
        """What became of the spans."""
        return {"sent": self.traces.sender.sent, "lost": self.traces.sender.lost}

    async def stop(self) -> None:
        """Send what waits and end."""
        await self.traces.stop()

    @contextmanager
    def _caused(self, name: str, causes: Iterable[tuple[UUID, UUID]], attributes: dict[str, Any]) -> Iterator[None]:
        """A span under the first command that is traced, linked to the others; none where no command is traced."""
        known, stranger = self._traced(causes)
        if known:
            (parent, correlation_id), *others = known
            context = set_span_in_context(NonRecordingSpan(parent), TraceContext())
            links = [Link(other, {CORRELATION: str(correlation)}) for other, correlation in others]
        elif stranger is not None:
            context, correlation_id, links = TraceContext(), stranger, []
        else:
            yield
            return
        attributes[CORRELATION] = str(correlation_id)
        span = self.traces.start(name, context, correlation_id, attributes=attributes, links=links)
        with _ending(span):
            yield

    def _traced(self, causes: Iterable[tuple[UUID, UUID]]) -> tuple[list[tuple[SpanContext, UUID]], UUID | None]:
        """The spans of commands of this process, and the correlation id of the first command that was not given here."""
        known: list[tuple[SpanContext, UUID]] = []
        stranger: UUID | None = None
        for command_id, correlation_id in _distinct(causes, CAUSES_MAX):
            span = self._commands.get(command_id)
            if span is None:
                stranger = stranger or correlation_id
            elif span.trace_flags.sampled:
                known.append((span, correlation_id))
        return known, stranger


class TracedLog(Log):
    """A Log whose commands are spans."""

    def __init__(
        self, spans: Spans, appender: EventAppender, reader: StreamReader, mapper: MsgspecMapper, new_id: IdSource
    ) -> None:
        super().__init__(appender, reader, mapper, new_id)
        self._spans = spans

    async def execute_all(self, submissions: Sequence[Submission], context: Context) -> list[Outcome]:
        """Give commands to streams, within a span."""
        first = submissions[0]
        span = self._spans.traces.start(
            f"{first.decider.name} {type(first.command).__name__}", None, context.correlation_id
        )
        self._spans.remember(context.command_id, span)
        with _ending(span, current=True):
            if not span.is_recording():
                return await super().execute_all(submissions, context)
            _tell_command(span, submissions, context)
            try:
                outcomes = await super().execute_all(submissions, context)
            except Refusal as refusal:
                span.set_attribute("hivesync.refusal", refusal.code)
                raise
            _tell_outcomes(span, outcomes)
            return outcomes


def _tell_command(span: Span, submissions: Sequence[Submission], context: Context) -> None:
    listed = submissions[:LISTED_MAX]
    span.set_attributes(
        {
            CORRELATION: str(context.correlation_id),
            "hivesync.command_id": str(context.command_id),
            "hivesync.decider": [submission.decider.name for submission in listed],
            "hivesync.command": [type(submission.command).__name__ for submission in listed],
            "hivesync.stream_id": [str(submission.stream_id) for submission in listed],
        }
    )


def _tell_outcomes(span: Span, outcomes: Sequence[Outcome]) -> None:
    topics = [event.topic() for outcome in outcomes for event in outcome.events]
    span.set_attributes(
        {
            "hivesync.topics": topics[:LISTED_MAX],
            "hivesync.events": len(topics),
            "hivesync.position": max((outcome.position for outcome in outcomes), default=0),
            "hivesync.replayed": any(outcome.replayed for outcome in outcomes),
        }
    )


class TracedRequests:
    """An ASGI application whose HTTP requests are spans, within the caller's trace where it sends a ``traceparent``."""

    def __init__(self, traces: Traces, app: Application) -> None:
        self._traces = traces
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, within a span."""
        if scope["type"] != "http" or scope["path"] in UNTRACED_PATHS:
            await self._app(scope, receive, send)
            return
        correlation_id = scope[CORRELATION_KEY]
        method = scope["method"]
        span = self._traces.start(method, _given(scope["headers"]), correlation_id, kind=SpanKind.SERVER)
        status = 0

        async def send_and_look(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with _ending(span, current=True):
            try:
                await self._app(scope, receive, send_and_look)
            finally:
                _tell_request(span, method, scope.get("path_template") or "none", status, correlation_id)


def _given(headers: Iterable[tuple[bytes, bytes]]) -> TraceContext:
    """The trace that the caller is in; an empty context where it names none."""
    carrier = {
        name.decode("ascii"): value.decode("latin-1")
        for name, value in headers
        if name in {b"traceparent", b"tracestate"}
    }
    return _propagator.extract(carrier, TraceContext())


def _tell_request(span: Span, method: str, route: str, status: int, correlation_id: UUID) -> None:
    if not span.is_recording():
        return
    span.update_name(f"{method} {route}")
    span.set_attributes(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            CORRELATION: str(correlation_id),
        }
    )
    if status >= 500:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


@contextmanager
def _ending(span: Span, *, current: bool = False) -> Iterator[None]:
    """Ends the span with the block; an error is told by its type alone, since its message may quote what people wrote."""
    token = attach(set_span_in_context(span)) if current else None
    try:
        yield
    except Exception as error:
        if not isinstance(error, Refusal):
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
        raise
    finally:
        if token is not None:
            detach(token)
        span.end()


def _distinct(pairs: Iterable[tuple[UUID, UUID]], most: int) -> Iterator[tuple[UUID, UUID]]:
    """The pairs without repetitions, at most so many."""
    seen: set[UUID] = set()
    for pair in pairs:
        if pair[0] not in seen:
            if len(seen) == most:
                return
            seen.add(pair[0])
            yield pair
