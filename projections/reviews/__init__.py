"""Reviews as people see them: how far each is, its comments, and what was decided on them."""

from __future__ import annotations

from projections.reviews.model import Reviews

__all__ = ["Reviews"]
