"""Somebody who has files documented: what they do over HTTP, and what they wait for."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple, Self
from uuid import UUID

from tests.http.harness import Person, RunningServer
from tests.servers.model import ModelServer

WAIT_S = 120.0
SOURCE = """\
import os


def first(path):
    return os.path.join(path, "first")


def second(path):
    return os.path.join(path, "second")
"""
ENDED = ("ready", "refused", "failed", "cancelled", "closed")


class Desk(NamedTuple):
    """An admin who owns a project."""

    server: RunningServer
    model: ModelServer
    ann: Person
    project_id: UUID

    @classmethod
    async def open(cls, server: RunningServer, model: ModelServer, **settings: Any) -> Self:
        """Make the person and the project, and have the server ask the model there."""
        ann = await server.person("Ann", is_admin=True)
        desk = cls(server, model, ann, await ann.project())
        await desk.set(base_url=model.url, **settings)
        return desk

    async def set(self, **ai: Any) -> None:
        """Change the settings of the model."""
        answer = await self.ann.client.patch("/admin/settings", json={"ai": ai})
        assert answer.status_code == 200, answer.text

    async def submit(self, source: str = SOURCE, path: str = "pkg/files.py", **more: Any) -> str:
        """Submit a file; the review's id."""
        body = {"path": path, "source": source, **more}
        answer = await self.ann.post(f"/projects/{self.project_id}/reviews", body)
        assert answer.status_code == 202, answer.text
        review_id: str = answer.json()["review_id"]
        return review_id

    async def review(self, review_id: str) -> dict[str, Any]:
        """The review as it is."""
        answer = await self.ann.get(f"/reviews/{review_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def until(self, review_id: str, *statuses: str, wait_s: float = WAIT_S) -> dict[str, Any]:
        """The review once it has one of these states."""
        async with asyncio.timeout(wait_s):
            while (shown := await self.review(review_id))["status"] not in statuses:
                await asyncio.sleep(0.02)
        return shown

    async def made(self, source: str = SOURCE, path: str = "pkg/files.py", **more: Any) -> dict[str, Any]:
        """A file submitted, and its review once it has ended."""
        return await self.until(await self.submit(source, path, **more), *ENDED)

    async def do(self, review_id: str, what: str, body: Any = None) -> dict[str, Any]:
        """Give a command to a review, which must be taken."""
        answer = await self.ann.post(f"/reviews/{review_id}/{what}", body)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    async def diff(self, review_id: str) -> bytes:
        """The diff of what is approved."""
        answer = await self.ann.get(f"/reviews/{review_id}/diff")
        assert answer.status_code == 200, answer.text
        return answer.content

    async def topics(self, review_id: str) -> list[str]:
        """The events of a review, without the common part of their topics."""
        rows = await self.server.parts.database.fetch_all(
            "SELECT topic FROM eventlog.events WHERE originator_id = %s ORDER BY originator_version", (UUID(review_id),)
        )
        return [topic.removeprefix("review.").removesuffix(".v1") for (topic,) in rows]
