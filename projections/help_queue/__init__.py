"""The help queue: who waits for help, since when, and who has claimed a call until when."""

from __future__ import annotations

from projections.help_queue.model import HelpQueue

__all__ = ["HelpQueue"]
