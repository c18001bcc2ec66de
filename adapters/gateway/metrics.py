"""What Prometheus is told of the sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from adapters.gateway.gateway import Gateway

Read = Callable[[], "float | dict[str, float]"]


class Metrics(Protocol):
    """Where metrics are offered; each is read when somebody asks."""

    def gauge(self, name: str, help: str, read: Read) -> None:
        """A value that goes up and down."""
        ...

    def counter(self, name: str, help: str, read: Read) -> None:
        """A number that only grows; a dict gives one number a ``name``."""
        ...


def offer_metrics(metrics: Metrics, gateway: Gateway, head: Callable[[], int]) -> None:
    """Offer the gateway's numbers; ``head`` is the last position of the log that was seen."""
    stats, hub = gateway.stats, gateway.hub
    metrics.gauge("hivesync_sockets_open", "Sockets that are open.", lambda: gateway.admission.open_sockets)
    metrics.gauge(
        "hivesync_sockets_authenticated", "Those of them that said who they are.", lambda: len(gateway.registry)
    )
    metrics.gauge("hivesync_sockets_lag", "Events that were not handed out yet.", lambda: max(0, head() - hub.position))
    metrics.counter("hivesync_sockets_opened", "Sockets that were opened.", lambda: stats.opened)
    metrics.counter("hivesync_sockets_closed", "Sockets that ended, by cause.", lambda: _floats(stats.closed))
    metrics.counter("hivesync_socket_messages", "Messages from clients, by type.", lambda: _floats(stats.received))
    metrics.counter("hivesync_socket_events", "Events that were handed out.", lambda: stats.events)
    metrics.counter(
        "hivesync_socket_deliveries", "Events that were sent to a socket at once.", lambda: stats.deliveries
    )
    metrics.counter(
        "hivesync_socket_replays", "Events that were sent to a socket that was behind.", lambda: stats.replayed
    )
    metrics.counter(
        "hivesync_socket_outbox_drops", "Times that a socket took no more and was left out.", lambda: stats.fell_behind
    )
    metrics.counter("hivesync_socket_resyncs", "Sockets that were told to read anew.", lambda: stats.resyncs)
    metrics.counter(
        "hivesync_socket_events_unreadable", "Events of a newer version that were passed by.", lambda: stats.unreadable
    )


def _floats(counts: dict[str, int]) -> dict[str, float]:
    return {name: float(count) for name, count in counts.items()}
