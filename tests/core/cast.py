"""Who and what the rules' tests speak of, and short names for tasks in each state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import ApprovalPolicy, Approvers, Role
from hivesync_core.tasks import commands as c
from hivesync_core.tasks.events import (
    HelpClaimed,
    HelpRequested,
    Priority,
    TaskApproved,
    TaskArchived,
    TaskCompleted,
    TaskCreated,
)

OWNER = AccountId(UUID(int=1))
ASKER = AccountId(UUID(int=2))
HELPER = AccountId(UUID(int=3))
MEMBER = AccountId(UUID(int=4))
AUDITOR = AccountId(UUID(int=5))
STRANGER = AccountId(UUID(int=6))
PROJECT = ProjectId(UUID(int=100))

ROLES = {OWNER: Role.OWNER, ASKER: Role.MEMBER, HELPER: Role.MEMBER, MEMBER: Role.MEMBER, AUDITOR: Role.AUDITOR}

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

OWNERS_APPROVE = ApprovalPolicy(approvers=Approvers.OWNERS)
MEMBERS_APPROVE = ApprovalPolicy(approvers=Approvers.MEMBERS)
FOUR_EYES = ApprovalPolicy(approvers=Approvers.MEMBERS, may_approve_own_work=False)


def who(account: AccountId, at: datetime = NOW) -> dict[str, Any]:
    """The part of a command that says who gives it, as what, and when."""
    return {"by": account, "role": ROLES[account], "at": at}


CREATED = TaskCreated(
    project_id=PROJECT,
    title="Mend the gate",
    description="It squeaks.",
    labels=("garden", "noise"),
    priority=Priority.LOW,
    due=None,
    assignee_id=None,
    created_by=MEMBER,
)
ASKED = HelpRequested(requested_by=ASKER, reason="Which oil?")
CLAIMED = HelpClaimed(helper_id=HELPER, lease_expires_at=NOW + HOUR)
COMPLETED = TaskCompleted(completed_by=MEMBER)
APPROVED = TaskApproved(approved_by=OWNER)

OPEN: tuple[Event, ...] = (CREATED,)
HELP_REQUESTED: tuple[Event, ...] = (CREATED, ASKED)
HELPING: tuple[Event, ...] = (CREATED, ASKED, CLAIMED)
DONE: tuple[Event, ...] = (CREATED, COMPLETED)
ACCEPTED: tuple[Event, ...] = (CREATED, COMPLETED, APPROVED)
ARCHIVED: tuple[Event, ...] = (CREATED, TaskArchived())


def create(**fields: Any) -> c.CreateTask:
    return c.CreateTask(**{**who(MEMBER), "project_id": PROJECT, "title": "Mend the gate", **fields})


def approve(by: AccountId, policy: ApprovalPolicy) -> c.ApproveTask:
    return c.ApproveTask(**who(by), policy=policy)


def deny(by: AccountId, policy: ApprovalPolicy, reason: str = "It still squeaks.") -> c.DenyTask:
    return c.DenyTask(**who(by), policy=policy, reason=reason)


def reassign(by: AccountId, to: AccountId | None, role: Role | None = Role.MEMBER) -> c.ReassignTask:
    return c.ReassignTask(**who(by), policy=OWNERS_APPROVE, assignee_id=to, assignee_role=role)
