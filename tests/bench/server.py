"""A PostgreSQL 18 of the bench's own, with its durable defaults, and the schema in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.postgres.embedded import EmbeddedPostgres
from adapters.postgres.schema import create_schema


@contextmanager
def own_server() -> Iterator[str]:
    """The URL of an empty database with the schema, on a server that ends with the block."""
    with (
        tempfile.TemporaryDirectory(prefix="hivesync-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "pg") as server,
    ):
        create_schema(server.url())
        yield server.url()
