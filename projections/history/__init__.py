"""The history: one row an event, to be found by project, actor, type, stream and time."""

from __future__ import annotations

from projections.history.model import History

__all__ = ["History"]
