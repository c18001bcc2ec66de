"""The connection that an export reads the log over."""

from __future__ import annotations

import psycopg

from adapters.postgres.connections import DIRECT_STATEMENT_TIMEOUT_S, app_conninfo
from projections.exports.source import LogReader


def open_reader(url: str) -> LogReader:
    """A reader of the log, as the application's role; connections are made when they are needed."""
    conninfo = app_conninfo(url, application_name="hivesync-export", statement_timeout_s=DIRECT_STATEMENT_TIMEOUT_S)
    return LogReader(lambda: psycopg.connect(conninfo, autocommit=True))
