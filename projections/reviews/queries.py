"""What can be asked of reviews: pages of them, one as its stream tells it, those that run, and all of one prompt version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from hivesync_core.kernel.event import Recorded
from hivesync_core.reviews.refusals import ReviewNotFound
from projections.engine.queries import PAGE_ROWS, Page, QueryDatabase, decode_cursor, encode_cursor
from projections.engine.rows import fold
from projections.reviews.model import REVIEWS, ReviewRow, Reviews

_RUNNING = (
    "SELECT review_id FROM readmodel.review WHERE status IN ('requested', 'generating') "
    "ORDER BY requested_at_position LIMIT %s"
)
_WAITING = "SELECT count(*) FROM readmodel.review WHERE status IN ('requested', 'generating') AND requested_by = %s"


async def review_page(
    database: QueryDatabase,
    *,
    projects: Iterable[UUID] | None = None,
    statuses: Iterable[str] = (),
    prompt_version: int | None = None,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> Page:
    """A page of reviews, the newest first: those of these projects, of all where ``projects`` is none."""
    rows = await _rows(database, projects, list(statuses), prompt_version, cursor, limit)
    docs = ",".join([doc for doc, _ in rows[:limit]])
    return Page(f"[{docs}]".encode(), encode_cursor(rows[limit - 1][1]) if len(rows) > limit else None)


async def reviews_of_prompt(
    database: QueryDatabase, version: int, *, cursor: str | None = None, limit: int = PAGE_ROWS
) -> tuple[list[ReviewRow], str | None]:
    """Reviews that came from one version of the prompt, the newest first, and the cursor of the page after."""
    rows = await _rows(database, None, [], version, cursor, limit)
    decoded = [msgspec.json.decode(doc, type=ReviewRow) for doc, _ in rows[:limit]]
    return decoded, encode_cursor(rows[limit - 1][1]) if len(rows) > limit else None


async def _rows(
    database: QueryDatabase,
    projects: Iterable[UUID] | None,
    statuses: list[str],
    prompt_version: int | None,
    cursor: str | None,
    limit: int,
) -> list[tuple[Any, ...]]:
    conditions, params = ["true"], list[Any]()
    if projects is not None:
        conditions.append("project_id = ANY(%s)")
        params.append(list(projects))
    if statuses:
        conditions.append("status = ANY(%s)")
        params.append(statuses)
    if prompt_version is not None:
        conditions.append("prompt_version = %s")
        params.append(prompt_version)
    if cursor is not None:
        conditions.append("requested_at_position < %s")
        params += decode_cursor(cursor, int)
    return await database.fetch_all(
        f"SELECT doc, requested_at_position FROM readmodel.review WHERE {' AND '.join(conditions)} "
        "ORDER BY requested_at_position DESC LIMIT %s",
        [*params, limit + 1],
    )


def review_of(stream: Iterable[Recorded]) -> ReviewRow:
    """A review as its own events tell it, however far the read model is; raises ``ReviewNotFound`` without any."""
    for row in fold(Reviews(), stream).of(REVIEWS).all().values():
        return row
    raise ReviewNotFound


async def running_reviews(database: QueryDatabase, limit: int) -> list[UUID]:
    """Reviews that have not ended, the oldest first."""
    return [review_id for (review_id,) in await database.fetch_all(_RUNNING, (limit,))]


async def waiting_of(database: QueryDatabase, account_id: UUID) -> int:
    """How many reviews that an account asked for have not ended."""
    row = await database.fetch_one(_WAITING, (account_id,))
    return 0 if row is None else int(row[0])


async def decided_reviews(database: QueryDatabase, limit: int) -> list[ReviewRow]:
    """The newest reviews with a comment that people decided on, ready or closed."""
    rows = await database.fetch_all(
        "SELECT doc FROM readmodel.review WHERE status IN ('ready', 'closed') AND EXISTS ("
        "SELECT 1 FROM json_array_elements(doc::json->'comments') c WHERE c->>'decision' <> 'suggested') "
        "ORDER BY requested_at_position DESC LIMIT %s",
        (limit,),
    )
    return [msgspec.json.decode(doc, type=ReviewRow) for (doc,) in rows]


_DECISIONS = ("suggested", "approved", "edited", "discarded", "retracted")
_SCORES = f"""
    SELECT r.prompt_version, count(DISTINCT r.review_id),
        {", ".join(f"count(*) FILTER (WHERE c->>'decision' = '{name}')" for name in _DECISIONS)},
        (SELECT coalesce(sum(json_array_length(x.doc::json->'refused')), 0) FROM readmodel.review x
         WHERE x.prompt_version = r.prompt_version)::bigint
    FROM readmodel.review r LEFT JOIN LATERAL json_array_elements(r.doc::json->'comments') c ON true
    WHERE r.prompt_version IS NOT NULL GROUP BY r.prompt_version ORDER BY r.prompt_version DESC
"""


async def prompt_scores(database: QueryDatabase) -> list[dict[str, Any]]:
    """What became of the comments of each version of the prompt, the newest first."""
    scores = []
    for version, reviews, *counts, refused in await database.fetch_all(_SCORES):
        told = dict(zip(("undecided", *_DECISIONS[1:]), counts, strict=True))
        liked = told["approved"] + told["edited"]
        decided = liked + told["discarded"] + told["retracted"]
        approval = round(liked / decided, 4) if decided else None
        scores.append({"version": version, "reviews": reviews, **told, "refused": refused, "approval": approval})
    return scores
