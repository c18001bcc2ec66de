"""The rules of projects, one sentence each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.refusal import Conflict, Forbidden, NotFound, Refusal
from hivesync_core.kernel.roles import ApprovalPolicy, Approvers, Role
from hivesync_core.kernel.text import TextRefused
from hivesync_core.projects import commands as c
from hivesync_core.projects import refusals as r
from hivesync_core.projects.decider import project
from hivesync_core.projects.events import (
    EVENTS,
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    ProjectCreated,
    ProjectEdited,
    ProjectEvent,
    ProjectPolicyChanged,
)
from tests.core.cast import AUDITOR, FOUR_EYES, MEMBER, OWNER, PROJECT, STRANGER
from tests.core.given import Given

CREATED = ProjectCreated(
    project_id=PROJECT, name="Garden", description="All that grows.", created_by=OWNER, policy=ApprovalPolicy()
)
TEAM: tuple[Event, ...] = (
    CREATED,
    MemberAdded(account_id=MEMBER, role=Role.MEMBER),
    MemberAdded(account_id=AUDITOR, role=Role.AUDITOR),
)
SECOND_OWNER = MemberAdded(account_id=STRANGER, role=Role.OWNER)

OWNERS_COMMANDS = [
    c.EditProject(by=OWNER, name="Orchard"),
    c.AddMember(by=OWNER, account_id=STRANGER, role=Role.MEMBER),
    c.ChangeMemberRole(by=OWNER, account_id=MEMBER, role=Role.AUDITOR),
    c.RemoveMember(by=OWNER, account_id=MEMBER),
    c.ChangePolicy(by=OWNER, policy=FOUR_EYES),
]


def create(**fields: Any) -> c.CreateProject:
    return c.CreateProject(**{"project_id": PROJECT, "by": OWNER, "name": "Garden", **fields})


def test_who_creates_a_project_is_its_owner() -> None:
    Given(project).when(create(description="All that grows.")).then(CREATED).then_state(members={OWNER: Role.OWNER})


def test_a_new_project_is_reviewed_by_its_owners_who_may_approve_their_own_work() -> None:
    policy = ApprovalPolicy(approvers=Approvers.OWNERS, may_approve_own_work=True)
    Given(project).when(create()).then_state(policy=policy)


def test_a_project_is_created_once() -> None:
    Given(project, CREATED).when(create()).then_refused(r.ProjectExists)


@pytest.mark.parametrize("command", OWNERS_COMMANDS, ids=lambda command: type(command).__name__)
def test_a_project_that_does_not_exist_is_not_found(command: c.ProjectCommand) -> None:
    Given(project).when(command).then_refused(r.ProjectNotFound)
    Given(project).when(replace(command, is_admin=True)).then_refused(r.ProjectNotFound)


@pytest.mark.parametrize("name", ["", " ", "x" * (c.NAME_MAX + 1), "a\0", "a\ud800", "a\nb"])
def test_a_name_that_can_not_be_kept_is_refused(name: str) -> None:
    Given(project).when(create(name=name)).then_refused(TextRefused, field="name")
    Given(project, CREATED).when(c.EditProject(by=OWNER, name=name)).then_refused(TextRefused, field="name")


@pytest.mark.parametrize("text", ["x" * (c.DESCRIPTION_MAX + 1), "a\0", "a\ud800"])
def test_a_description_that_can_not_be_kept_is_refused(text: str) -> None:
    Given(project).when(create(description=text)).then_refused(TextRefused, field="description")
    Given(project, CREATED).when(c.EditProject(by=OWNER, description=text)).then_refused(TextRefused)


@pytest.mark.parametrize("command", OWNERS_COMMANDS, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("by", [MEMBER, AUDITOR, STRANGER])
def test_only_owners_manage_a_project(command: Any, by: AccountId) -> None:
    assert project.decide(project.fold(TEAM), command), "an owner could"
    others_business = (
        replace(command, account_id=AUDITOR) if isinstance(command, c.RemoveMember) and by == MEMBER else command
    )
    Given(project, *TEAM).when(replace(others_business, by=by)).then_refused(r.NotAnOwner)


@pytest.mark.parametrize("command", OWNERS_COMMANDS, ids=lambda command: type(command).__name__)
def test_an_admin_of_the_server_manages_every_project(command: Any) -> None:
    outcome = project.decide(project.fold(TEAM), command)
    Given(project, *TEAM).when(replace(command, by=STRANGER, is_admin=True)).then(*outcome)


def test_an_edit_holds_only_what_changes() -> None:
    command = c.EditProject(by=OWNER, name=" Garden ", description="All that crawls.")
    Given(project, CREATED).when(command).then(ProjectEdited(description="All that crawls."))
    Given(project, CREATED).when(c.EditProject(by=OWNER, name="Garden")).then_nothing()
    Given(project, CREATED).when(c.EditProject(by=OWNER)).then_nothing()


def test_a_description_can_be_emptied() -> None:
    Given(project, CREATED).when(c.EditProject(by=OWNER, description="")).then_state(name="Garden", description="")


def test_a_member_is_added_once() -> None:
    command = c.AddMember(by=OWNER, account_id=STRANGER, role=Role.AUDITOR)
    added = MemberAdded(account_id=STRANGER, role=Role.AUDITOR)
    Given(project, *TEAM).when(command).then(added)
    Given(project, *TEAM, added).when(command).then_nothing()
    Given(project, *TEAM, added).when(replace(command, role=Role.OWNER)).then_refused(
        r.AlreadyAMember, role=Role.AUDITOR
    )


def test_a_full_project_takes_no_more_members() -> None:
    many = [MemberAdded(account_id=AccountId(UUID(int=n)), role=Role.MEMBER) for n in range(1000, 999 + c.MEMBERS_MAX)]
    command = c.AddMember(by=OWNER, account_id=STRANGER, role=Role.MEMBER)
    Given(project, CREATED, *many).when(command).then_refused(r.TooManyMembers, members_max=c.MEMBERS_MAX)
    Given(project, CREATED, *many[1:]).when(command).then(MemberAdded(account_id=STRANGER, role=Role.MEMBER))


def test_a_role_is_changed() -> None:
    command = c.ChangeMemberRole(by=OWNER, account_id=MEMBER, role=Role.OWNER)
    changed = MemberRoleChanged(account_id=MEMBER, role=Role.OWNER)
    Given(project, *TEAM).when(command).then(changed)
    Given(project, *TEAM, changed).when(command).then_nothing()


def test_who_is_no_member_has_no_role_and_can_not_be_removed() -> None:
    change = c.ChangeMemberRole(by=OWNER, account_id=STRANGER, role=Role.OWNER)
    Given(project, *TEAM).when(change).then_refused(r.MemberNotFound)
    Given(project, *TEAM).when(c.RemoveMember(by=OWNER, account_id=STRANGER)).then_refused(r.MemberNotFound)


@pytest.mark.parametrize("account", [MEMBER, AUDITOR])
def test_a_member_of_any_role_may_leave(account: AccountId) -> None:
    leave = c.RemoveMember(by=account, account_id=account)
    Given(project, *TEAM).when(leave).then(MemberRemoved(account_id=account))


def test_the_last_owner_can_not_leave() -> None:
    leave = c.RemoveMember(by=OWNER, account_id=OWNER)
    Given(project, *TEAM).when(leave).then_refused(r.LastOwner)
    Given(project, *TEAM, SECOND_OWNER).when(leave).then_state(
        members={MEMBER: Role.MEMBER, AUDITOR: Role.AUDITOR, STRANGER: Role.OWNER}
    )


def test_the_last_owner_can_not_be_demoted_not_even_by_an_admin() -> None:
    demote = c.ChangeMemberRole(by=OWNER, account_id=OWNER, role=Role.MEMBER)
    Given(project, *TEAM).when(demote).then_refused(r.LastOwner)
    Given(project, *TEAM).when(replace(demote, by=STRANGER, is_admin=True)).then_refused(r.LastOwner)
    Given(project, *TEAM, SECOND_OWNER).when(demote).then(MemberRoleChanged(account_id=OWNER, role=Role.MEMBER))


def test_the_policy_is_changed() -> None:
    command = c.ChangePolicy(by=OWNER, policy=FOUR_EYES)
    changed = ProjectPolicyChanged(policy=FOUR_EYES)
    Given(project, *TEAM).when(command).then(changed).then_state(policy=FOUR_EYES)
    Given(project, *TEAM, changed).when(command).then_nothing()


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (r.ProjectNotFound, NotFound),
        (r.MemberNotFound, NotFound),
        (r.NotAnOwner, Forbidden),
        (r.ProjectExists, Conflict),
        (r.AlreadyAMember, Conflict),
        (r.LastOwner, Conflict),
        (r.TooManyMembers, Conflict),
    ],
)
def test_each_refusal_is_of_the_kind_that_doors_map_to_a_status(refusal: type[Refusal], kind: type[Refusal]) -> None:
    assert issubclass(refusal, kind)


def test_every_event_of_the_union_is_in_the_catalogue() -> None:
    assert set(ProjectEvent.__args__) == set(EVENTS)
