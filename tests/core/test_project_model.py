"""Projects under random commands agree with a model of a few lines: a table of roles that always holds an owner."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hivesync_core.kernel.event import Event
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.kernel.roles import ApprovalPolicy, Approvers, Role
from hivesync_core.projects import commands as c
from hivesync_core.projects.decider import project
from tests.core.cast import OWNER, PROJECT

PEOPLE = [OWNER, *(AccountId(UUID(int=n)) for n in (2, 3, 4))]
people = st.sampled_from(PEOPLE)
roles = st.sampled_from(Role)
policies = st.builds(ApprovalPolicy, approvers=st.sampled_from(Approvers), may_approve_own_work=st.booleans())


@dataclass
class Model:
    """What the project should be."""

    roles: dict[AccountId, str] = field(default_factory=lambda: {OWNER: "owner"})
    name: str = "Garden"
    policy: ApprovalPolicy = ApprovalPolicy()  # noqa: RUF009 - frozen

    def owns(self, by: AccountId, is_admin: bool) -> bool:
        return is_admin or self.roles.get(by) == "owner"

    def loses_its_last_owner(self, without: AccountId) -> bool:
        return "owner" not in [role for account, role in self.roles.items() if account != without]


class ProjectMachine(RuleBasedStateMachine):
    """Every command is given to the rules and to the model; both must refuse, do nothing, or change alike."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.events: list[Event] = []
        self.state = project.initial

    def give(self, command: c.ProjectCommand) -> str:
        """``refused`` by its code, ``nothing`` or ``done``."""
        try:
            events = project.decide(self.state, command)
        except Refusal as refusal:
            return refusal.code
        self.events += events
        self.state = project.fold(events, self.state)
        return "done" if events else "nothing"

    @initialize()
    def create(self) -> None:
        assert self.give(c.CreateProject(project_id=PROJECT, by=OWNER, name="Garden")) == "done"

    @rule(by=people, is_admin=st.booleans(), account=people, role=roles)
    def add(self, by: AccountId, is_admin: bool, account: AccountId, role: Role) -> None:
        given = self.give(c.AddMember(by=by, is_admin=is_admin, account_id=account, role=role))
        if not self.model.owns(by, is_admin):
            assert given == "project.not_an_owner"
        elif account in self.model.roles:
            same = self.model.roles[account] == str(role)
            assert given == ("nothing" if same else "project.already_a_member")
        else:
            assert given == "done"
            self.model.roles[account] = str(role)

    @rule(by=people, is_admin=st.booleans(), account=people, role=roles)
    def change_role(self, by: AccountId, is_admin: bool, account: AccountId, role: Role) -> None:
        given = self.give(c.ChangeMemberRole(by=by, is_admin=is_admin, account_id=account, role=role))
        if not self.model.owns(by, is_admin):
            assert given == "project.not_an_owner"
        elif account not in self.model.roles:
            assert given == "project.member_not_found"
        elif self.model.roles[account] == str(role):
            assert given == "nothing"
        elif self.model.loses_its_last_owner(account):
            assert given == "project.last_owner"
        else:
            assert given == "done"
            self.model.roles[account] = str(role)

    @rule(by=people, is_admin=st.booleans(), account=people)
    def remove(self, by: AccountId, is_admin: bool, account: AccountId) -> None:
        given = self.give(c.RemoveMember(by=by, is_admin=is_admin, account_id=account))
        leaves = by == account and account in self.model.roles
        if not leaves and not self.model.owns(by, is_admin):
            assert given == "project.not_an_owner"
        elif account not in self.model.roles:
            assert given == "project.member_not_found"
        elif self.model.loses_its_last_owner(account):
            assert given == "project.last_owner"
        else:
            assert given == "done"
            del self.model.roles[account]

    @rule(by=people, is_admin=st.booleans(), name=st.sampled_from(["Garden", "Orchard", "Meadow"]))
    def rename(self, by: AccountId, is_admin: bool, name: str) -> None:
        given = self.give(c.EditProject(by=by, is_admin=is_admin, name=name))
        if not self.model.owns(by, is_admin):
            assert given == "project.not_an_owner"
        else:
            assert given == ("nothing" if name == self.model.name else "done")
            self.model.name = name

    @rule(by=people, is_admin=st.booleans(), policy=policies)
    def change_policy(self, by: AccountId, is_admin: bool, policy: ApprovalPolicy) -> None:
        given = self.give(c.ChangePolicy(by=by, is_admin=is_admin, policy=policy))
        if not self.model.owns(by, is_admin):
            assert given == "project.not_an_owner"
        else:
            assert given == ("nothing" if policy == self.model.policy else "done")
            self.model.policy = policy

    @invariant()
    def agrees(self) -> None:
        if not self.events:
            return
        assert self.state == project.fold(self.events)
        assert {account: str(role) for account, role in self.state.members.items()} == self.model.roles
        assert (self.state.name, self.state.policy) == (self.model.name, self.model.policy)
        assert "owner" in self.model.roles.values()


TestProjectMachine = ProjectMachine.TestCase
TestProjectMachine.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
