"""How the errors of PostgreSQL and of the network to it read to the rest of HiveSync."""

from __future__ import annotations

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

UNAVAILABLE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.DiskFull,
    PoolTimeout,
    PoolClosed,
    TooManyRequests,
    TimeoutError,
    ConnectionError,
)
"""What means "the database does not serve now": not a fault of the command, and worth another try later."""

TOO_LARGE = (psycopg.errors.ProgramLimitExceeded, psycopg.errors.StatementTooComplex)
"""What psycopg counts as operational and is the fault of what was sent: the same again fails again."""
