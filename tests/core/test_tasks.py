"""Making and editing tasks, and what holds for every command, one sentence each; help and review have their own."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.refusal import Conflict, Forbidden, Invalid, NotFound, Refusal
from hivesync_core.kernel.roles import Role
from hivesync_core.kernel.text import TextRefused
from hivesync_core.tasks import commands as c
from hivesync_core.tasks import refusals as r
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.events import (
    EVENTS,
    Priority,
    TaskCommented,
    TaskCreated,
    TaskEdited,
    TaskEvent,
)
from hivesync_core.tasks.state import Task
from hivesync_core.tasks.transitions import Status
from tests.core.cast import (
    ARCHIVED,
    ASKER,
    AUDITOR,
    CREATED,
    DONE,
    HELP_REQUESTED,
    HELPER,
    HELPING,
    MEMBER,
    NOW,
    OPEN,
    OWNER,
    OWNERS_APPROVE,
    PROJECT,
    STRANGER,
    approve,
    create,
    deny,
    reassign,
    who,
)
from tests.core.given import Given, Then


def edit(**fields: Any) -> Then[Task, c.TaskCommand]:
    return Given(task, *OPEN).when(c.EditTask(**who(MEMBER), **fields))


# creating


def test_a_member_creates_an_open_task() -> None:
    created = replace(CREATED, labels=("garden", "noise"), due=date(2025, 4, 1), assignee_id=HELPER)
    command = create(
        description="It squeaks.",
        labels=("noise", "garden", " noise "),
        priority=Priority.LOW,
        due=date(2025, 4, 1),
        assignee_id=HELPER,
        assignee_role=Role.MEMBER,
    )
    Given(task).when(command).then(created).then_state(status=Status.OPEN, assignee_id=HELPER)


def test_a_title_loses_the_white_space_around_it() -> None:
    Given(task).when(create(title="  Mend the gate\n")).then_state(title="Mend the gate")


def test_a_task_that_does_not_exist_is_not_found() -> None:
    Given(task).when(c.ArchiveTask(**who(OWNER))).then_refused(r.TaskNotFound)


def test_nobody_expires_the_lease_of_a_task_that_does_not_exist() -> None:
    Given(task).when(c.ExpireHelpLease(at=NOW)).then_nothing()


@pytest.mark.parametrize("role", [None, Role.AUDITOR])
def test_a_task_is_not_given_to_who_may_not_work_on_it(role: Role | None) -> None:
    Given(task).when(create(assignee_id=STRANGER, assignee_role=role)).then_refused(r.AssigneeMayNotWork)
    Given(task, *OPEN).when(reassign(OWNER, STRANGER, role)).then_refused(r.AssigneeMayNotWork)


@pytest.mark.parametrize("title", ["", "   ", "x" * (c.TITLE_MAX + 1), "a\0b", "a\ud800b", "a\nb", "a\u2028b"])
def test_a_title_that_can_not_be_kept_is_refused(title: str) -> None:
    Given(task).when(create(title=title)).then_refused(TextRefused, field="title")
    edit(title=title).then_refused(TextRefused, field="title")


@pytest.mark.parametrize("text", ["x" * (c.DESCRIPTION_MAX + 1), "a\0b", "a\udfffb"])
def test_text_that_can_not_be_kept_is_refused(text: str) -> None:
    comment = c.CommentTask(**who(MEMBER), comment_id=UUID(int=9), text=text)
    Given(task).when(create(description=text)).then_refused(TextRefused, field="description")
    edit(description=text).then_refused(TextRefused, field="description")
    Given(task, *OPEN).when(comment).then_refused(TextRefused, field="text")
    Given(task, *OPEN).when(c.RequestHelp(**who(ASKER), reason=text)).then_refused(TextRefused, field="reason")
    Given(task, *DONE).when(deny(OWNER, OWNERS_APPROVE, text)).then_refused(TextRefused, field="reason")


def test_text_as_long_as_its_limit_is_kept() -> None:
    longest = create(title="t" * c.TITLE_MAX, description="d\n" * (c.DESCRIPTION_MAX // 2))
    Given(task).when(longest).then_state(title="t" * c.TITLE_MAX, description="d\n" * (c.DESCRIPTION_MAX // 2))


@pytest.mark.parametrize(
    ("labels", "refusal"),
    [
        (("",), TextRefused),
        (("a\0",), TextRefused),
        (("x" * (c.LABEL_MAX + 1),), TextRefused),
        (tuple(f"label {n}" for n in range(c.LABELS_MAX + 1)), r.TooManyLabels),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: tuple[str, ...], refusal: type[Refusal]) -> None:
    Given(task).when(create(labels=labels)).then_refused(refusal)
    edit(labels=labels).then_refused(refusal)


def test_doubles_do_not_count_against_the_limit_of_labels() -> None:
    edit(labels=("same",) * (c.LABELS_MAX + 1)).then_state(labels=("same",))


# editing


def test_an_edit_holds_only_what_changes() -> None:
    edit(title="Mend the gate", description="It howls.", due=None).then(TaskEdited(description="It howls."))


def test_an_edit_that_changes_nothing_is_nothing() -> None:
    edit(title=" Mend the gate", labels=("noise", "garden"), priority=Priority.LOW, due=None).then_nothing()
    edit().then_nothing()


def test_a_due_date_can_be_set_and_taken_away() -> None:
    due = TaskEdited(due=date(2025, 4, 1))
    edit(due=date(2025, 4, 1)).then(due)
    Given(task, CREATED, due).when(c.EditTask(**who(MEMBER), due=None)).then(TaskEdited(due=None)).then_state(due=None)
    Given(task, CREATED, due).when(c.EditTask(**who(MEMBER), title="Mend it")).then_state(due=date(2025, 4, 1))


def test_a_comment_says_who_said_what() -> None:
    command = c.CommentTask(**who(MEMBER), comment_id=UUID(int=9), text="Soon.\n")
    said = TaskCommented(comment_id=UUID(int=9), author_id=MEMBER, text="Soon.\n")
    Given(task, *OPEN).when(command).then(said)
    Given(task, *OPEN).when(replace(command, text=" \n")).then_refused(TextRefused, reason="blank")


# who may do anything at all


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ((), create()),
        (OPEN, c.EditTask(**who(MEMBER), title="Mend it")),
        (OPEN, c.CommentTask(**who(MEMBER), comment_id=UUID(int=9), text="Soon.")),
        (OPEN, c.RequestHelp(**who(MEMBER), reason="Which oil?")),
        (HELP_REQUESTED, c.ClaimHelp(**who(HELPER))),
        (HELP_REQUESTED, c.WithdrawHelp(**who(ASKER))),
        (HELPING, c.CheckInHelp(**who(HELPER), lease_s=7200)),
        (HELPING, c.ReleaseHelp(**who(HELPER))),
        (OPEN, c.CompleteTask(**who(MEMBER))),
        (DONE, approve(OWNER, OWNERS_APPROVE)),
        (DONE, deny(OWNER, OWNERS_APPROVE)),
        (OPEN, reassign(MEMBER, HELPER)),
        (OPEN, c.ArchiveTask(**who(MEMBER))),
        (ARCHIVED, c.RestoreTask(**who(MEMBER))),
        ((), c.ImportTask(**who(MEMBER), project_id=PROJECT, source="csv", external_id="1", title="Mend it")),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, tuple) else "",
)
def test_an_auditor_changes_nothing(given: tuple[Event, ...], command: Any) -> None:
    assert task.decide(task.fold(given), command), "a member could"
    Given(task, *given).when(replace(command, by=AUDITOR, role=Role.AUDITOR)).then_refused(r.RoleOnlyReads)
    Given(task, *given).when(replace(command, role=Role.AUDITOR)).then_refused(r.RoleOnlyReads)


# what doors rely on


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (r.TaskNotFound, NotFound),
        (r.TransitionNotAllowed, Conflict),
        (r.OwnHelpCall, Conflict),
        (r.RoleOnlyReads, Forbidden),
        (r.NotAReviewer, Forbidden),
        (r.OwnWorkNotApprovable, Forbidden),
        (r.NotTheHelper, Forbidden),
        (r.NotTheAsker, Forbidden),
        (r.AssigneeMayNotWork, Invalid),
        (TextRefused, Invalid),
    ],
)
def test_each_refusal_is_of_the_kind_that_doors_map_to_a_status(refusal: type[Refusal], kind: type[Refusal]) -> None:
    assert issubclass(refusal, kind)


def test_every_event_of_the_union_is_in_the_catalogue_and_no_two_share_a_tag() -> None:
    assert set(TaskEvent.__args__) == set(EVENTS)
    assert len({event.topic() for event in EVENTS}) == len(EVENTS)
    assert TaskCreated.topic() == "task.created.v1"
