"""Short logs that were told by hand, where a random one would not do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hivesync_core.kernel.event import Event, Meta, Recorded
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import ApprovalPolicy
from hivesync_core.projects.events import ProjectCreated
from hivesync_core.tasks.events import Priority, TaskCommented, TaskCreated

BEGINNING = datetime(2025, 6, 1, 12, tzinfo=UTC)
ANNA = AccountId(UUID(int=0xA))
PROJECT = ProjectId(UUID(int=0x100))


def task_id(number: int) -> UUID:
    """The id of a task."""
    return UUID(int=0x1000 + number)


def created(title: str = "Mend the gate") -> TaskCreated:
    """A task begins."""
    return TaskCreated(
        project_id=PROJECT,
        title=title,
        description="It squeaks.",
        labels=(),
        priority=Priority.NONE,
        due=None,
        assignee_id=None,
        created_by=ANNA,
    )


def said(number: int) -> TaskCommented:
    """Somebody says something."""
    return TaskCommented(comment_id=UUID(int=0x9000 + number), author_id=ANNA, text=f"comment {number}")


def project_created() -> ProjectCreated:
    """The project begins."""
    return ProjectCreated(project_id=PROJECT, name="Garden", description="", created_by=ANNA, policy=ApprovalPolicy())


def log_of(
    happenings: Iterable[tuple[UUID, Event]], *, times: Iterable[datetime] | None = None, first: int = 1
) -> list[Recorded]:
    """These events in their envelopes, a second apart unless ``times`` says otherwise."""
    versions: dict[UUID, int] = {}
    log = []
    clock = iter(times) if times is not None else None
    for position, (stream_id, event) in enumerate(happenings, first):
        versions[stream_id] = versions.get(stream_id, 0) + 1
        at = next(clock) if clock is not None else BEGINNING + timedelta(seconds=position)
        event_id = UUID(int=0x7000_0000 + position)
        meta = Meta(event_id=event_id, recorded_at=at, actor=str(ANNA), correlation_id=event_id, command_id=event_id)
        log.append(Recorded(position, stream_id, versions[stream_id], event, meta))
    return log


def task_with_comments(comments: int) -> list[Recorded]:
    """One task that was talked about a lot."""
    task = task_id(1)
    return log_of([(PROJECT, project_created()), (task, created()), *((task, said(n)) for n in range(comments))])


def many_tasks(tasks: int, comments: int = 0) -> list[Recorded]:
    """Some tasks, and comments that go round among them."""
    ids = [task_id(number) for number in range(tasks)]
    begin: list[tuple[UUID, Event]] = [
        (PROJECT, project_created()),
        *((each, created(f"Task {n}")) for n, each in enumerate(ids)),
    ]
    return log_of([*begin, *((ids[number % tasks], said(number)) for number in range(comments))])
