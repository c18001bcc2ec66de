"""OpenTelemetry's SDK as HiveSync uses it: trace ids, sampling, and a sender that never holds anybody up."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import Span
from opentelemetry.util.re import parse_env_headers

from shared.settings import Settings

STOP_WAIT_S: Final = 2.0
"""How long a stop waits for the collector to take what is left."""

_RANDOM_BITS: Final = 32
"""The bits at a trace id's end that are random in a caller's (W3C Trace Context) and in ours, a UUIDv7: what stands
before them there is a counter within the millisecond, and two bits that every UUID has."""

_trace_id: ContextVar[int | None] = ContextVar("trace_id", default=None)

logger = structlog.get_logger(__name__)


class Traces:
    """The traces of one process, sent by OTLP over HTTP from a thread of their own.

    At most as many spans wait as OTEL_BSP_MAX_QUEUE_SIZE says (2,048); what comes while the collector is away is lost,
    and nobody waits for it.
    """

    def __init__(self, settings: Settings, instance: str) -> None:
        assert settings.traces_url is not None, "without an address nothing is traced"
        # The sender tells once when the collector is away and once when it is back; the library, at each attempt.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
        headers = parse_env_headers(settings.otlp_headers or "", liberal=True)
        self.sender = Sender(OTLPSpanExporter(settings.traces_url, headers=headers))
        self._provider = TracerProvider(
            sampler=sampler(settings.traces_sampler, settings.traces_sampler_arg),
            resource=Resource.create(
                {
                    SERVICE_NAME: settings.service_name,
                    SERVICE_INSTANCE_ID: instance,
                }
            ),
            id_generator=_Ids(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(self.sender))
        self._tracer = self._provider.get_tracer("hivesync")

    def start(self, name: str, parent: Context | None, correlation_id: UUID, **options: Any) -> Span:
        """Begin a span; one without a parent begins the trace whose id is the correlation id."""
        chosen = _trace_id.set(correlation_id.int)
        try:
            return self._tracer.start_span(name, parent, **options)
        finally:
            _trace_id.reset(chosen)

    async def stop(self) -> None:
        """Send what waits, for ``STOP_WAIT_S`` at most, and end."""
        ending = threading.Thread(target=self._provider.shutdown, name="traces-end", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, STOP_WAIT_S)
        self.sender.give_up()


class Sender(SpanExporter):
    """Hands batches to the collector, and says once that it is away and once that it is back."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._reached = True
        self._given_up = False
        self.sent = 0
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; called by the thread that sends alone."""
        result = SpanExportResult.FAILURE if self._given_up else self._exporter.export(spans)
        reached = result is SpanExportResult.SUCCESS
        if reached:
            self.sent += len(spans)
        else:
            self.lost += len(spans)
        if reached is not self._reached and not self._given_up:
            self._reached = reached
            if reached:
                logger.info("traces_are_sent_again", lost=self.lost)
            else:
                logger.warning("traces_cannot_be_sent", remedy="is there a collector at the configured address?")
        return result

    def give_up(self) -> None:
        """Send no more; an attempt that is under way ends at its next pause."""
        if not self._given_up:
            self._given_up = True
            self._exporter.shutdown()

    def shutdown(self) -> None:
        """End in order."""
        self.give_up()


class _Ids(RandomIdGenerator):
    """A trace is named by the correlation id that its first span was begun with."""

    def generate_trace_id(self) -> int:
        """A correlation id's number (never zero), or a random one."""
        return _trace_id.get() or random.getrandbits(128) or 1


class _Ratio(TraceIdRatioBased):
    """A part of the traces, told by the bits of their ids that are random; the library takes 64 of them for that."""

    TRACE_ID_LIMIT = (1 << _RANDOM_BITS) - 1


def sampler(name: str, rate: float) -> Sampler:
    """The sampler that OTEL_TRACES_SAMPLER names; ``rate``, from 0 to 1, is for those that take a part."""
    root = _ROOTS[name.removeprefix("parentbased_")](rate)
    return ParentBased(root) if name.startswith("parentbased_") else root


_ROOTS: Final[dict[str, Callable[[float], Sampler]]] = {
    "always_on": lambda _: ALWAYS_ON,
    "always_off": lambda _: ALWAYS_OFF,
    "traceidratio": _Ratio,
}
