"""The read model of reviews: its rows are what the events of each stream say, live and rebuilt."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from projections.reviews.queries import review_of, running_reviews
from tests.http.harness import RunningServer
from tests.reviews.desk import Desk


async def rows(server: RunningServer) -> dict[UUID, Any]:
    """The documents of the table."""
    found = await server.parts.database.fetch_all("SELECT review_id, doc FROM readmodel.review")
    return {review_id: msgspec.json.decode(doc) for review_id, doc in found}


async def test_rows_are_what_the_events_say_after_every_kind_of_event(desk: Desk) -> None:
    whole = (await desk.made())["review_id"]
    await desk.do(whole, "approve", {"indexes": [0, 1]})
    await desk.do(whole, "comments/2/edit", {"content": "Other words for it."})
    await desk.do(whole, "discard", {"indexes": [0]})
    await desk.do(whole, "apply", {})
    await desk.do(whole, "retract", {"indexes": [1], "reason": "It was wrong."})
    await desk.do(whole, "close")
    await desk.made("def f(:\n", "broken.py")
    await desk.set(base_url="http://127.0.0.1:9/v1", tries_max=1)
    assert (await desk.made())["status"] == "failed"
    position = await desk.server.events()
    await desk.ann.get(f"/projects/{desk.project_id}/reviews", params={"min_position": position})
    stored = await rows(desk.server)
    assert len(stored) == 3
    for review_id, row in stored.items():
        stream = await desk.server.parts.services.streams.read_stream(review_id)
        assert msgspec.to_builtins(review_of(stream)) == row
    assert await running_reviews(desk.server.parts.database, 10) == []
