"""The history over the API: events with who, when and why."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.api.base import Answer
from shared.api.tasks import HistoryEntry


class HistoryItem(HistoryEntry, frozen=True, kw_only=True):
    """One event of any stream."""

    stream_id: UUID
    project_id: Annotated[UUID | None, Meta(description="The project that the stream belongs to.")]


class WholeHistoryPage(Answer, frozen=True, kw_only=True):
    """A page of the history."""

    items: list[HistoryItem]
    next_cursor: str | None
    position: int
