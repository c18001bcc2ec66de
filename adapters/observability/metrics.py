"""What Prometheus is told: requests by route, the event store's queue, and how far each read model is behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

DURATION_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
ROUTES_MAX = 2_000
"""Combinations of method, route and status that are counted; what comes after is counted as one."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Reading = tuple[str, str, str, Callable[[], "float | dict[str, float]"]]


class Metrics:
    """The metrics of one process; each server has its own, so that several may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "hivesync_http_requests", "Requests by route and status.", ("method", "route", "status"),
            registry=self.registry,
        )  # fmt: skip
        self._durations = Histogram(
            "hivesync_http_request_seconds", "Time from a request to the end of its answer, by route.",
            ("method", "route"), buckets=DURATION_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self._children: dict[tuple[str, str, int], tuple[Any, Any]] = {}
        self._readings: list[Reading] = []
        self.registry.register(_Readings(self._readings))

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:
            if len(self._children) >= ROUTES_MAX:
                key = ("other", "other", status)
            children = self._children[key] = (
                self._requests.labels(key[0], key[1], str(key[2])),
                self._durations.labels(key[0], key[1]),
            )
        children[0].inc()
        children[1].observe(seconds)

    def gauge(self, name: str, help: str, read: Callable[[], float | dict[str, float]]) -> None:
        """A value that is read when it is asked for; a dict gives one value a ``name``."""
        self._readings.append(("gauge", name, help, read))

    def counter(self, name: str, help: str, read: Callable[[], float | dict[str, float]]) -> None:
        """A number that only grows, read when it is asked for."""
        self._readings.append(("counter", name, help, read))

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


class _Readings(Collector):
    def __init__(self, readings: list[Reading]) -> None:
        self._readings = readings

    def collect(self) -> Iterable[Metric]:
        """The values as they are now."""
        for kind, name, help, read in self._readings:
            value = read()
            by_name = value if isinstance(value, dict) else None
            labels = () if by_name is None else ("name",)
            family = (GaugeMetricFamily if kind == "gauge" else CounterMetricFamily)(name, help, labels=labels)
            for label, number in by_name.items() if by_name is not None else ():
                family.add_metric([label], number)
            if by_name is None:
                family.add_metric([], value)  # type: ignore[arg-type]
            yield family
