"""Who may ask for which export, and how one ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hivesync_core.exports import commands as c
from hivesync_core.exports import events as e
from hivesync_core.exports import refusals as r
from hivesync_core.exports.decider import Export, ExportStatus, export
from hivesync_core.exports.selection import TYPES_MAX, Selection
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.kernel.roles import Role
from hivesync_core.kernel.times import TimeRefused
from tests.core.given import Given

ID = UUID(int=1)
ANN, BEN = AccountId(UUID(int=2)), AccountId(UUID(int=3))
PROJECT = ProjectId(UUID(int=4))
OF_PROJECT = Selection(project_id=PROJECT)
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)

REQUESTED = e.ExportRequested(
    export_id=ID, project_id=PROJECT, format=e.ExportFormat.CSV, selection=OF_PROJECT, requested_by=ANN
)
COMPLETE = c.CompleteExport(rows=2, size_bytes=9, sha256="00", first_position=1, last_position=2)
COMPLETED = e.ExportCompleted(rows=2, size_bytes=9, sha256="00", first_position=1, last_position=2)


def request(selection: Selection = OF_PROJECT, **who: Any) -> c.RequestExport:
    return c.RequestExport(by=ANN, export_id=ID, format=e.ExportFormat.CSV, selection=selection, **who)


@pytest.mark.parametrize("role", [Role.OWNER, Role.AUDITOR])
def test_owners_and_auditors_export_their_project(role: Role) -> None:
    Given(export).when(request(role=role)).then(REQUESTED).then_state(status=ExportStatus.REQUESTED)


@pytest.mark.parametrize("role", [Role.MEMBER, None])
def test_members_and_strangers_export_nothing(role: Role | None) -> None:
    Given(export).when(request(role=role)).then_refused(r.NotAnExporter)


def test_everything_is_for_admins_alone() -> None:
    Given(export).when(request(Selection(), role=Role.OWNER)).then_refused(r.NotAnExporter)
    Given(export).when(request(Selection(), is_admin=True)).then_state(status=ExportStatus.REQUESTED)


@pytest.mark.parametrize(
    ("selection", "field"),
    [
        (Selection(types=("Task",)), "types"),
        (Selection(types=("task.",)), "types"),
        (Selection(types=tuple(f"t{n}" for n in range(TYPES_MAX + 1))), "types"),
        (Selection(actor="somebody"), "actor"),
        (Selection(since=NOON, until=NOON), "until"),
        (Selection(since=NOON.replace(tzinfo=None)), "since"),
        (Selection(after=-1), "after"),
        (Selection(after=7, through=6), "through"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused_with_its_field(selection: Selection, field: str) -> None:
    Given(export).when(request(selection, is_admin=True)).then_refused(r.SelectionRefused, field=field)


@pytest.mark.parametrize(
    ("field", "time"), [("since", "0001-01-01T00:00:00+14:00"), ("until", "9999-12-31T23:59:59-14:00")]
)
def test_a_time_that_utc_has_no_date_for_is_refused(field: str, time: str) -> None:
    selection = Selection(**{field: datetime.fromisoformat(time)})
    Given(export).when(request(selection, is_admin=True)).then_refused(TimeRefused, field=field)


def test_a_selection_is_stored_in_its_one_form() -> None:
    zone = timezone(timedelta(hours=2))
    given = Selection(types=("task", "account", "task"), actor=str(ANN).upper(), since=NOON.astimezone(zone))
    stored = Selection(types=("account", "task"), actor=str(ANN), since=NOON)
    (event,) = export.decide(Export(), request(given, is_admin=True))
    assert event == e.ExportRequested(
        export_id=ID, project_id=None, format=e.ExportFormat.CSV, selection=stored, requested_by=ANN
    )


def test_the_same_id_is_asked_for_once() -> None:
    Given(export, REQUESTED).when(request(is_admin=True)).then_refused(r.ExportExists)


def test_it_is_completed_once_and_not_after_it_ended() -> None:
    Given(export, REQUESTED).when(COMPLETE).then(COMPLETED).then_state(status=ExportStatus.COMPLETED)
    Given(export, REQUESTED, COMPLETED).when(COMPLETE).then_nothing()
    Given(export, REQUESTED, e.ExportCancelled(cancelled_by=ANN)).when(COMPLETE).then_nothing()


def test_a_failure_says_why_on_one_line_that_fits() -> None:
    failed = e.ExportFailed(cause="a b" + "x" * (c.CAUSE_MAX - 3))
    Given(export, REQUESTED).when(c.FailExport(cause="a\nb" + "x" * 2_000)).then(failed)
    Given(export, REQUESTED, COMPLETED).when(c.FailExport(cause="late")).then_nothing()


@pytest.mark.parametrize(
    "who",
    [{"by": ANN}, {"by": BEN, "role": Role.OWNER}, {"by": BEN, "is_admin": True}],
    ids=["asker", "owner", "admin"],
)
def test_the_asker_an_owner_and_an_admin_cancel_and_remove(who: dict[str, Any]) -> None:
    by = who["by"]
    Given(export, REQUESTED).when(c.CancelExport(**who)).then(e.ExportCancelled(cancelled_by=by))
    removed = e.ExportRemoved(removed_by=by, cause=e.RemovalCause.ASKED)
    Given(export, REQUESTED, COMPLETED).when(c.RemoveExport(**who)).then(removed)


def test_nobody_else_does() -> None:
    for role in (Role.AUDITOR, Role.MEMBER, None):
        Given(export, REQUESTED).when(c.CancelExport(by=BEN, role=role)).then_refused(r.NotYourExport)
        Given(export, REQUESTED, COMPLETED).when(c.RemoveExport(by=BEN, role=role)).then_refused(r.NotYourExport)


def test_what_has_ended_cannot_be_cancelled_and_what_runs_not_removed() -> None:
    Given(export, REQUESTED, COMPLETED).when(c.CancelExport(by=ANN)).then_refused(
        r.ExportNotRunning, status=ExportStatus.COMPLETED
    )
    Given(export, REQUESTED).when(c.RemoveExport(by=ANN)).then_refused(r.ExportRunning)


def test_retention_removes_files_that_are_there_and_nothing_else() -> None:
    expired = e.ExportRemoved(removed_by=None, cause=e.RemovalCause.RETENTION)
    Given(export, REQUESTED, COMPLETED).when(c.ExpireExport()).then(expired)
    Given(export, REQUESTED, COMPLETED, expired).when(c.ExpireExport()).then_nothing()
    Given(export, REQUESTED).when(c.ExpireExport()).then_nothing()


@pytest.mark.parametrize("command", [COMPLETE, c.FailExport(cause="x"), c.CancelExport(by=ANN), c.ExpireExport()])
def test_there_is_nothing_to_be_done_with_an_export_that_nobody_asked_for(command: Any) -> None:
    Given(export).when(command).then_refused(r.ExportNotFound)


class Exports(RuleBasedStateMachine):
    """One export against a model of five words: its status."""

    def __init__(self) -> None:
        super().__init__()
        self.state = Export()
        self.status = "none"

    def give(self, command: c.ExportCommand, moves: dict[str, str], nothing: tuple[str, ...] = ()) -> None:
        """A command that leads from the one to the other status, does nothing in some, and is refused in the rest."""
        try:
            events = export.decide(self.state, command)
        except Refusal:
            assert self.status not in moves
            assert self.status not in nothing
            return
        assert bool(events) is (self.status in moves)
        assert events or self.status in nothing
        self.state = export.fold(events, self.state)
        self.status = moves.get(self.status, self.status)

    @rule()
    def ask(self) -> None:
        self.give(request(role=Role.OWNER), {"none": "requested"})

    @rule()
    def complete(self) -> None:
        self.give(COMPLETE, {"requested": "completed"}, ("completed", "failed", "cancelled", "removed"))

    @rule(cause=st.text(max_size=20))
    def fail(self, cause: str) -> None:
        self.give(c.FailExport(cause=cause), {"requested": "failed"}, ("completed", "failed", "cancelled", "removed"))

    @rule()
    def cancel(self) -> None:
        self.give(c.CancelExport(by=ANN), {"requested": "cancelled"}, ("cancelled",))

    @rule()
    def remove(self) -> None:
        self.give(c.RemoveExport(by=ANN), {"completed": "removed"}, ("failed", "cancelled", "removed"))

    @rule()
    def expire(self) -> None:
        self.give(c.ExpireExport(), {"completed": "removed"}, ("requested", "failed", "cancelled", "removed"))

    @invariant()
    def agrees(self) -> None:
        assert str(self.state.status or "none") == self.status


TestExports = Exports.TestCase
