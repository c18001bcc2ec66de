"""What roles and policies mean, whatever asks them."""

from __future__ import annotations

import pytest

from hivesync_core.kernel.roles import ApprovalPolicy, Approvers, Role


@pytest.mark.parametrize(
    ("approvers", "reviewers"),
    [(Approvers.OWNERS, {Role.OWNER}), (Approvers.MEMBERS, {Role.OWNER, Role.MEMBER})],
)
def test_owners_always_review_members_where_the_policy_says_so_auditors_never(
    approvers: Approvers, reviewers: set[Role]
) -> None:
    policy = ApprovalPolicy(approvers=approvers)
    assert {role for role in Role if policy.reviews(role)} == reviewers


def test_all_but_auditors_write() -> None:
    assert {role for role in Role if role.writes} == {Role.OWNER, Role.MEMBER}
