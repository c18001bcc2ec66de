"""How far generations are: kept where every node can read it, and called out to whoever listens on the socket."""

from __future__ import annotations

from uuid import UUID

import msgspec

from adapters.postgres.connections import Database
from shared.socket.messages import ReviewProgress

CHANNEL = "hivesync_review_progress"
"""What is called out here may be lost: it tells how far something is, never that it is done."""

_KEEP = """
    WITH kept AS (
        INSERT INTO jobs.review_progress (review_id, stage, tries, answer_chars) VALUES (%s, %s, %s, %s)
        ON CONFLICT (review_id) DO UPDATE SET stage = excluded.stage, tries = excluded.tries,
            answer_chars = excluded.answer_chars, updated_at = clock_timestamp())
    SELECT pg_notify(%s, %s)
"""
_FORGET = "DELETE FROM jobs.review_progress WHERE review_id = %s OR updated_at < clock_timestamp() - interval '1 day'"
_FIND = "SELECT stage, tries, answer_chars FROM jobs.review_progress WHERE review_id = %s"


async def keep_progress(database: Database, progress: ReviewProgress) -> None:
    """Note how far a generation is, and call it out."""
    text = msgspec.json.encode(progress).decode()
    told = (progress.review_id, progress.stage, progress.tries, progress.answer_chars)
    await database.fetch_one(_KEEP, (*told, CHANNEL, text))


async def forget_progress(database: Database, review_id: UUID) -> None:
    """Forget it: the generation has ended; and what was left behind by workers that died."""
    await database.execute(_FORGET, (review_id,))


async def find_progress(database: Database, review_id: UUID) -> tuple[str, int, int] | None:
    """Stage, tries and characters that have come; none where nobody has told yet."""
    row = await database.fetch_one(_FIND, (review_id,))
    return None if row is None else (row[0], row[1], row[2])
