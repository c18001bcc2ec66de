"""A client that keeps a picture of its projects: read once from the API, then kept by what the socket sends."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.kernel.event import Meta, Recorded
from projections.board import Board
from projections.board.model import COMMENTS, TASKS, TEXTS, CommentRow, TaskRow, TextRow
from projections.board.queries import TaskFilter, task_detail, task_page
from projections.engine.queries import QueryDatabase
from projections.engine.rows import fold
from projections.projects import Projects
from projections.projects.model import PROJECTS, ProjectRow
from projections.projects.queries import project_detail
from tests.gateway.client import Message


class Snapshot(NamedTuple):
    """Everything that the API says of one project at a position."""

    project: ProjectRow
    tasks: dict[UUID, TaskRow]
    texts: dict[UUID, TextRow]
    comments: dict[int, CommentRow]


async def read_snapshot(database: QueryDatabase, project_id: UUID, position: int) -> Snapshot:
    """A project as it stood."""
    project = msgspec.json.decode(await project_detail(database, project_id, as_of=position), type=ProjectRow)
    snapshot = Snapshot(project, {}, {}, {})
    page = await task_page(database, project_id, TaskFilter(), limit=200, as_of=position)
    assert page.next_cursor is None
    for card in msgspec.json.decode(page.items, type=list[TaskRow]):
        detail = await task_detail(database, card.task_id, as_of=position)
        snapshot.tasks[card.task_id] = card
        snapshot.texts[card.task_id] = msgspec.json.decode(detail.text, type=TextRow)
        for comment in msgspec.json.decode(detail.comments, type=list[CommentRow]):
            snapshot.comments[comment.position] = comment
    return snapshot


class Picture:
    """What the client knows; ``account`` is its own."""

    def __init__(self, database: QueryDatabase, account: UUID) -> None:
        self._database = database
        self._account = account
        self._since: dict[UUID, int] = {}
        self._heard = 0
        self._board, self._projects = fold(Board(), ()), fold(Projects(), ())

    @property
    def projects(self) -> set[UUID]:
        """The projects in the picture."""
        return set(self._since)

    async def read(self, project_id: UUID, position: int) -> None:
        """Take a project into the picture, as it stood."""
        snapshot = await read_snapshot(self._database, project_id, position)
        self._since[project_id] = position
        self._board.position = self._projects.position = position
        self._projects.of(PROJECTS).insert(snapshot.project)
        for card in snapshot.tasks.values():
            self._board.of(TASKS).insert(card)
        for text in snapshot.texts.values():
            self._board.of(TEXTS).insert(text)
        for comment in snapshot.comments.values():
            self._board.of(COMMENTS).insert(comment)

    def drop(self, project_id: UUID) -> None:
        """Take a project out of the picture."""
        if self._since.pop(project_id, None) is not None:
            self._projects.of(PROJECTS).delete(project_id)
            gone = {key for key, row in self._board.of(TASKS).all().items() if row.project_id == project_id}
            for key, comment in list(self._board.of(COMMENTS).all().items()):
                if comment.task_id in gone:
                    self._board.of(COMMENTS).delete(key)
            for key in gone:
                self._board.of(TASKS).delete(key)
                self._board.of(TEXTS).delete(key)

    async def hear(self, message: Message) -> None:
        """Let an event change the picture, by the rules that the server's own projections have."""
        recorded = decoded(message)
        assert recorded.position > self._heard, "events come once, and in order"
        self._heard = recorded.position
        if message["project_id"] is None:
            return
        project_id = UUID(message["project_id"])
        if message["event_type"] == "project.member_removed" and recorded.event.account_id == self._account:
            self.drop(project_id)
            return
        if message["event_type"] in ("project.created", "project.member_added") and project_id not in self._since:
            if getattr(recorded.event, "account_id", getattr(recorded.event, "created_by", None)) == self._account:
                await self.read(project_id, recorded.position)
            return
        if project_id in self._since and recorded.position > self._since[project_id]:
            for model, rows in ((Board(), self._board), (Projects(), self._projects)):
                if type(recorded.event) in model.events:
                    rows.position = recorded.position
                    model.apply(recorded, rows)

    def of(self, project_id: UUID) -> Snapshot:
        """What the picture shows of a project."""
        project = self._projects.of(PROJECTS).get(project_id)
        assert project is not None
        tasks = {k: row for k, row in self._board.of(TASKS).all().items() if row.project_id == project_id}
        texts = {k: row for k, row in self._board.of(TEXTS).all().items() if row.project_id == project_id}
        comments = {k: row for k, row in self._board.of(COMMENTS).all().items() if row.task_id in tasks}
        return Snapshot(project, tasks, texts, comments)  # type: ignore[arg-type]


def decoded(message: Message) -> Recorded:
    """The event of a message in its envelope, as the server's own projections take it."""
    topic = f"{message['event_type']}.v{message['schema_version']}"
    payload: dict[str, Any] = {"type": topic, **message["payload"]}
    nobody = UUID(int=0)
    return Recorded(
        position=message["position"],
        stream_id=UUID(message["stream_id"]),
        version=message["version"],
        event=the_catalogue().decode(topic, msgspec.json.encode(payload)),
        meta=Meta(
            event_id=UUID(message["event_id"]),
            recorded_at=datetime.fromisoformat(message["time"]),
            actor=message["actor"],
            correlation_id=nobody,
            command_id=nobody,
        ),
    )
