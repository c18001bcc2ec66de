"""A private PostgreSQL that HiveSync starts, watches and stops itself, for a run with nothing else installed."""

from __future__ import annotations

from adapters.postgres.embedded.errors import EmbeddedPostgresError
from adapters.postgres.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
