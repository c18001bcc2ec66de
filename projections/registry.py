"""Every read model; a new one is one more line here."""

from __future__ import annotations

from projections.board import Board
from projections.engine.readmodel import ReadModel
from projections.export_jobs import ExportJobs
from projections.help_queue import HelpQueue
from projections.history import History
from projections.live import LiveSessions
from projections.projects import Projects
from projections.reviews import Reviews

READ_MODELS: tuple[ReadModel, ...] = (
    Board(),
    HelpQueue(),
    Projects(),
    History(),
    ExportJobs(),
    LiveSessions(),
    Reviews(),
)
