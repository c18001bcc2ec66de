"""Connections to PostgreSQL as the application's role, bounded in number and time."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import psycopg
from psycopg import AsyncConnection, waiting
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool
from psycopg_pool.base import AttemptWithBackoff

from adapters.postgres.errors import UNAVAILABLE
from adapters.postgres.schema import APP_ROLE
from hivesync_core.eventstore.errors import StoreUnavailable
from hivesync_core.eventstore.patience import within

CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_S = 4.0
DIRECT_STATEMENT_TIMEOUT_S = 100.0
QUERY_WAIT_S = 4.2
"""How long a caller waits for an answer before it is told that the database is away; under the five seconds promised,
with room for what it waited for before and for a machine that is busy."""

POOL_SIZE_MAX = 8
POOL_WAITING_MAX = 512

_WAIT_INTERVAL_S = 0.1


class ImpatientConnection(AsyncConnection[Any]):
    """A connection that is closed when the task that uses it is cancelled or runs out of time.

    psycopg would ask the server to cancel the statement and wait up to ten seconds for its answer; a server that hangs
    does not give one, and the caller was promised an answer before that. The server ends what it was doing by itself:
    every session has a ``statement_timeout``.

    ``patience_s`` bounds each exchange, where it is set: a connection that a network lost without a word is silent for
    ever, and whoever holds it for long has to find out.
    """

    patience_s: float | None = None

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = _WAIT_INTERVAL_S,
        timeout: float | None = None,
    ) -> RV:
        """Drive one exchange with the server; see ``AsyncConnection.wait``."""
        try:
            if self.patience_s is None:
                return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
            with within(self.patience_s):
                return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except (asyncio.CancelledError, TimeoutError):
            abandon(self)
            raise


def app_conninfo(
    url: str, *, application_name: str = "hivesync", statement_timeout_s: float = STATEMENT_TIMEOUT_S
) -> str:
    """The connection string with which the server works: as the application's role, with keepalives and time limits."""
    given = conninfo_to_dict(url)
    options = (
        f"-c role={APP_ROLE} -c statement_timeout={int(statement_timeout_s * 1000)} -c lock_timeout=3000 "
        "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC "
        # The server's own, for its side of a connection whose client's host is gone: two hours unless told otherwise.
        "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    )
    given_options = given.pop("options", "")
    return make_conninfo(
        "",
        **{
            "application_name": application_name,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "tcp_user_timeout": 5000,
            **given,
            "options": f"{given_options} {options}".strip(),
        },
    )


class _Attempts(AttemptWithBackoff):
    """When the pool tries again to connect: a server that was killed is back within half a second, and who waits for a
    connection meanwhile should not wait for the pool's second after that."""

    INITIAL_DELAY = 0.1
    DELAY_BACKOFF = 1.5


class Pool(AsyncConnectionPool[ImpatientConnection]):
    """Connections in autocommit mode, which are made once the pool is opened."""

    def __init__(self, conninfo: str, *, prepare_threshold: int = 5, **bounds: Any) -> None:
        super().__init__(
            conninfo,
            connection_class=ImpatientConnection,
            kwargs={"autocommit": True, "prepare_threshold": prepare_threshold},
            reconnect_timeout=2,
            open=False,
            **bounds,
        )
        self._anew: Callable[[], Pool] = partial(Pool, conninfo, prepare_threshold=prepare_threshold, **bounds)

    def to_open(self) -> Pool:
        """This pool, or one like it where it was closed: a pool that was closed cannot be opened again."""
        return self._anew() if self.closed else self

    async def _add_connection(self, attempt: AttemptWithBackoff | None, growing: bool = False) -> None:
        await super()._add_connection(attempt or _Attempts(timeout=self.reconnect_timeout), growing)


class Database:
    """A pool of connections for queries and short transactions.

    Every call answers within ``QUERY_WAIT_S`` or raises ``StoreUnavailable``; a database that hangs costs its
    connection, never the caller's patience.
    """

    def __init__(self, url: str, *, size: int = POOL_SIZE_MAX) -> None:
        self.url = url
        self._pool = Pool(
            app_conninfo(url),
            prepare_threshold=2,
            min_size=min(2, size),
            max_size=size,
            max_waiting=POOL_WAITING_MAX,
            timeout=CONNECT_TIMEOUT_S,
        )

    async def open(self) -> None:
        """Start to connect, also again after ``close``; it does not wait until a connection stands."""
        self._pool = self._pool.to_open()
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close(timeout=2)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection in autocommit mode; one that was in use when the time ran out is thrown away."""
        connection: ImpatientConnection | None = None
        try:
            with within(QUERY_WAIT_S):
                connection = await self._living_connection()
                yield connection
        except UNAVAILABLE as error:
            if connection is None:
                raise StoreUnavailable(f"no connection to the database: {str(error) or 'time ran out'}") from error
            if not isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable):
                abandon(connection)
            raise StoreUnavailable(f"the database does not answer: {str(error) or 'time ran out'}") from error
        finally:
            if connection is not None:
                await self._pool.putconn(connection)

    async def _living_connection(self) -> ImpatientConnection:
        """A connection that the server has not closed since it was last used, as after a restart."""
        while True:
            connection = await self._pool.getconn()
            if not _is_closed_by_server(connection):
                return connection
            abandon(connection)
            await self._pool.putconn(connection)

    @asynccontextmanager
    async def direct(
        self, application_name: str, *, patience_s: float | None = None
    ) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection outside the pool, in autocommit mode, for work that listens or holds on for long.

        Its statements may take ``DIRECT_STATEMENT_TIMEOUT_S``, or ``patience_s`` where that is given: then it raises
        ``TimeoutError``. It is closed at the end, without a word to the server where the block ended in an error.
        """
        conninfo = app_conninfo(
            self.url,
            application_name=application_name,
            statement_timeout_s=DIRECT_STATEMENT_TIMEOUT_S if patience_s is None else patience_s,
        )
        connection = await asyncio.wait_for(ImpatientConnection.connect(conninfo, autocommit=True), CONNECT_TIMEOUT_S)
        connection.patience_s = patience_s
        try:
            yield connection
            await connection.close()
        finally:
            abandon(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection inside a transaction that is committed where the block ends without an error."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch_all(self, query: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Every row of the answer."""
        async with self.connection() as connection:
            return await (await connection.execute(query.encode(), params or None, binary=True)).fetchall()

    async def fetch_one(self, query: str, params: Sequence[Any] | dict[str, Any] = ()) -> tuple[Any, ...] | None:
        """The first row of the answer, or none."""
        async with self.connection() as connection:
            return await (await connection.execute(query.encode(), params or None, binary=True)).fetchone()

    async def execute(self, query: str, params: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Run a statement; the number of rows that it touched."""
        async with self.connection() as connection:
            return (await connection.execute(query.encode(), params or None)).rowcount


def abandon(connection: AsyncConnection[Any]) -> None:
    """Close the socket at once, without a word to a server that may not be listening."""
    connection.pgconn.finish()


def _is_closed_by_server(connection: AsyncConnection[Any]) -> bool:
    """Whether the end of the conversation already lies in the socket of an idle connection; costs no round trip."""
    poll = select.poll()
    try:
        poll.register(connection.pgconn.socket, select.POLLIN)
        while poll.poll(0):
            connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return False
