"""Spoils exchanges with PostgreSQL: a connection breaks before the statement is sent, or before its answer comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Literal

import psycopg

from adapters.postgres.connections import ImpatientConnection, abandon
from adapters.postgres.exchange import Exchange

How = Literal["before", "after", "for good after"]
"""``before``: the statement never reaches the server. ``after``: it is carried out, and the answer to it is lost.
``for good after``: so too, and nothing reaches the server any more until the request has ended."""

_watched: ContextVar[bool] = ContextVar("watched", default=False)


class Injection:
    """Counts the exchanges of what is watched, and spoils the ``at``-th.

    Watched is what runs inside ``watching`` (a request with everything that it awaits), and what the connection that
    appends does for requests in a task of its own. What the process does by itself is left alone.
    """

    def __init__(self) -> None:
        self.count = 0
        self.hit = False
        self._at = 0
        self._how: How = "before"
        self._armed = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Take part in every exchange until the block ends."""
        waited, ran = ImpatientConnection.wait, Exchange.run

        async def wait(connection: ImpatientConnection, *arguments: Any, **more: Any) -> Any:
            exchange = partial(waited, connection, *arguments, **more)
            if not (self._armed and _watched.get()):
                return await exchange()
            return await self._take_part(exchange, partial(abandon, connection))

        async def run(appending: Exchange, parameters: Sequence[bytes]) -> Any:
            exchange = partial(ran, appending, parameters)
            if not self._armed:
                return await exchange()
            return await self._take_part(exchange, appending.close)

        ImpatientConnection.wait, Exchange.run = wait, run  # type: ignore[method-assign]
        try:
            yield
        finally:
            ImpatientConnection.wait, Exchange.run = waited, ran  # type: ignore[method-assign]

    async def _take_part(self, exchange: Callable[[], Awaitable[Any]], break_off: Callable[[], None]) -> Any:
        """Count an exchange, and let it through or spoil it."""
        self.count += 1
        for_good = self._how == "for good after" and 0 < self._at < self.count
        if self.count != self._at and not for_good:
            return await exchange()
        self.hit = True
        if self._how != "before" and not for_good:
            await exchange()
        break_off()
        raise psycopg.OperationalError(f"the connection broke {self._how} exchange {self._at}")

    @contextmanager
    def watching(self, at: int = 0, how: How = "before") -> Iterator[None]:
        """Count from one, and spoil the ``at``-th exchange; none where it is 0."""
        self.count, self.hit, self._at, self._how, self._armed = 0, False, at, how, True
        token = _watched.set(True)
        try:
            yield
        finally:
            _watched.reset(token)
            self._armed = False
