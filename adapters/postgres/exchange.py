"""One prepared statement over and over on a connection of its own, at the price of its two messages.

psycopg's cursor converts the query, looks its statement up and puts itself into the loop's list of sockets anew for each
execution. Of a statement that is run for every command of the server that took more processor time than all else that
the process does to store it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Self

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import ExecStatus, TransactionStatus

from adapters.postgres.connections import abandon

_NAME = b"exchange"
TEXT, BINARY = 0, 1
"""The forms in which parameters are sent."""


class Exchange:
    """A statement that was prepared on a connection; nothing else may use the connection.

    Whoever is cancelled in the middle of ``run`` has to ``close`` it: the answer would be taken for that of the next.
    """

    def __init__(self, connection: AsyncConnection[Any], parameter_format: int = TEXT) -> None:
        self._connection = connection
        self._parameter_format = parameter_format
        self._pgconn = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._socket = self._pgconn.socket
        self._readable: asyncio.Future[None] | None = None
        self._is_watched = True
        self._loop.add_reader(self._socket, self._on_readable)

    @classmethod
    async def open(cls, connection: AsyncConnection[Any], statement: bytes, *, parameter_format: int = TEXT) -> Self:
        """Prepare a statement whose parameters are ``$1``, ``$2`` …; raises ``psycopg.Error``."""
        exchange = cls(connection, parameter_format)
        try:
            exchange._pgconn.send_prepare(_NAME, statement)
            await exchange._answer(ExecStatus.COMMAND_OK)
        except BaseException:
            exchange.close()
            raise
        return exchange

    @property
    def is_idle(self) -> bool:
        """Whether the connection stands and waits for the next statement."""
        return self._is_watched and self._pgconn.transaction_status == TransactionStatus.IDLE

    async def run(self, parameters: Sequence[bytes]) -> list[tuple[Any, ...]]:
        """Run the statement, in a transaction of its own; rows of text as bytes. Raises ``psycopg.Error``."""
        formats = [self._parameter_format] * len(parameters)
        self._pgconn.send_query_prepared(_NAME, parameters, formats, result_format=TEXT)
        result = await self._answer(ExecStatus.TUPLES_OK)
        columns = range(result.nfields)
        return [tuple(result.get_value(row, column) for column in columns) for row in range(result.ntuples)]

    def close(self) -> None:
        """Close the connection at once, without a word to a server that may not be listening."""
        self._unwatch()
        abandon(self._connection)

    async def _answer(self, wanted: ExecStatus) -> Any:
        """The one result of what was sent; its commit lies before its end. Raises ``psycopg.Error``."""
        await self._sent()
        result = None
        while True:
            while self._pgconn.is_busy():
                self._readable = self._loop.create_future()
                try:
                    await self._readable
                finally:
                    self._readable = None
                self._pgconn.consume_input()
            further = self._pgconn.get_result()
            if further is None:
                break
            # The first error stands: of a connection that was ended there may be a second.
            result = result if result is not None and result.status != wanted else further
        if result is None:
            raise psycopg.OperationalError("the server ended the connection without an answer")
        if result.status != wanted:
            raise psycopg.errors.error_from_result(result)
        return result

    async def _sent(self) -> None:
        """Return when everything is with the server; what it says meanwhile is taken in, or both would wait."""
        while self._pgconn.flush():
            writable = self._loop.create_future()
            self._loop.add_writer(self._socket, _set, writable)
            self._readable = writable
            try:
                await writable
            finally:
                self._readable = None
                if self._is_watched:
                    self._loop.remove_writer(self._socket)
            self._pgconn.consume_input()

    def _on_readable(self) -> None:
        if self._readable is not None:
            _set(self._readable)
            return
        # Nobody waits for an answer: a notice, or the end of the connection.
        try:
            self._pgconn.consume_input()
        except psycopg.OperationalError:
            self._unwatch()

    def _unwatch(self) -> None:
        if self._is_watched:
            self._is_watched = False
            self._loop.remove_reader(self._socket)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
