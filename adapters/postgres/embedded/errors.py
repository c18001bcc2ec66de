"""The one error of the embedded PostgreSQL: its text names cause and remedy and may be shown as it is."""

from __future__ import annotations


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot run; the message is meant for the person who started HiveSync."""
