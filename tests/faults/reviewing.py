"""What the faults of AI documentation share: somebody who submits files over HTTP to servers that are processes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self
from uuid import UUID

import httpx
import psycopg

from tests.faults.stage import Person

KEY = "sk-faults-0123456789abcdef"
"""What the servers are given as the provider's key; it must not be found anywhere either."""

ENDED = ("ready", "refused", "failed", "cancelled", "closed")
_ENDS = ("review.ready.v1", "review.refused.v1", "review.failed.v1", "review.cancelled.v1")


class ReviewDoor:
    """A person's requests to one server; those that cannot be answered at the moment are sent again."""

    def __init__(self, base_url: str, person: Person) -> None:
        self._person = person
        headers = {"authorization": f"Bearer {person.token}"}
        self.client = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=20, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def ask_model(self, url: str, **ai: Any) -> None:
        """Have the server ask the model there."""
        answer = await self.client.patch("/admin/settings", json={"ai": {"base_url": url, **ai}})
        answer.raise_for_status()

    async def submit(self, path: str, source: str) -> UUID:
        """Submit a file; the review's id."""
        body = {"path": path, "source": source}
        answer = await self.client.post(f"/api/v1/projects/{self._person.project_id}/reviews", json=body)
        answer.raise_for_status()
        return UUID(answer.json()["review_id"])

    async def review(self, review_id: UUID) -> dict[str, Any]:
        """The review as it is."""
        answer = await self.client.get(f"/api/v1/reviews/{review_id}")
        answer.raise_for_status()
        shown: dict[str, Any] = answer.json()
        return shown

    async def ended(self, review_id: UUID, wait_s: float) -> dict[str, Any]:
        """The review once it has ended, or as it is when the time is over."""
        shown: dict[str, Any] = {}
        try:
            async with asyncio.timeout(wait_s):
                while not shown or shown["status"] not in ENDED:
                    await asyncio.sleep(0.05)
                    shown = await self.review(review_id)
        except TimeoutError:
            pass
        return shown

    async def do(self, review_id: UUID, what: str, body: Any) -> httpx.Response:
        """Give a command to a review."""
        return await self.client.post(f"/api/v1/reviews/{review_id}/{what}", json=body)


def topics(url: str, review_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The topics of every event of these reviews, in order."""
    found: dict[UUID, list[str]] = {review_id: [] for review_id in review_ids}
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT originator_id, topic FROM eventlog.events WHERE originator_id = ANY(%s) ORDER BY notification_id",
            (list(review_ids),),
        )
        for review_id, topic in rows:
            found[review_id].append(topic)
    return found


def not_ended_once(url: str, review_ids: Sequence[UUID]) -> list[UUID]:
    """Reviews that did not end, or ended more than once."""
    wrong = []
    for review_id, told in topics(url, review_ids).items():
        counted = Counter(told)
        if sum(counted[topic] for topic in _ENDS) != 1 or counted["review.requested.v1"] != 1:
            wrong.append(review_id)
    return wrong
