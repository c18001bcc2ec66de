"""Tasks from elsewhere: their identity, so that importing twice makes one task, and the form that fits our limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid5

import msgspec

from hivesync_core.kernel.ids import AccountId, ProjectId, TaskId
from hivesync_core.kernel.roles import Role
from hivesync_core.kernel.text import fit_many_lines, fit_one_line
from hivesync_core.kernel.times import in_utc
from hivesync_core.tasks.commands import (
    ASSIGNEES_MAX,
    DESCRIPTION_MAX,
    LABEL_MAX,
    LABELS_MAX,
    NAME_MAX,
    TITLE_MAX,
    URL_MAX,
    ImportTask,
)
from hivesync_core.tasks.events import ExternalAssignee, Priority

_NAMESPACE: Final = UUID("5f0c2f0e-9a53-5c0e-8c58-6d6b1f6c3f10")
"""The name space of imported tasks; it never changes, or a repeated import would make everything twice."""


def imported_task_id(project_id: ProjectId, source: str, external_id: str) -> TaskId:
    """The id of the task that ``source`` calls ``external_id``, in this project: always the same (RFC 9562, UUIDv5)."""
    return TaskId(uuid5(_NAMESPACE, f"{project_id}\n{source.strip()}\n{external_id.strip()}"))


class ForeignTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task as another system tells it, whatever its form; fields as in ``TaskImported``.

    ``assignees`` are names there; times without a zone are UTC.
    """

    source: str
    external_id: str
    title: str
    description: str = ""
    url: str | None = None
    labels: tuple[str, ...] = ()
    priority: Priority = Priority.NONE
    due: date | None = None
    author: str | None = None
    assignees: tuple[str, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    closed: bool = False
    closed_at: datetime | None = None
    closed_reason: str | None = None


def import_of(
    foreign: ForeignTask,
    *,
    project_id: ProjectId,
    by: AccountId,
    role: Role,
    at: datetime,
    accounts: Mapping[str, AccountId] = {},
) -> ImportTask:
    """The command that imports a task: text that does not fit is shortened and said to be so.

    ``accounts`` maps names in the other system, case folded, to the members of the project who may work. The first of
    the assignees that is known there has the task; all of them are kept by name. Raises ``TimeRefused``.
    """
    external_id = fit_one_line(foreign.external_id, chars_max=NAME_MAX)[0]
    title, title_short = fit_one_line(foreign.title, chars_max=TITLE_MAX)
    description, description_short = fit_many_lines(foreign.description, chars_max=DESCRIPTION_MAX)
    labels, labels_short = _labels(foreign.labels)
    assignees = tuple(
        ExternalAssignee(name=name, account_id=accounts.get(name.casefold()))
        for name in (fit_one_line(name, chars_max=NAME_MAX)[0] for name in foreign.assignees[:ASSIGNEES_MAX])
        if name
    )
    shortened = {
        "title": title_short,
        "description": description_short,
        "labels": labels_short,
        "assignees": len(foreign.assignees) > ASSIGNEES_MAX,
    }
    return ImportTask(
        by=by,
        role=role,
        at=at,
        project_id=project_id,
        source=foreign.source,
        external_id=external_id,
        url=_short(foreign.url, URL_MAX) if foreign.url and len(foreign.url) <= URL_MAX else None,
        title=title or external_id,
        description=description,
        labels=labels,
        priority=foreign.priority,
        due=foreign.due,
        author=_short(foreign.author, NAME_MAX),
        assignees=assignees,
        assignee_id=next((assignee.account_id for assignee in assignees if assignee.account_id), None),
        created_at=_utc(foreign.created_at, "created_at"),
        updated_at=_utc(foreign.updated_at, "updated_at"),
        closed=foreign.closed,
        closed_at=_utc(foreign.closed_at, "closed_at") if foreign.closed else None,
        closed_reason=_short(foreign.closed_reason, NAME_MAX) if foreign.closed else None,
        shortened=tuple(name for name, is_short in shortened.items() if is_short),
    )


def _labels(labels: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """The labels that fit, and whether anything of them was lost."""
    fitted = [fit_one_line(label, chars_max=LABEL_MAX) for label in labels]
    names = sorted({name for name, _ in fitted if name})
    return tuple(names[:LABELS_MAX]), any(is_short for _, is_short in fitted) or len(names) > LABELS_MAX


def _short(text: str | None, chars_max: int) -> str | None:
    return fit_one_line(text or "", chars_max=chars_max)[0] or None


def _utc(time: datetime | None, field: str) -> datetime | None:
    return None if time is None else in_utc(time, field)
