"""Imported tasks: the same one each time, with their own times, in a form that fits."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hivesync_core.kernel.ids import ProjectId
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.kernel.text import TextRefused
from hivesync_core.tasks import commands as c
from hivesync_core.tasks import refusals as r
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.events import ExternalAssignee, Priority, TaskApproved, TaskCompleted, TaskImported
from hivesync_core.tasks.importing import ForeignTask, import_of, imported_task_id
from hivesync_core.tasks.transitions import Status
from tests.core.cast import FOUR_EYES, HELPER, MEMBER, NOW, PROJECT, STRANGER, who
from tests.core.given import Given

LONG_AGO = NOW - timedelta(days=900)
LATER = NOW - timedelta(days=800)

IMPORT = c.ImportTask(
    **who(MEMBER),
    project_id=PROJECT,
    source="github",
    external_id="garden/gate#12",
    url="https://github.com/garden/gate/issues/12",
    title="The gate squeaks",
    labels=("noise", "bug"),
    author="octocat",
    assignees=(ExternalAssignee(name="octocat", account_id=HELPER),),
    assignee_id=HELPER,
    created_at=LONG_AGO,
)
IMPORTED = TaskImported(
    project_id=PROJECT,
    source="github",
    external_id="garden/gate#12",
    url="https://github.com/garden/gate/issues/12",
    title="The gate squeaks",
    description="",
    labels=("bug", "noise"),
    priority=Priority.NONE,
    due=None,
    author="octocat",
    assignees=(ExternalAssignee(name="octocat", account_id=HELPER),),
    assignee_id=HELPER,
    created_at=LONG_AGO,
    updated_at=None,
    closed_at=None,
    closed_reason=None,
    shortened=(),
    imported_by=MEMBER,
)
CLOSED = replace(IMPORT, closed=True, closed_at=LATER, closed_reason="completed")
TOLD_CLOSED = (
    replace(IMPORTED, closed_at=LATER, closed_reason="completed"),
    TaskCompleted(completed_by=None, occurred_at=LATER),
    TaskApproved(approved_by=None, occurred_at=LATER),
)

FOREIGN = ForeignTask(
    source="github",
    external_id="garden/gate#12",
    url="https://github.com/garden/gate/issues/12",
    title="The gate squeaks",
    labels=("noise", "bug"),
    author="octocat",
    assignees=("hubot", "OctoCat"),
    created_at=LONG_AGO,
    closed=True,
    closed_at=LATER,
    closed_reason="completed",
)


def of_foreign(**fields: Any) -> c.ImportTask:
    return import_of(replace(FOREIGN, **fields), project_id=PROJECT, **who(MEMBER), accounts={"octocat": HELPER})


def test_an_open_task_from_elsewhere_is_open() -> None:
    Given(task).when(IMPORT).then(IMPORTED).then_state(status=Status.OPEN, assignee_id=HELPER, labels=("bug", "noise"))


def test_a_closed_task_from_elsewhere_is_completed_and_approved_at_its_own_time_in_one_decision() -> None:
    Given(task).when(CLOSED).then(*TOLD_CLOSED).then_state(status=Status.APPROVED)


def test_importing_again_is_nothing_whatever_has_happened_since() -> None:
    edited = task.decide(task.fold([IMPORTED]), c.EditTask(**who(MEMBER), title="Quiet"))
    Given(task, IMPORTED).when(IMPORT).then_nothing()
    Given(task, IMPORTED).when(CLOSED).then_nothing()
    Given(task, *TOLD_CLOSED).when(CLOSED).then_nothing()
    Given(task, IMPORTED, *edited).when(IMPORT).then_nothing()


def test_what_another_system_completed_is_nobodys_own_work() -> None:
    Given(task, *TOLD_CLOSED[:2]).when(c.ApproveTask(**who(MEMBER), policy=FOUR_EYES)).then(
        TaskApproved(approved_by=MEMBER)
    )


@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [
        ("source", " ", TextRefused),
        ("external_id", "", TextRefused),
        ("external_id", "a\nb", TextRefused),
        ("url", "x" * (c.URL_MAX + 1), TextRefused),
        ("author", "x" * (c.NAME_MAX + 1), TextRefused),
        ("title", "", TextRefused),
        ("description", "\0", TextRefused),
        ("closed_reason", "a\0", TextRefused),
        ("assignees", (ExternalAssignee(name="a\0"),), TextRefused),
        ("assignees", (ExternalAssignee(name="a"),) * (c.ASSIGNEES_MAX + 1), r.TooManyAssignees),
        ("labels", tuple(map(str, range(c.LABELS_MAX + 1))), r.TooManyLabels),
    ],
)
def test_an_imported_task_that_does_not_fit_is_refused(field: str, value: Any, refusal: type[Refusal]) -> None:
    Given(task).when(replace(IMPORT, **{field: value})).then_refused(refusal)


def test_an_imported_task_goes_on_like_any_other() -> None:
    Given(task, IMPORTED).when(c.CompleteTask(**who(MEMBER))).then(TaskCompleted(completed_by=MEMBER))


def test_the_identity_of_an_imported_task_never_changes() -> None:
    """The value is written here, because tasks that were imported once are found by it for ever."""
    assert str(imported_task_id(PROJECT, "github", "garden/gate#12")) == "5746d60f-3d57-5eb6-8d7e-b09fe25ca802"
    assert imported_task_id(PROJECT, " github", "garden/gate#12 ") == imported_task_id(
        PROJECT, "github", "garden/gate#12"
    )


def test_another_project_source_or_name_is_another_task() -> None:
    elsewhere = ProjectId(STRANGER)
    ids = {
        imported_task_id(PROJECT, "github", "1"),
        imported_task_id(elsewhere, "github", "1"),
        imported_task_id(PROJECT, "csv", "1"),
        imported_task_id(PROJECT, "github", "2"),
    }
    assert len(ids) == 4


def test_a_task_from_elsewhere_is_imported_with_all_that_matters() -> None:
    command = of_foreign()
    assert command.external_id == "garden/gate#12"
    assert command.assignees == (ExternalAssignee(name="hubot"), ExternalAssignee(name="OctoCat", account_id=HELPER))
    assert (command.assignee_id, command.author, command.labels) == (HELPER, "octocat", ("bug", "noise"))
    assert (command.closed, command.closed_reason, command.shortened) == (True, "completed", ())
    Given(task).when(command).then_state(status=Status.APPROVED, description="", title="The gate squeaks")


def test_an_open_one_stays_open_whatever_it_says_of_having_been_closed() -> None:
    command = of_foreign(closed=False)
    assert (command.closed_at, command.closed_reason) == (None, None)
    Given(task).when(command).then_state(status=Status.OPEN)


def test_a_time_without_a_zone_is_utc_and_any_other_becomes_it() -> None:
    zone = timezone(timedelta(hours=2))
    command = of_foreign(created_at=LONG_AGO.replace(tzinfo=None), updated_at=LATER.astimezone(zone))
    assert (command.created_at, command.updated_at) == (LONG_AGO, LATER)
    assert msgspec.json.encode(command.updated_at).endswith(b'Z"')


def test_what_does_not_fit_is_shortened_and_said_to_be_so() -> None:
    command = of_foreign(
        title="t" * (c.TITLE_MAX + 1),
        description="b" * (c.DESCRIPTION_MAX + 1),
        labels=tuple(f"{n:03}" for n in range(c.LABELS_MAX + 1)),
        assignees=("octocat",) * (c.ASSIGNEES_MAX + 1),
    )
    assert command.shortened == ("title", "description", "labels", "assignees")
    Given(task).when(command).then_state(title="t" * c.TITLE_MAX, description="b" * c.DESCRIPTION_MAX)


def test_an_issue_as_large_as_github_allows_is_kept_whole() -> None:
    command = of_foreign(title="t" * 256, description="b\r\n" * 21_845 + "b")
    assert command.shortened == ()
    Given(task).when(command).then_state(title="t" * 256, description="b\r\n" * 21_845 + "b")


def test_characters_that_no_store_holds_are_replaced_and_that_is_said() -> None:
    command = of_foreign(title="a\0b\nc", description="a\0b\ud800c\n")
    assert command.shortened == ("description",)
    Given(task).when(command).then_state(title="a b c", description="a\ufffdb\ufffdc\n")


anything = st.text(st.characters(), max_size=40)


@settings(max_examples=100, deadline=None)
@given(
    title=anything,
    description=anything,
    labels=st.lists(anything, max_size=4).map(tuple),
    names=st.lists(anything, max_size=3).map(tuple),
    reason=st.none() | anything,
)
def test_no_text_of_a_task_keeps_it_from_being_imported(
    title: str, description: str, labels: tuple[str, ...], names: tuple[str, ...], reason: str | None
) -> None:
    fields: dict[str, Any] = {
        "title": title,
        "description": description,
        "labels": labels,
        "assignees": names,
        "author": names[0] if names else None,
        "closed_reason": reason,
    }
    events = task.decide(task.initial, of_foreign(**fields))
    msgspec.json.encode(events)
    assert len(events) == 3
