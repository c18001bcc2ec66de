"""A realistic log: projects whose members create, edit, discuss, help with, complete and review many tasks at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import NamedTuple
from uuid import UUID

from hivesync_core.accounts.events import AccountRegistered
from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import ApprovalPolicy, Role
from hivesync_core.projects.events import MemberAdded, ProjectCreated
from hivesync_core.tasks.events import (
    HelpCheckedIn,
    HelpClaimed,
    HelpReleased,
    HelpRequested,
    HelpWithdrawn,
    Priority,
    TaskApproved,
    TaskArchived,
    TaskCommented,
    TaskCompleted,
    TaskCreated,
    TaskDenied,
    TaskEdited,
    TaskReassigned,
)

START = datetime(2024, 1, 8, 8, tzinfo=UTC)
ACTIVE_TASKS_MAX = 2_000
MEMBERS = 24
_WORDS = """
adapter batch cache cursor deadline dialog draft editor export filter gateway handler index invite label ledger
list lock merge notice outbox page parser patch preview queue range reader replay retry review route schema
search session socket stream table timer token upload viewer webhook worker
"""
_LABELS = ("bug", "docs", "good first issue", "performance", "question", "regression", "security", "ui")
_VOCABULARY = 20_000
_LEASE = timedelta(hours=4)


class Happening(NamedTuple):
    """One event before it is stored: where, by whom and when; ``command_id`` is shared by events of one command."""

    stream_id: UUID
    version: int
    event: Event
    event_id: UUID
    actor: str
    at: datetime
    command_id: UUID


class Story:
    """Tells the same log for the same seed, whatever the number of events asked for."""

    def __init__(self, seed: int = 2024, *, projects: int = 40) -> None:
        self._random = random.Random(seed)
        self._projects = projects
        self._numbers = count(1)
        self._at = START
        self._words = self._random.choices(_WORDS.split(), k=_VOCABULARY)
        self._members: list[AccountId] = []

    def happenings(self, events: int) -> Iterator[Happening]:
        """The first ``events`` happenings."""
        told = self._all()
        for _ in range(events):
            yield next(told)

    def _all(self) -> Iterator[Happening]:
        self._members = [AccountId(self._new_id()) for _ in range(MEMBERS)]
        for number, member in enumerate(self._members):
            yield self._happening(
                member, 1, AccountRegistered(account_id=member, origin="admin", is_admin=number == 0), "system"
            )
        projects = [ProjectId(self._new_id()) for _ in range(self._projects)]
        for project in projects:
            yield from self._project(project)
        active: list[Iterator[Happening]] = []
        while True:
            if len(active) < ACTIVE_TASKS_MAX and (len(active) < 50 or self._random.random() < 0.15):
                # The first projects are the busiest, as everywhere.
                project = projects[int(len(projects) * self._random.random() ** 2)]
                active.append(self._task(project))
            number = self._random.randrange(len(active))
            happening = next(active[number], None)
            if happening is None:
                active[number] = active[-1]
                active.pop()
            else:
                yield happening

    def _project(self, project: ProjectId) -> Iterator[Happening]:
        owner, *others = self._random.sample(self._members, 8)
        created = ProjectCreated(
            project_id=project,
            name=self._text(2),
            description=self._text(20),
            created_by=owner,
            policy=ApprovalPolicy(),
        )
        yield self._happening(project, 1, created, str(owner))
        for version, member in enumerate(others, 2):
            role = Role.AUDITOR if version == 8 else Role.MEMBER
            yield self._happening(project, version, MemberAdded(account_id=member, role=role), str(owner))

    def _task(self, project: ProjectId) -> Iterator[Happening]:
        author, worker, helper, reviewer = (self._random.choice(self._members) for _ in range(4))
        task = self._new_id()
        version = count(1)
        for by, event in self._life(project, author, worker, helper, reviewer):
            yield self._happening(task, next(version), event, str(by))

    def _life(
        self, project: ProjectId, author: AccountId, worker: AccountId, helper: AccountId, reviewer: AccountId
    ) -> Iterator[tuple[AccountId, Event]]:
        chance = self._random.random
        yield author, self._created(project, author, worker)
        for _ in range(int(chance() * 4)):
            yield self._said(self._random.choice((author, worker)))
        if chance() < 0.5:
            yield author, self._edited()
        if chance() < 0.2:
            yield author, TaskReassigned(assignee_id=worker, reopens=False)
        if chance() < 0.3:
            yield from self._help(worker, helper)
        for _ in range(int(chance() * 6)):
            yield self._said(self._random.choice((author, worker, helper)))
        if chance() < 0.1:
            return  # Some things stay open.
        while True:
            yield worker, TaskCompleted(completed_by=worker)
            if chance() < 0.85:
                break
            yield reviewer, TaskDenied(denied_by=reviewer, reason=self._text(15))
            yield self._said(worker)
        yield reviewer, TaskApproved(approved_by=reviewer)
        if chance() < 0.25:
            yield author, TaskArchived()

    def _help(self, worker: AccountId, helper: AccountId) -> Iterator[tuple[AccountId, Event]]:
        chance = self._random.random
        yield worker, HelpRequested(requested_by=worker, reason=self._text(12))
        if chance() < 0.2:
            yield worker, HelpWithdrawn()
            return
        yield helper, HelpClaimed(helper_id=helper, lease_expires_at=self._at + _LEASE)
        for _ in range(int(chance() * 3)):
            yield helper, HelpCheckedIn(helper_id=helper, lease_expires_at=self._at + _LEASE)
            yield self._said(helper)
        if chance() < 0.3:
            yield helper, HelpReleased(helper_id=helper)
            yield worker, HelpWithdrawn()

    def _created(self, project: ProjectId, author: AccountId, worker: AccountId) -> TaskCreated:
        return TaskCreated(
            project_id=project,
            title=self._text(6).capitalize(),
            description=self._text(self._random.randrange(10, 120)),
            labels=tuple(sorted(self._random.sample(_LABELS, self._random.randrange(4)))),
            priority=self._random.choice(tuple(Priority)),
            due=date(2025, 1, 1) if self._random.random() < 0.2 else None,
            assignee_id=worker if self._random.random() < 0.6 else None,
            created_by=author,
        )

    def _edited(self) -> TaskEdited:
        if self._random.random() < 0.5:
            return TaskEdited(title=self._text(7).capitalize())
        return TaskEdited(description=self._text(60), priority=Priority.HIGH)

    def _said(self, by: AccountId) -> tuple[AccountId, Event]:
        text = self._text(self._random.randrange(5, 60))
        return by, TaskCommented(comment_id=self._new_id(), author_id=by, text=text)

    def _happening(self, stream_id: UUID, version: int, event: Event, actor: str) -> Happening:
        self._at += timedelta(microseconds=int(self._random.random() * 20_000_000))
        return Happening(stream_id, version, event, self._new_id(), actor, self._at, self._new_id())

    def _text(self, words: int) -> str:
        start = int(self._random.random() * (_VOCABULARY - words))
        return " ".join(self._words[start : start + words])

    def _new_id(self) -> UUID:
        """A UUID of version 7 with the story's clock in front, so that ids sort as they do in life."""
        milliseconds = int(self._at.timestamp() * 1000)
        return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | next(self._numbers))
