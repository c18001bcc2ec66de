"""What Prometheus is told of live sessions."""

from __future__ import annotations

from adapters.gateway.live.gateway import LiveGateway
from adapters.gateway.metrics import Metrics


def offer_metrics(metrics: Metrics, live: LiveGateway) -> None:
    """Offer the numbers of the live sessions that this process serves; counts of rooms end with their rooms."""
    rooms, stats = live.rooms, live.stats
    metrics.gauge("hivesync_live_sockets", "Live sockets that are open.", lambda: live.admission.open_sockets)
    metrics.gauge("hivesync_live_sessions", "Sessions that this process serves.", lambda: sum(1 for _ in rooms))
    metrics.gauge("hivesync_live_viewers", "Viewers attached here.", lambda: sum(len(hall.viewers) for hall in rooms))
    metrics.gauge(
        "hivesync_live_lagged", "Times that viewers took no more, in the sessions served now.",
        lambda: sum(hall.room.numbers.lagged for hall in rooms),
    )  # fmt: skip
    metrics.counter(
        "hivesync_live_closed", "Live sockets that ended, by cause.",
        lambda: {name: float(count) for name, count in stats.closed.items()},
    )  # fmt: skip
