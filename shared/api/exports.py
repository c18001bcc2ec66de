"""Exports over the API: what is asked for, how far it is, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from shared.api.base import Answer, Request

TYPES_MAX = 100
POSITION_MAX = (1 << 53) - 1
"""Positions that every client's JSON can tell apart."""

FormatName = Literal["csv", "txt", "jsonl", "jsonocel"]
StatusName = Literal["requested", "completed", "failed", "cancelled", "removed"]

TYPE_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"
ACTOR_PATTERN = r"^(system|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"

TypeName = Annotated[
    str,
    Meta(
        max_length=200, pattern=TYPE_PATTERN, description="Such as `task.help_claimed.v1`, or a beginning like `task`."
    ),
]
ActorName = Annotated[str, Meta(pattern=ACTOR_PATTERN, description="An account id, or `system`.")]
Position = Annotated[int, Meta(ge=0, le=POSITION_MAX)]
Time = Annotated[datetime, Meta(tz=True)]


class ExportRequest(Request, frozen=True, kw_only=True):
    """Which part of the history: what meets every condition that is given, and all of it where none is."""

    format: FormatName
    project_id: Annotated[UUID | None, Meta(description="Left out: every project, for admins only.")] = None
    actor: ActorName | None = None
    types: Annotated[tuple[TypeName, ...], Meta(max_length=TYPES_MAX)] = ()
    stream_id: Annotated[UUID | None, Meta(description="One task, project or account.")] = None
    since: Annotated[Time | None, Meta(description="Recorded at this time or later.")] = None
    until: Annotated[Time | None, Meta(description="Recorded before this time.")] = None
    after: Annotated[Position, Meta(description="Positions after this one.")] = 0
    through: Annotated[
        Position | None, Meta(description="Positions up to this one; else up to the request itself.")
    ] = None


class ShownSelection(Answer, frozen=True, kw_only=True):
    """The part of the history that was asked for; what was not asked for is left out."""

    project_id: UUID | None = None
    actor: str | None = None
    types: tuple[str, ...] = ()
    stream_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int = 0
    through: int | None = None


class ShownProgress(Answer, frozen=True, kw_only=True):
    """How far an export is that is being written."""

    rows: int
    size_bytes: int
    fraction: Annotated[float, Meta(ge=0, le=1)]
    rows_per_s: float
    elapsed_s: float
    time_left_s: float | None


class ShownExport(Answer, frozen=True, kw_only=True):
    """An export. Its file, its manifest and its proof are below its own address, as `file`, `manifest` and `proof`."""

    export_id: UUID
    project_id: UUID | None
    format: FormatName
    selection: ShownSelection
    status: StatusName
    requested_by: UUID
    requested_at: datetime
    through: Annotated[int, Meta(description="The last position that it looks at.")]
    ended_at: datetime | None = None
    cause: Annotated[str | None, Meta(description="Why it failed, or was removed.")] = None
    rows: int | None = None
    size_bytes: int | None = None
    sha256: Annotated[str | None, Meta(description="Of the file's bytes, in hex; also its `ETag`.")] = None
    first_position: int | None = None
    last_position: int | None = None
    progress: ShownProgress | None = None


class ExportPage(Answer, frozen=True, kw_only=True):
    """A page of exports, the newest first."""

    items: list[ShownExport]
    next_cursor: str | None
    position: int
