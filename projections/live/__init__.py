"""Live sessions: who hosts, since when, how many have watched, and how it ended."""

from __future__ import annotations

from projections.live.model import LiveSessions

__all__ = ["LiveSessions"]
