"""Each test has a database of its own, with HiveSync's schema, on every PostgreSQL of this machine."""

from __future__ import annotations

import psycopg


def test_it_has_the_schema_and_no_rows(any_postgres_url: str) -> None:
    with psycopg.connect(any_postgres_url) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM ops.schema_files").fetchone() == (True,)


def test_an_empty_one_has_nothing(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        assert connection.execute(tables).fetchone() == (0,)


def test_it_writes_as_safely_as_production(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert connection.execute("SELECT current_setting(%s)", [name]).fetchone() == ("on",), name
