"""The process that writes one export: it takes its memory and its core with it when it ends, and ends with its parent."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

import msgspec
import psycopg

from adapters.exports.attesting import attested, attestor
from adapters.exports.messages import Order, Told
from adapters.exports.reading import open_reader
from adapters.postgres.connections import Database
from adapters.proof.keeper import NothingToSign, OtherKey
from adapters.proof.keys import SigningKeyProblem
from adapters.proof.tree_store import LogRewritten
from hivesync_core.eventstore.errors import StoreError
from projections.exports.manifest import Manifest
from projections.exports.whole_file import StillWritten
from projections.exports.writer import Writing, write_export

NICENESS = 5
"""Exports let people go first."""

_FINAL = (OtherKey, LogRewritten, NothingToSign, SigningKeyProblem)
_PASSING = (psycopg.OperationalError, StoreError, ConnectionError, TimeoutError)


def main() -> int:
    """Write what is ordered on standard input, and tell of it on standard output."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(NICENESS)
    try:
        _tell(Told(manifest=asyncio.run(_write(order))))
    except _PASSING as error:
        _tell(Told(failure=f"the database went away: {error}"))
        return 1
    except StillWritten as error:
        _tell(Told(failure=str(error)))
        return 1
    except OSError as error:
        _tell(Told(failure=f"the file cannot be written: {error.strerror or error}", is_final=True))
        return 1
    except _FINAL as error:
        _tell(Told(failure=str(error), is_final=True))
        return 1
    return 0


async def _write(order: Order) -> Manifest:
    database = Database(order.url, size=2)
    await database.open()
    reader = open_reader(order.url)
    path = Path(order.path)
    try:
        attests = attestor(database, order.settings, Path(order.settings.data_dir), asyncio.get_running_loop())
        writing = attested(attests, path, order.job, Writing(on_progress=lambda told: _tell(Told(progress=told))))
        return await asyncio.to_thread(write_export, reader, order.job, path, writing)
    finally:
        reader.close()
        await database.close()


def _tell(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    """Standard input ends when the parent does, however it ended."""
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
