"""What the server's parts are given to be traced by: nothing, unless a collector's address is configured.

OpenTelemetry is imported only then, so that a server without traces neither loads nor calls it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from hivesync_core.eventstore.log import Log
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.ports import EventAppender, StreamReader
from hivesync_core.eventstore.records import Append
from hivesync_core.kernel.ports import IdSource
from projections.engine.entries import Entry
from projections.engine.tracing import untraced
from shared.settings import Settings

Application = Callable[[Any, Any, Any], Awaitable[None]]

_NOTHING = nullcontext()


class Tracing(Protocol):
    """Puts spans around what the server does."""

    def log(self, appender: EventAppender, reader: StreamReader, mapper: MsgspecMapper, new_id: IdSource) -> Log:
        """The Log, with a span around each call that gives commands."""
        ...

    def requests(self, app: Application) -> Application:
        """An ASGI application, with a span around each HTTP request."""
        ...

    def commit(self, appends: Sequence[Append]) -> AbstractContextManager[object]:
        """A span for the transaction that stores the events of some commands."""
        ...

    def batch(self, name: str, entries: Sequence[Entry]) -> AbstractContextManager[object]:
        """A span for what somebody does with a batch of stored events."""
        ...

    def figures(self) -> dict[str, float]:
        """Spans that were ``sent``, and those that were ``lost`` because the collector did not take them."""
        ...

    async def stop(self) -> None:
        """Send what waits, in bounded time, and end."""
        ...


class Untraced:
    """Nothing is traced, and nothing is put around anything."""

    def log(self, appender: EventAppender, reader: StreamReader, mapper: MsgspecMapper, new_id: IdSource) -> Log:
        """The Log as it is."""
        return Log(appender, reader, mapper, new_id)

    def requests(self, app: Application) -> Application:
        """The application as it is."""
        return app

    def commit(self, appends: Sequence[Append]) -> AbstractContextManager[object]:
        """Nothing."""
        return _NOTHING

    def batch(self, name: str, entries: Sequence[Entry]) -> AbstractContextManager[object]:
        """Nothing."""
        return untraced(name, entries)

    def figures(self) -> dict[str, float]:
        """None."""
        return {}

    async def stop(self) -> None:
        """There is nothing to end."""


def tracing(settings: Settings, instance: str) -> Tracing:
    """What traces this process, by its settings; ``instance`` is the process's name among those of the installation."""
    if settings.traces_url is None:
        return Untraced()
    from adapters.observability.spans import Spans
    from adapters.observability.traces import Traces

    return Spans(Traces(settings, instance))
