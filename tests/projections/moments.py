"""The board, the help queue and the projects as a fold in memory shows them: what every query must agree with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from hivesync_core.kernel.event import Recorded
from projections.board import Board
from projections.board.model import COMMENTS, TASKS, TEXTS, TaskRow
from projections.board.queries import TaskFilter
from projections.engine.rows import fold
from projections.help_queue import HelpQueue
from projections.help_queue.model import CALLS
from projections.projects import Projects
from projections.projects.model import PROJECTS, ProjectRow

_PRIORITIES = ("none", "low", "medium", "high", "urgent")
_SORT_KEYS = {
    "updated": lambda row: row.updated_at,
    "created": lambda row: row.created_at,
    "title": lambda row: row.title,
    "priority": lambda row: _PRIORITIES.index(row.priority),
    "due": lambda row: row.due or date.max,
}


class Moment:
    """What stood after the first events of a log."""

    def __init__(self, log: Sequence[Recorded], position: int) -> None:
        prefix = log[:position]
        board = fold(Board(), prefix)
        self._tasks: dict[Any, TaskRow] = board.of(TASKS).all()
        self._texts = board.of(TEXTS).all()
        self._comments = sorted(board.of(COMMENTS).all().values(), key=lambda comment: comment.position)
        self._calls = fold(HelpQueue(), prefix).of(CALLS).all()
        self._projects: dict[Any, ProjectRow] = fold(Projects(), prefix).of(PROJECTS).all()

    def board(self, project_id: UUID, wanted: TaskFilter, sort: str) -> list[Any]:
        """The tasks of a project that meet a filter, sorted, as their documents say."""
        rows = [row for row in self._tasks.values() if row.project_id == project_id and self._meets(row, wanted)]
        key = _SORT_KEYS[sort.removeprefix("-")]
        rows.sort(key=lambda row: (key(row), row.task_id), reverse=sort.startswith("-"))
        return [_plain(row) for row in rows]

    def task(self, task_id: UUID) -> dict[str, Any] | None:
        """A task with its text and its comments."""
        if task_id not in self._tasks:
            return None
        comments = [_plain(comment) for comment in self._comments if comment.task_id == task_id]
        return {"task": _plain(self._tasks[task_id]), "text": _plain(self._texts[task_id]), "comments": comments}

    def cards(self, project_id: UUID) -> dict[UUID, Any]:
        """The tasks of a project, by id."""
        return {key: _plain(row) for key, row in self._tasks.items() if row.project_id == project_id}

    def queue(self, project_id: UUID) -> list[tuple[int | None, Any]]:
        """The help queue: place and call, those that wait first."""
        calls = [call for call in self._calls.values() if call.project_id == project_id and not call.put_away]
        calls.sort(key=lambda call: (call.helper_id is not None, call.requested_at, call.task_id))
        return [(place if call.helper_id is None else None, _plain(call)) for place, call in enumerate(calls, 1)]

    def projects(self) -> list[Any]:
        """Every project, by name."""
        return [_plain(row) for row in sorted(self._projects.values(), key=lambda row: (row.name, row.project_id))]

    def project(self, project_id: UUID) -> Any:
        """One project, or none."""
        row = self._projects.get(project_id)
        return None if row is None else _plain(row)

    def members(self, project_id: UUID) -> set[UUID]:
        """Who belongs to a project."""
        row = self._projects.get(project_id)
        return set() if row is None else set(row.member_ids)

    def _meets(self, row: TaskRow, wanted: TaskFilter) -> bool:
        text = self._texts[row.task_id]
        return (
            (not wanted.states or row.state in wanted.states)
            and (wanted.assignee is None or row.assignee_id == wanted.assignee)
            and (not wanted.unassigned or row.assignee_id is None)
            and set(wanted.labels) <= set(row.labels)
            and all(word in f"{text.title} {text.description}".lower().split() for word in wanted.text.lower().split())
        )


def _plain(row: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(row))
