"""The history log: `history.jsonl`, an append-only copy of the stream of events that survives any crash (HIST-4)."""

from __future__ import annotations

from projections.history_file.keeper import HistoryKeeper

__all__ = ["HistoryKeeper"]
