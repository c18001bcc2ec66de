"""The board: every task of a project with its state, now or at any earlier moment."""

from __future__ import annotations

from projections.board.model import Board

__all__ = ["Board"]
