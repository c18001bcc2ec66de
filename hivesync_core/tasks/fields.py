"""What a task's fields may hold: how creating, importing and editing check and normalise them."""

from __future__ import annotations

from msgspec import UNSET

from hivesync_core.kernel.text import many_lines, one_line
from hivesync_core.tasks.commands import (
    ASSIGNEES_MAX,
    DESCRIPTION_MAX,
    LABEL_MAX,
    LABELS_MAX,
    NAME_MAX,
    TITLE_MAX,
    URL_MAX,
    CreateTask,
    EditTask,
    ImportTask,
)
from hivesync_core.tasks.events import (
    ExternalAssignee,
    TaskApproved,
    TaskCompleted,
    TaskCreated,
    TaskEdited,
    TaskEvent,
    TaskImported,
)
from hivesync_core.tasks.refusals import TooManyAssignees, TooManyLabels
from hivesync_core.tasks.state import Task


def created(command: CreateTask) -> tuple[TaskEvent, ...]:
    """The event of a new task; refuses what its fields can not hold."""
    event = TaskCreated(
        project_id=command.project_id,
        title=_title(command.title),
        description=_description(command.description),
        labels=_labels(command.labels),
        priority=command.priority,
        due=command.due,
        assignee_id=command.assignee_id,
        created_by=command.by,
    )
    return (event,)


def imported(command: ImportTask) -> tuple[TaskEvent, ...]:
    """The events of an imported task: completed and approved too where it was closed, at the original time."""
    event = TaskImported(
        project_id=command.project_id,
        source=one_line(command.source, "source", chars_max=NAME_MAX),
        external_id=one_line(command.external_id, "external_id", chars_max=NAME_MAX),
        url=_optional(command.url, "url", URL_MAX),
        title=_title(command.title),
        description=_description(command.description),
        labels=_labels(command.labels),
        priority=command.priority,
        due=command.due,
        author=_optional(command.author, "author", NAME_MAX),
        assignees=_assignees(command.assignees),
        assignee_id=command.assignee_id,
        created_at=command.created_at,
        updated_at=command.updated_at,
        closed_at=command.closed_at,
        closed_reason=_optional(command.closed_reason, "closed_reason", NAME_MAX),
        shortened=command.shortened,
        imported_by=command.by,
    )
    if not command.closed:
        return (event,)
    return (
        event,
        TaskCompleted(completed_by=None, occurred_at=command.closed_at),
        TaskApproved(approved_by=None, occurred_at=command.closed_at),
    )


def edited(state: Task, command: EditTask) -> tuple[TaskEvent, ...]:
    """The event that holds what really changes, or nothing."""
    title = command.title if command.title is UNSET else _title(command.title)
    description = command.description if command.description is UNSET else _description(command.description)
    labels = command.labels if command.labels is UNSET else _labels(command.labels)
    event = TaskEdited(
        title=UNSET if title == state.title else title,
        description=UNSET if description == state.description else description,
        labels=UNSET if labels == state.labels else labels,
        priority=UNSET if command.priority == state.priority else command.priority,
        due=UNSET if command.due == state.due else command.due,
    )
    return (event,) if event != _NO_EDIT else ()


_NO_EDIT = TaskEdited()


def _title(text: str) -> str:
    return one_line(text, "title", chars_max=TITLE_MAX)


def _description(text: str) -> str:
    return many_lines(text, "description", chars_max=DESCRIPTION_MAX, may_be_blank=True)


def _labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    distinct = {one_line(label, "labels", chars_max=LABEL_MAX) for label in labels}
    if len(distinct) > LABELS_MAX:
        raise TooManyLabels(f"{len(distinct)} labels, {LABELS_MAX} are the most.", labels_max=LABELS_MAX)
    return tuple(sorted(distinct))


def _assignees(assignees: tuple[ExternalAssignee, ...]) -> tuple[ExternalAssignee, ...]:
    if len(assignees) > ASSIGNEES_MAX:
        raise TooManyAssignees(
            f"{len(assignees)} assignees, {ASSIGNEES_MAX} are the most.", assignees_max=ASSIGNEES_MAX
        )
    for assignee in assignees:
        one_line(assignee.name, "assignees", chars_max=NAME_MAX)
    return assignees


def _optional(text: str | None, field: str, chars_max: int) -> str | None:
    return None if text is None else one_line(text, field, chars_max=chars_max)
