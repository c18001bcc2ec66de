"""Logs for the tests of exports: a fixed one for the golden files, and one of nasty texts for the properties."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from adapters.postgres.recorder import HiveSyncDatastore, HiveSyncRecorder
from hivesync_core.accounts.events import AccountErased, AccountRegistered
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.records import NewEvent
from hivesync_core.kernel.event import Event, Meta
from hivesync_core.kernel.ids import SYSTEM_ACTOR, AccountId, ProjectId
from hivesync_core.kernel.roles import ApprovalPolicy, Role
from hivesync_core.projects.events import MemberAdded, ProjectCreated
from hivesync_core.tasks.events import (
    HelpRequested,
    Priority,
    TaskApproved,
    TaskCommented,
    TaskCompleted,
    TaskCreated,
    TaskEdited,
)
from projections.exports.source import LogReader

START = datetime(2025, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

ANN = AccountId(UUID("0195515c-0000-7000-8000-000000000001"))
BEN = AccountId(UUID("0195515c-0000-7000-8000-000000000002"))
GARDEN = ProjectId(UUID("0195515c-0000-7000-8000-0000000000a1"))
HOUSE = ProjectId(UUID("0195515c-0000-7000-8000-0000000000a2"))

NASTY = (
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    ' "=1+1',
    "\uff1d1+1",
    "plain",
    'a;=HYPERLINK("http://a")',
    "a; -1",
    'said "so", twice',
    "a\\u003b=1",
    "naïve ☃ \U0001f600",
    "\u202egnp.exe",
    "it's",
    "'=1",
)
"""Texts that break exports: formulas in every dress, quotes, separators, escapes, signs outside ASCII."""


class Writer:
    """Appends events to a log, with ids and times that are the same every time; a further one needs another ``begin``."""

    def __init__(self, url: str, begin: int = 0) -> None:
        self._datastore = HiveSyncDatastore(url)
        self._recorder = HiveSyncRecorder(self._datastore)
        self._mapper = MsgspecMapper(the_catalogue())
        self._versions: dict[UUID, int] = {}
        self._count = begin

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: Any) -> None:
        self._datastore.close()

    def add(self, stream_id: UUID, *events: Event, by: UUID | str = SYSTEM_ACTOR) -> None:
        """Append events to a stream, as one command of somebody."""
        new = [self._stored(stream_id, event, str(by), number) for number, event in enumerate(events)]
        self._recorder.insert_events(new)

    def _stored(self, stream_id: UUID, event: Event, actor: str, number: int) -> NewEvent:
        self._count += 1
        version = self._versions[stream_id] = self._versions.get(stream_id, 0) + 1
        command_id = UUID(int=(0xC << 112) + self._count - number)
        meta = Meta(
            event_id=UUID(int=(0xE << 112) + self._count),
            recorded_at=START + timedelta(seconds=17 * self._count),
            actor=actor,
            correlation_id=command_id,
            causation_id=UUID(int=(0xE << 112) + self._count - 1) if number else None,
            command_id=command_id,
        )
        return self._mapper.to_new_event(stream_id, version, event, meta)


def created(project: ProjectId, title: str, description: str = "", by: AccountId = ANN) -> TaskCreated:
    """A task of these words."""
    return TaskCreated(
        project_id=project,
        title=title,
        description=description,
        labels=("bug", "docs"),
        priority=Priority.HIGH,
        due=None,
        assignee_id=by,
        created_by=by,
    )


def project_created(project: ProjectId, name: str, by: AccountId = ANN) -> ProjectCreated:
    """A project of this name."""
    return ProjectCreated(project_id=project, name=name, description="", created_by=by, policy=ApprovalPolicy())


def write_small_log(url: str) -> None:
    """Two projects, one task with everything that a format has to cope with, and a member who is erased at the end."""
    task = UUID("0195515c-0000-7000-8000-0000000000b1")
    other = UUID("0195515c-0000-7000-8000-0000000000b2")
    with Writer(url) as log:
        log.add(ANN, AccountRegistered(account_id=ANN, origin="set_up", is_admin=True))
        log.add(BEN, AccountRegistered(account_id=BEN, origin="admin", is_admin=False), by=ANN)
        log.add(GARDEN, project_created(GARDEN, "Garden"), by=ANN)
        log.add(GARDEN, MemberAdded(account_id=BEN, role=Role.MEMBER), by=ANN)
        log.add(HOUSE, project_created(HOUSE, "=House"), by=ANN)
        log.add(task, created(GARDEN, "Water the plants", 'Every day.\r\nTwice in "July".\n\n#9  forged', BEN), by=BEN)
        log.add(other, created(HOUSE, "+1 window, please"), by=ANN)
        log.add(task, HelpRequested(requested_by=BEN, reason="\tthe hose leaks; =1+1"), by=BEN)
        log.add(task, TaskCommented(comment_id=UUID(int=9), author_id=ANN, text="\u202eesrever \x1b[31m ☂"), by=ANN)
        log.add(task, TaskEdited(title="Water the plants, and the cat"), by=BEN)
        log.add(task, TaskCompleted(completed_by=BEN), TaskApproved(approved_by=ANN), by=ANN)
        log.add(BEN, AccountErased(), by=ANN)


def write_nasty_log(url: str, commands: int = 120, seed: int = 7) -> None:
    """Many tasks of two projects, by several people of whom one is erased, in texts that break exports."""
    chance = random.Random(seed)
    people = [AccountId(UUID(int=(0xA << 112) + number)) for number in range(4)]
    tasks = [UUID(int=(0x7 << 112) + number) for number in range(12)]
    begun: set[UUID] = set()
    with Writer(url) as log:
        for person in people:
            log.add(person, AccountRegistered(account_id=person, origin="admin", is_admin=False))
        for project in (GARDEN, HOUSE):
            log.add(project, project_created(project, "project"), by=people[0])
        for _ in range(commands):
            task, person = chance.choice(tasks), chance.choice(people)
            words = chance.choice(NASTY) + chance.choice(("", "\n", "\r\n")) + chance.choice(NASTY)
            if task in begun:
                log.add(task, TaskCommented(comment_id=task, author_id=person, text=words), by=person)
            else:
                begun.add(task)
                project = chance.choice((GARDEN, HOUSE))
                log.add(task, created(project, chance.choice(NASTY), words, person), by=person)
        log.add(people[1], AccountErased(), by=people[0])


def reader(url: str, **limits: int) -> LogReader:
    """A reader of the log of a test's database."""
    return LogReader(lambda: psycopg.connect(url, autocommit=True), **limits)


def topics_of(rows: Iterable[Any]) -> list[str]:
    """The topics of stored events."""
    return [row[2] for row in rows]
