"""What an event says in an object-centric log: its time, its attributes, who has to do with it, what it changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from hivesync_core.kernel.event import Event
from hivesync_core.projects.events import (
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    ProjectCreated,
    ProjectEdited,
    ProjectPolicyChanged,
)
from hivesync_core.tasks.events import (
    HelpCheckedIn,
    HelpClaimed,
    HelpLeaseExpired,
    HelpReleased,
    HelpRequested,
    HelpWithdrawn,
    TaskApproved,
    TaskArchived,
    TaskCommented,
    TaskCompleted,
    TaskCreated,
    TaskDenied,
    TaskEdited,
    TaskImported,
    TaskReassigned,
    TaskRestored,
)
from hivesync_core.tasks.transitions import Status

PROJECT: Final = "project"
TASK: Final = "task"
ACCOUNT: Final = "account"

TYPES: Final[Mapping[str, str]] = {
    "position": "integer",
    "recorded_at": "time",
    "reason": "string",
    "lease_expires_at": "time",
    "reopens": "boolean",
    "fields": "string",
    "role": "string",
    "source": "string",
    "external_id": "string",
    "title": "string",
    "status": "string",
    "priority": "string",
    "labels": "string",
    "due": "string",
    "assignee": "string",
    "name": "string",
    "approvers": "string",
    "may_approve_own_work": "boolean",
}
"""The type of every attribute, of events and of objects; the values themselves are texts, as the standard has it."""


class Told(NamedTuple):
    """What one event says.

    ``at`` is when it happened, where another system told that; ``attributes`` are its own; ``people`` the accounts it
    names, by what they are to it; ``changes`` the attributes of its task or project that are different after it.
    """

    at: datetime | None = None
    attributes: Mapping[str, str] = {}
    people: Mapping[str, Any] = {}
    changes: Mapping[str, str] = {}


def told_by(event: Event) -> Told:
    """What an event of a task or a project says; nothing but itself for every other event."""
    match event:
        case TaskCreated() | TaskImported():
            return _begun(event)
        case TaskEdited():
            return _edited(event)
        case HelpRequested() | HelpWithdrawn() | HelpClaimed() | HelpCheckedIn() | HelpReleased() | HelpLeaseExpired():
            return _help(event)
        case TaskCompleted() | TaskApproved() | TaskDenied():
            return _review(event)
        case TaskReassigned(assignee_id=assignee, reopens=reopens):
            status = {"status": Status.OPEN.value} if reopens else {}
            attributes = {"reopens": _boolean(reopens)}
            return Told(None, attributes, {"assignee": assignee}, {"assignee": _text(assignee), **status})
        case TaskCommented(author_id=author):
            return Told(people={"author": author})
        case TaskArchived():
            return Told(changes={"status": Status.ARCHIVED.value})
        case TaskRestored(status=status):
            return Told(changes={"status": status.value})
        case _:
            return _project(event)


def _begun(event: TaskCreated | TaskImported) -> Told:
    changes = {
        "title": event.title,
        "status": Status.OPEN.value,
        "priority": event.priority.value,
        "labels": ", ".join(event.labels),
        "due": _text(event.due),
        "assignee": _text(event.assignee_id),
    }
    if isinstance(event, TaskCreated):
        return Told(None, {}, {"creator": event.created_by, "assignee": event.assignee_id}, changes)
    attributes = {"source": event.source, "external_id": event.external_id}
    people = {"importer": event.imported_by, "assignee": event.assignee_id}
    return Told(event.created_at, attributes, people, changes)


def _edited(event: TaskEdited) -> Told:
    changed = {name: getattr(event, name) for name in event.__struct_fields__ if getattr(event, name) is not UNSET}
    texts = {
        name: ", ".join(value) if name == "labels" else _text(value)
        for name, value in changed.items()
        if name != "description"
    }
    return Told(None, {"fields": ", ".join(changed)}, {}, texts)


def _help(
    event: HelpRequested | HelpWithdrawn | HelpClaimed | HelpCheckedIn | HelpReleased | HelpLeaseExpired,
) -> Told:
    match event:
        case HelpRequested(requested_by=requester, reason=reason):
            return Told(None, {"reason": reason}, {"requester": requester}, {"status": Status.HELP_REQUESTED.value})
        case HelpWithdrawn():
            return Told(changes={"status": Status.OPEN.value})
        case HelpClaimed(helper_id=helper, lease_expires_at=expires):
            return Told(None, {"lease_expires_at": utc(expires)}, {"helper": helper}, {"status": Status.HELPING.value})
        case HelpCheckedIn(helper_id=helper, lease_expires_at=expires):
            return Told(None, {"lease_expires_at": utc(expires)}, {"helper": helper})
        case HelpReleased(helper_id=helper) | HelpLeaseExpired(helper_id=helper):
            return Told(None, {}, {"helper": helper}, {"status": Status.HELP_REQUESTED.value})


def _review(event: TaskCompleted | TaskApproved | TaskDenied) -> Told:
    match event:
        case TaskCompleted(completed_by=completer, occurred_at=at):
            return Told(at, {}, {"completer": completer}, {"status": Status.COMPLETED.value})
        case TaskApproved(approved_by=reviewer, occurred_at=at):
            return Told(at, {}, {"reviewer": reviewer}, {"status": Status.APPROVED.value})
        case TaskDenied(denied_by=reviewer, reason=reason):
            return Told(None, {"reason": reason}, {"reviewer": reviewer}, {"status": Status.OPEN.value})


def _project(event: Event) -> Told:
    match event:
        case ProjectCreated(name=name, created_by=creator, policy=policy):
            changes = {"name": name, "approvers": policy.approvers.value}
            changes["may_approve_own_work"] = _boolean(policy.may_approve_own_work)
            return Told(None, {}, {"creator": creator}, changes)
        case ProjectEdited(name=name):
            return Told(changes={} if name is UNSET else {"name": str(name)})
        case ProjectPolicyChanged(policy=policy):
            approvers, own = policy.approvers.value, _boolean(policy.may_approve_own_work)
            return Told(changes={"approvers": approvers, "may_approve_own_work": own})
        case MemberAdded(account_id=member, role=role) | MemberRoleChanged(account_id=member, role=role):
            return Told(None, {"role": role.value}, {"member": member})
        case MemberRemoved(account_id=member):
            return Told(None, {}, {"member": member})
        case _:
            return Told()


def declared(names: Iterable[str]) -> list[dict[str, str]]:
    """Attributes as a type declares them."""
    return [{"name": name, "type": TYPES[name]} for name in sorted(names)]


def utc(time: datetime) -> str:
    """A time as OCEL writes it: RFC 3339 in UTC."""
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}Z"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _boolean(value: bool) -> str:
    return "true" if value else "false"
