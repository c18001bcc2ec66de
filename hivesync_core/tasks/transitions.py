"""The table of a task's states and transitions (TASK-2): what rules, documentation and clients all read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Status(StrEnum):
    """The state that a task is in."""

    OPEN = "open"
    HELP_REQUESTED = "help_requested"
    HELPING = "helping"
    COMPLETED = "completed"
    APPROVED = "approved"
    ARCHIVED = "archived"


class Transition(StrEnum):
    """What can be done with a task, by the name that refusals and clients use."""

    CREATE = "create"
    IMPORT = "import"
    COMPLETE = "complete"
    REQUEST_HELP = "request_help"
    CLAIM_HELP = "claim_help"
    WITHDRAW_HELP = "withdraw_help"
    CHECK_IN_HELP = "check_in_help"
    RELEASE_HELP = "release_help"
    EXPIRE_HELP = "expire_help"
    APPROVE = "approve"
    DENY = "deny"
    REASSIGN = "reassign"
    EDIT = "edit"
    COMMENT = "comment"
    ARCHIVE = "archive"
    RESTORE = "restore"


SYSTEM_TRANSITIONS: Final = frozenset({Transition.EXPIRE_HELP})
"""What no person can ask for: a lease runs out by itself."""

STATE_IT_HAD: Final = None
"""The next state of a restored task: the one it was archived in."""


def _from_any(status: Status, **others: Status) -> Mapping[Transition, Status | None]:
    """The transitions that leave any state but archived, around those of ``status`` alone."""
    return MappingProxyType(
        {
            **{Transition(name): next_status for name, next_status in others.items()},
            Transition.REASSIGN: Status.OPEN if status is Status.COMPLETED else status,
            Transition.EDIT: status,
            Transition.COMMENT: status,
            Transition.ARCHIVE: Status.ARCHIVED,
        }
    )


TRANSITIONS: Final[Mapping[Status | None, Mapping[Transition, Status | None]]] = MappingProxyType(
    {
        None: MappingProxyType({Transition.CREATE: Status.OPEN, Transition.IMPORT: Status.OPEN}),
        Status.OPEN: _from_any(Status.OPEN, complete=Status.COMPLETED, request_help=Status.HELP_REQUESTED),
        Status.HELP_REQUESTED: _from_any(Status.HELP_REQUESTED, claim_help=Status.HELPING, withdraw_help=Status.OPEN),
        Status.HELPING: _from_any(
            Status.HELPING,
            complete=Status.COMPLETED,
            check_in_help=Status.HELPING,
            release_help=Status.HELP_REQUESTED,
            expire_help=Status.HELP_REQUESTED,
        ),
        Status.COMPLETED: _from_any(Status.COMPLETED, approve=Status.APPROVED, deny=Status.OPEN),
        Status.APPROVED: _from_any(Status.APPROVED),
        Status.ARCHIVED: MappingProxyType({Transition.RESTORE: STATE_IT_HAD}),
    }
)
"""State, transition, next state. The state ``None`` is that of a task that does not exist yet."""


def allowed_now(status: Status | None) -> tuple[str, ...]:
    """The names of the transitions that somebody can ask for in this state; who may is another question."""
    return tuple(str(name) for name in TRANSITIONS[status] if name not in SYSTEM_TRANSITIONS)
