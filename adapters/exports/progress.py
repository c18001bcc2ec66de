"""How far exports are, kept where every node can read it."""

from __future__ import annotations

from uuid import UUID

from adapters.postgres.connections import Database
from projections.exports.writer import Progress
from shared.api.exports import ShownProgress

_KEEP = """
    INSERT INTO ops.export_progress (export_id, rows, size_bytes, fraction, rows_per_s, elapsed_s, time_left_s)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (export_id) DO UPDATE SET rows = excluded.rows, size_bytes = excluded.size_bytes,
        fraction = excluded.fraction, rows_per_s = excluded.rows_per_s, elapsed_s = excluded.elapsed_s,
        time_left_s = excluded.time_left_s, updated_at = clock_timestamp()
"""
_FORGET = "DELETE FROM ops.export_progress WHERE export_id = %s"
_FIND = """
    SELECT rows, size_bytes, fraction, rows_per_s, elapsed_s, time_left_s FROM ops.export_progress WHERE export_id = %s
"""


async def keep_progress(database: Database, export_id: UUID, progress: Progress) -> None:
    """Note how far an export is."""
    await database.execute(
        _KEEP,
        (
            export_id,
            progress.rows,
            progress.size_bytes,
            progress.fraction,
            progress.rows_per_s,
            progress.elapsed_s,
            progress.time_left_s,
        ),
    )


async def forget_progress(database: Database, export_id: UUID) -> None:
    """Forget it: the export has ended."""
    await database.execute(_FORGET, (export_id,))


async def find_progress(database: Database, export_id: UUID) -> ShownProgress | None:
    """How far an export is; none where nobody has told yet."""
    row = await database.fetch_one(_FIND, (export_id,))
    if row is None:
        return None
    rows, size_bytes, fraction, rows_per_s, elapsed_s, time_left_s = row
    return ShownProgress(
        rows=rows,
        size_bytes=size_bytes,
        fraction=fraction,
        rows_per_s=rows_per_s,
        elapsed_s=elapsed_s,
        time_left_s=time_left_s,
    )
