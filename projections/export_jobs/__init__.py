"""Who asked for which export, and what became of it."""

from __future__ import annotations

from projections.export_jobs.model import ExportJobs

__all__ = ["ExportJobs"]
