"""Makes the tables of a read model that is new to a database, empty and ready to be projected into."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from projections.engine.lease import LIVE_BUILD
from projections.engine.readmodel import ReadModel
from projections.engine.tables import LIVE, create_indexes, create_tables

_LOCK = b"SELECT pg_advisory_xact_lock(7237102)"
_REGISTERED = b"SELECT 1 FROM ops.projections WHERE name = %s AND build = %s"
_REGISTER = b"INSERT INTO ops.projections (name, build, version) VALUES (%s, %s, %s)"


async def register(connection: AsyncConnection[Any], model: ReadModel) -> None:
    """Make the tables and note the read model, where it is not known; several processes may do it at once."""
    if await (await connection.execute(_REGISTERED, (model.name, LIVE_BUILD))).fetchone() is not None:
        return
    async with connection.transaction():
        await connection.execute(_LOCK)
        if await (await connection.execute(_REGISTERED, (model.name, LIVE_BUILD))).fetchone() is None:
            await create_tables(connection, model, LIVE)
            await create_indexes(connection, model, LIVE)
            await connection.execute(_REGISTER, (model.name, LIVE_BUILD, model.version))
