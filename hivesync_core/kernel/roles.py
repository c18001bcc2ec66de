"""What a person may be in a project, and who may approve there: facts that the rules of several features ask for."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a member is in a project. An owner manages and reviews, a member works, an auditor only reads."""

    OWNER = "owner"
    MEMBER = "member"
    AUDITOR = "auditor"

    @property
    def writes(self) -> bool:
        """Whether this role may change anything."""
        return self is not Role.AUDITOR


class Approvers(StrEnum):
    """Who may approve and deny completed tasks, beside the owners, who always may."""

    OWNERS = "owners"
    MEMBERS = "members"


class ApprovalPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A project's policy (TASK-1): who may approve, and whether one may approve one's own work."""

    approvers: Approvers = Approvers.OWNERS
    may_approve_own_work: bool = True
    """True to begin with, because a project of one person could get nothing approved otherwise."""

    def reviews(self, role: Role) -> bool:
        """Whether a member of this role is a reviewer."""
        return role is Role.OWNER or (role is Role.MEMBER and self.approvers is Approvers.MEMBERS)
