"""What is kept of each live session."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from hivesync_core.kernel.event import Recorded
from hivesync_core.live.events import SessionEnded, SessionStarted, ViewerJoined
from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import Rows


class LiveRow(msgspec.Struct):
    """A live session; ``reason`` and ``ended_at`` are none while it runs. ``joined`` counts everybody who ever joined."""

    session_id: UUID
    project_id: UUID
    host_id: UUID
    title: str
    allow: tuple[str, ...]
    status: str
    started_at: datetime
    started_at_position: int
    joined: int = 0
    reason: str | None = None
    ended_at: datetime | None = None


SESSIONS = Table(
    "live_session",
    LiveRow,
    key="session_id",
    exposed=("project_id", "host_id", "status", "started_at_position"),
    indexes=("(project_id, started_at_position)", "(host_id, status)"),
)


class LiveSessions(ReadModel):
    """Every live session."""

    name = "live"
    tables = (SESSIONS,)
    events = (SessionStarted, ViewerJoined, SessionEnded)

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Apply one event of a live session."""
        sessions, event = rows.of(SESSIONS), recorded.event
        match event:
            case SessionStarted():
                started = LiveRow(
                    session_id=recorded.stream_id,
                    project_id=event.project_id,
                    host_id=event.host_id,
                    title=event.title,
                    allow=event.allow,
                    status="running",
                    started_at=event.started_at,
                    started_at_position=recorded.position,
                )
                sessions.insert(started)
            case ViewerJoined():
                sessions.change(recorded.stream_id).joined += 1
            case SessionEnded(reason=reason):
                row = sessions.change(recorded.stream_id)
                row.status, row.reason, row.ended_at = "ended", str(reason), recorded.meta.recorded_at
