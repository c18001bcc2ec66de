"""Every state with every transition, against the table of TASK-2 as the specification has it, typed anew here."""

from __future__ import annotations

from uuid import UUID

import pytest

from hivesync_core.kernel.event import Event
from hivesync_core.tasks import commands as c
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.refusals import TransitionNotAllowed
from hivesync_core.tasks.transitions import TRANSITIONS, Status, Transition
from tests.core import cast
from tests.core.cast import ASKER, HELPER, HOUR, MEMBER, NOW, OWNER, OWNERS_APPROVE, who
from tests.core.given import Given

SPECIFIED = """
open            complete       completed
helping         complete       completed
open            request_help   help_requested
help_requested  claim_help     helping
help_requested  withdraw_help  open
helping         check_in_help  helping
helping         release_help   help_requested
helping         expire_help    help_requested
completed       approve        approved
completed       deny           open
open            reassign       open
help_requested  reassign       help_requested
helping         reassign       helping
completed       reassign       open
approved        reassign       approved
open            edit           open
help_requested  edit           help_requested
helping         edit           helping
completed       edit           completed
approved        edit           approved
open            comment        open
help_requested  comment        help_requested
helping         comment        helping
completed       comment        completed
approved        comment        approved
open            archive        archived
help_requested  archive        archived
helping         archive        archived
completed       archive        archived
approved        archive        archived
archived        restore        open
"""
"""From, transition, to. ``restore`` gives the state it had: open for the archived task that is used here."""

TABLE = {(state, name): to for state, name, to in (line.split() for line in SPECIFIED.strip().splitlines())}

STATES: dict[str, tuple[Event, ...]] = {
    "open": cast.OPEN,
    "help_requested": cast.HELP_REQUESTED,
    "helping": cast.HELPING,
    "completed": cast.DONE,
    "approved": cast.ACCEPTED,
    "archived": cast.ARCHIVED,
}

COMMANDS: dict[str, c.TaskCommand] = {
    "complete": c.CompleteTask(**who(MEMBER)),
    "request_help": c.RequestHelp(**who(ASKER), reason="Which oil?"),
    "claim_help": c.ClaimHelp(**who(HELPER)),
    "withdraw_help": c.WithdrawHelp(**who(ASKER)),
    "check_in_help": c.CheckInHelp(**who(HELPER)),
    "release_help": c.ReleaseHelp(**who(HELPER)),
    "expire_help": c.ExpireHelpLease(at=NOW + HOUR),
    "approve": c.ApproveTask(**who(OWNER), policy=OWNERS_APPROVE),
    "deny": c.DenyTask(**who(OWNER), policy=OWNERS_APPROVE, reason="It still squeaks."),
    "reassign": c.ReassignTask(
        **who(OWNER), policy=OWNERS_APPROVE, assignee_id=HELPER, assignee_role=cast.ROLES[HELPER]
    ),
    "edit": c.EditTask(**who(MEMBER), title="Mend the garden gate"),
    "comment": c.CommentTask(**who(MEMBER), comment_id=UUID(int=9), text="Soon."),
    "archive": c.ArchiveTask(**who(MEMBER)),
    "restore": c.RestoreTask(**who(MEMBER)),
    "create": c.CreateTask(**who(MEMBER), project_id=cast.PROJECT, title="Again"),
}

NOBODY_ASKS_FOR = {"expire_help"}


def test_the_cases_below_are_all_the_cases_there_are() -> None:
    assert set(STATES) == {str(status) for status in Status}
    assert set(COMMANDS) == {str(name) for name in Transition} - {"import"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("transition", COMMANDS)
def test_each_transition_leads_where_the_table_says_or_is_refused(state: str, transition: str) -> None:
    outcome = Given(task, *STATES[state]).when(COMMANDS[transition])
    to = TABLE.get((state, transition))
    if to is not None:
        outcome.then_state(status=Status(to))
    elif transition == "expire_help":
        outcome.then_nothing()
    else:
        outcome.then_refused(TransitionNotAllowed, transition=transition, state=state, allowed=_allowed_in(state))


@pytest.mark.parametrize("state", [state for state in STATES if state != "archived"])
def test_restoring_gives_every_state_back_with_all_that_belongs_to_it(state: str) -> None:
    before = task.fold(STATES[state])
    archived = task.fold(task.decide(before, COMMANDS["archive"]), before)
    assert task.fold(task.decide(archived, COMMANDS["restore"]), archived) == before


def test_the_table_in_the_code_is_the_table_of_the_specification() -> None:
    coded = {
        (str(status), str(name)): str(to or "open")
        for status, row in TRANSITIONS.items()
        if status is not None
        for name, to in row.items()
    }
    assert coded == TABLE
    assert TRANSITIONS[None] == {Transition.CREATE: Status.OPEN, Transition.IMPORT: Status.OPEN}


def _allowed_in(state: str) -> list[str]:
    return [name for at, name in TABLE if at == state and name not in NOBODY_ASKS_FOR]
