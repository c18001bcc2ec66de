"""The fixtures that every test may ask for: databases, a Redis-compatible server, a browser."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import left_over
from tests.servers.browser import ensure_chromium
from tests.servers.postgres import PostgresServers, versions
from tests.servers.valkey import ValkeyServer

# An example that takes long, or is long in being made, says something about the machine and not about the property.
settings.register_profile("hivesync", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hivesync")

# Programs inherit what is ignored, as a job in the background has Ctrl-C ignored; but not who listens.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST_FIRST = (
    "tests/http/test_description.py",
    "tests/faults",
    "tests/e2e",
    "tests/bootstrap",
    "tests/http",
    "tests/reviews",
    "tests/live",
    "tests/projections",
    "tests/eventstore",
)
"""What takes longest goes first: where a run has several processes, none is left with a long file at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests by how long the folders take that they are in; the order within one stays."""

    def rank(item: pytest.Item) -> int:
        path = item.path.relative_to(item.config.rootpath).as_posix()
        return next((at for at, prefix in enumerate(LONGEST_FIRST) if path.startswith(prefix)), len(LONGEST_FIRST))

    items.sort(key=rank)


@pytest.fixture(scope="module", autouse=True)
def product_as_it_was() -> Iterator[None]:
    """No file's tests leave the product changed for those that run after them in the same process."""
    before = left_over.bindings()
    yield
    assert left_over.changed(before) == []


@pytest.fixture(scope="session")
def postgres_servers() -> Iterator[PostgresServers]:
    """The PostgreSQL servers of this run; for tests that kill or pause one, start an EmbeddedPostgres of your own."""
    servers = PostgresServers()
    try:
        yield servers
    finally:
        servers.stop()


@pytest.fixture
def postgres_url(postgres_servers: PostgresServers) -> Iterator[str]:
    """The URL of a fresh database with the schema, on PostgreSQL 18."""
    with postgres_servers.get("18").database() as url:
        yield url


@pytest.fixture(params=versions(), ids=lambda version: f"pg{version}")
def any_postgres_url(request: pytest.FixtureRequest, postgres_servers: PostgresServers) -> Iterator[str]:
    """The URL of a fresh database with the schema, on each PostgreSQL version that this machine has."""
    with postgres_servers.get(request.param).database() as url:
        yield url


@pytest.fixture
def empty_database(postgres_servers: PostgresServers) -> Iterator[str]:
    """The URL of a fresh database with nothing in it, on PostgreSQL 18."""
    with postgres_servers.get("18").database(empty=True) as url:
        yield url


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[ValkeyServer]:
    """The Valkey server of this run; ask for `valkey` or `valkey_url`, which empty it first."""
    server = ValkeyServer()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def valkey(shared_valkey: ValkeyServer) -> ValkeyServer:
    """The run's Valkey server, empty."""
    shared_valkey.flush()
    return shared_valkey


@pytest.fixture
def valkey_url(valkey: ValkeyServer) -> str:
    """The URL of the run's Valkey server, empty."""
    return valkey.url


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A Valkey server of the test's own, to kill and to pause."""
    with ValkeyServer() as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The program of a Chromium that runs here, installed first when there is none."""
    return ensure_chromium()
