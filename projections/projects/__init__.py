"""Projects and who belongs to them, now or at any earlier moment."""

from __future__ import annotations

from projections.projects.model import Projects

__all__ = ["Projects"]
