"""Replay over the API and on the command line: how far read models are, what is parked, and rebuilds as jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta

from shared.api.base import NOT_BLANK, Answer, Request

REASON_MAX = 2_000
PROJECTION_NAME = r"^[a-z][a-z0-9_]{0,62}$"
MOMENT = r"^([0-9]{1,18}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2}))$"

ProjectionName = Annotated[str, Meta(pattern=PROJECTION_NAME, description="Such as `board`.")]
Moment = Annotated[str, Meta(pattern=MOMENT)]
Mode = Literal["rebuild", "dry_run", "check", "audit"]
JobStatus = Literal["running", "completed", "failed", "cancelled", "interrupted"]


class ReplayRequest(Request, frozen=True, kw_only=True):
    """What to do with one read model, or with all of them where none is named."""

    mode: Mode = "rebuild"
    projection: ProjectionName | None = None
    to: Annotated[
        Moment | None, Meta(description="Rebuild up to this position or time, beside what serves, and leave it there.")
    ] = None


class SkipRequest(Request, frozen=True, kw_only=True):
    """Why the read model goes on without the event; it is kept in the history."""

    reason: Annotated[str, Meta(min_length=1, max_length=REASON_MAX, pattern=NOT_BLANK)]


class ShownProjection(Answer, frozen=True, kw_only=True):
    """How far a read model is."""

    projection: str
    version: int
    position: int
    lag: Annotated[int, Meta(ge=0, description="Events of the log that it does not show yet.")]
    events: int
    parked: Annotated[int, Meta(description="Streams that wait for a retry or a skip.")]
    owner: Annotated[str | None, Meta(description="The process that keeps it up to date.")]
    rebuilding_at: Annotated[int | None, Meta(description="How far a rebuild beside it is, where there is one.")]
    updated_at: datetime


class ProjectionList(Answer, frozen=True, kw_only=True):
    """Every read model."""

    items: list[ShownProjection]
    head: int


class ParkedStream(Answer, frozen=True, kw_only=True):
    """A stream that a read model waits with, the event in its way, and why."""

    projection: str
    stream_id: UUID
    position: int
    topic: str
    cause: str
    parked_at: datetime


class ParkedList(Answer, frozen=True, kw_only=True):
    """The parked streams, at most a thousand."""

    items: list[ParkedStream]


class Retried(Answer, frozen=True, kw_only=True):
    """What became of another try: the events that were processed, and what is in the way now, if anything."""

    projection: str
    stream_id: UUID
    processed: int
    position: int | None = None
    cause: str | None = None


class Difference(Answer, frozen=True, kw_only=True):
    """A row that is not the same in the live and in the rebuilt read model; none where it is missing."""

    table: str
    key: str
    live: dict[str, Any] | None
    rebuilt: dict[str, Any] | None


class Flaw(Answer, frozen=True, kw_only=True):
    """An event that a read model was not given, or was given twice, between two positions.

    The position is none where there are too many to tell.
    """

    kind: Literal["skipped", "doubled", "unclear"]
    position: int | None
    after: int
    up_to: int


class Replayed(Answer, frozen=True, kw_only=True):
    """What a replay of one read model came to. ``differing`` counts all rows that differ; not all may be told."""

    projection: str
    mode: Mode
    position: int
    events: int
    resumed_at: int = 0
    swapped: bool = False
    parked: int = 0
    differing: int = 0
    differences: tuple[Difference, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    seconds: float = 0.0

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found that should not be."""
        return self.differing == 0 and not self.flaws


class ReplayProgress(Answer, frozen=True, kw_only=True):
    """How far a replay is: of which read model, at what, and with what rate."""

    projection: str
    step: Literal["rebuilding", "indexing", "comparing", "swapping", "auditing"]
    position: int = 0
    target: int = 0
    events_per_s: float = 0.0
    time_left_s: float | None = None


class ShownReplay(Answer, frozen=True, kw_only=True):
    """A replay as a job."""

    replay_id: UUID
    mode: Mode
    projections: list[str]
    to: str | None
    status: JobStatus
    requested_by: UUID
    requested_at: datetime
    ended_at: datetime | None
    progress: ReplayProgress | None
    results: list[Replayed]
    cause: str | None


class ReplayList(Answer, frozen=True, kw_only=True):
    """The latest replays, the newest first."""

    items: list[ShownReplay]
