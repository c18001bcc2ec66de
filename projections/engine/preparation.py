"""What has to be done before read models serve: tables made, those of another version rebuilt, parked streams tried."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from psycopg import AsyncConnection

from projections.engine.entries import LogDatabase, LogReader
from projections.engine.lease import LIVE_BUILD, LeaseLost
from projections.engine.readmodel import ReadModel
from projections.engine.rebuild import Rebuild, RebuildBusy, RebuildProgress
from projections.engine.registration import register
from projections.engine.retry import parked_streams, retry_stream

logger = logging.getLogger(__name__)

REBUILD_BEYOND_EVENTS = 20_000
"""So far behind the log, a rebuild is faster than to catch up."""

OTHERS_PAUSE_S = 1.0

_REGISTERED = b"SELECT version, position FROM ops.projections WHERE name = %s AND build = %s"

Told = Callable[[str], None]


async def prepare(
    database: LogDatabase, reader: LogReader, models: Sequence[ReadModel], owner: str, on_step: Told
) -> None:
    """Bring every read model to this version and near the head of the log; several processes may do it at once.

    A rebuild that another process has begun is waited for, and one that was interrupted is taken up. Parked streams are
    tried once more, since this version may know what an earlier one did not.
    """
    for model in models:
        async with database.direct("hivesync-prepare") as connection:
            await register(connection, model)
            while await _needs_rebuild(connection, reader, model):
                try:
                    await _rebuild(connection, reader, model, owner, on_step)
                except (RebuildBusy, LeaseLost) as error:
                    on_step(f"waiting for the read model {model.name}: {error}")
                    await asyncio.sleep(OTHERS_PAUSE_S)
            await _retry_parked(connection, reader, model)


async def _needs_rebuild(connection: AsyncConnection[Any], reader: LogReader, model: ReadModel) -> bool:
    ((version, position),) = await (await connection.execute(_REGISTERED, (model.name, LIVE_BUILD))).fetchall()
    behind = await reader.head() - int(position)
    return bool(version != model.version) or behind > REBUILD_BEYOND_EVENTS


async def _rebuild(
    connection: AsyncConnection[Any], reader: LogReader, model: ReadModel, owner: str, on_step: Told
) -> None:
    logger.info("the read model %s is rebuilt before it serves", model.name)

    def on_progress(progress: RebuildProgress) -> None:
        on_step(f"rebuilding the read model {model.name}: {progress.position:,} of {progress.target:,} events")

    rebuild = Rebuild(connection, reader, model, owner)
    on_step(f"rebuilding the read model {model.name}")
    await rebuild.begin()
    await rebuild.run(await reader.head(), on_progress)
    on_step(f"indexing the read model {model.name}")
    await rebuild.finish_indexes()
    await rebuild.swap()


async def _retry_parked(connection: AsyncConnection[Any], reader: LogReader, model: ReadModel) -> None:
    for parked in await parked_streams(reader.database, [model.name]):
        retried = await retry_stream(connection, model, reader.catalogue, parked.stream_id)
        logger.info("parked stream %s of %s tried again: %s", parked.stream_id, model.name, retried)
