"""One statement over and over: its rows, its errors, its connection's end, and what is larger than a socket's buffer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from adapters.postgres.connections import ImpatientConnection
from adapters.postgres.exchange import Exchange


@asynccontextmanager
async def exchange(url: str, statement: bytes) -> AsyncIterator[Exchange]:
    """A statement on a connection of its own."""
    opened = await Exchange.open(await ImpatientConnection.connect(url, autocommit=True), statement)
    try:
        yield opened
    finally:
        opened.close()


async def test_rows_come_as_text_time_and_again(postgres_url: str) -> None:
    async with exchange(postgres_url, b"SELECT n, NULL::text FROM generate_series(1, $1::int) n") as numbers:
        for count in (0, 1, 3):
            assert await numbers.run([str(count).encode()]) == [(str(n + 1).encode(), None) for n in range(count)]
            assert numbers.is_idle


async def test_an_error_is_raised_and_the_next_run_is_as_if_nothing_had_been(postgres_url: str) -> None:
    async with exchange(postgres_url, b"SELECT 12 / $1::int") as quotient:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await quotient.run([b"0"])
        assert quotient.is_idle
        assert await quotient.run([b"4"]) == [(b"3",)]


async def test_a_statement_that_is_none_is_refused_when_it_is_prepared(postgres_url: str) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        async with exchange(postgres_url, b"SELECT * FROM nothing_of_the_kind"):
            pass


async def test_an_error_at_the_commit_is_an_error_of_the_run(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE pairs (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    async with exchange(postgres_url, b"INSERT INTO pairs VALUES ($1::int), (1) RETURNING a") as insert:
        with pytest.raises(psycopg.errors.UniqueViolation):
            await insert.run([b"1"])
        assert await insert.run([b"2"]) == [(b"2",), (b"1",)]


async def test_what_is_larger_than_every_buffer_goes_through_both_ways(postgres_url: str) -> None:
    async with exchange(postgres_url, b"SELECT $1::text || $1::text") as twice:
        text = b"x" * 12_000_000
        assert await twice.run([text]) == [(text + text,)]


async def test_a_connection_that_ended_while_nobody_asked_is_no_longer_idle(postgres_url: str) -> None:
    async with exchange(postgres_url, b"SELECT pg_backend_pid()") as own:
        ((pid,),) = await own.run([])
        assert pid is not None
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (int(pid),))
        async with asyncio.timeout(5):
            while own.is_idle:
                await asyncio.sleep(0.01)


async def test_a_connection_that_ends_during_a_run_is_told(postgres_url: str) -> None:
    async with exchange(postgres_url, b"SELECT pg_terminate_backend(pg_backend_pid())") as ends:
        with pytest.raises(psycopg.OperationalError):
            await ends.run([])
        assert not ends.is_idle


async def test_a_run_that_was_given_up_leaves_a_connection_that_is_not_idle(postgres_url: str) -> None:
    async with exchange(postgres_url, b"SELECT pg_sleep($1::float)") as sleep:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await sleep.run([b"5"])
        assert not sleep.is_idle
