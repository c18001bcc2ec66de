"""Invitations, personal tokens and the set-up link: secrets that let somebody in, once, for a while."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.identity.caller import Caller
from adapters.identity.directory import OPERATOR, EmailRefused
from adapters.identity.errors import RateLimited
from adapters.identity.personal_tokens import PERSONAL_TOKENS_MAX, TooManyTokens
from adapters.identity.secrets import INVITATION, SET_UP, new_token
from adapters.identity.set_up import SetUpLinkRefused
from adapters.identity.settings import Attempts
from adapters.ids import now, uuid7
from hivesync_core.accounts import refusals as r
from hivesync_core.accounts.commands import ChangeRole, DisableAccount
from hivesync_core.accounts.events import AccountRegistered, AccountTokenCreated, AccountTokenRevoked
from hivesync_core.accounts.scopes import Scope
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from hivesync_core.projects.commands import AddMember, ChangeMemberRole, CreateProject
from hivesync_core.projects.decider import project
from hivesync_core.projects.refusals import NotAnOwner
from tests.identity.node import IP, PASSWORD, PATIENCE_S, WINDOW_S, Node, context

NEW = {"email": "grace@example.org", "name": "Grace", "password": PASSWORD}


async def _project_of(node: Node, owner: AccountId) -> ProjectId:
    project_id = ProjectId(uuid7())
    await node.log.execute(
        project, project_id, CreateProject(project_id=project_id, by=owner, name="Garden"), context()
    )
    return project_id


async def _members(node: Node, project_id: ProjectId) -> dict[AccountId, Role]:
    return dict((await node.log.state(project, project_id, fresh=True)).state.members)


# --- invitations -----------------------------------------------------------------------------------------------------


async def test_an_invitation_makes_one_account(node: Node) -> None:
    row, secret = await node.identity.invitations.make(await node.caller(), context())
    assert await node.rows_with(secret) == []
    made = await node.identity.invitations.accept(secret, IP, context(), **NEW)
    assert await node.events(made.account_id) == [
        AccountRegistered(
            account_id=made.account_id, origin="invitation", is_admin=False, invitation_id=row.invitation_id
        )
    ]
    await node.sign_in("grace@example.org")
    with pytest.raises(r.NoSuchInvitation):
        await node.identity.invitations.accept(secret, IP, context(), **{**NEW, "email": "eve@example.org"})


async def test_of_many_who_accept_at_once_one_gets_in(node: Node, other_node: Node) -> None:
    _, secret = await node.identity.invitations.make(await node.caller(), context())
    answers = await asyncio.gather(
        *(
            [node, other_node][n % 2].identity.invitations.accept(
                secret, IP, context(), email=f"p{n}@example.org", name="P", password=PASSWORD
            )
            for n in range(8)
        ),
        return_exceptions=True,
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert {type(a) for a in answers if isinstance(a, BaseException)} <= {r.InvitationNotOpen, r.NoSuchInvitation}
    rows = await node.database.fetch_all("SELECT 1 FROM identity.accounts")
    assert len(rows) == 2, "the admin and one more"


async def test_an_invitation_into_a_project_makes_a_member_in_the_same_step(node: Node) -> None:
    caller = await node.caller()
    project_id = await _project_of(node, caller.account_id)
    _, secret = await node.identity.invitations.make(caller, context(), project_id=project_id, role=Role.AUDITOR)
    made = await node.identity.invitations.accept(secret, IP, context(), **NEW)
    assert (await _members(node, project_id))[made.account_id] is Role.AUDITOR


async def test_an_owner_who_is_none_any_more_lets_nobody_in(node: Node) -> None:
    admin = await node.caller()
    await node.person("olga@example.org")
    olga = await node.caller("olga@example.org")
    project_id = await _project_of(node, olga.account_id)
    _, secret = await node.identity.invitations.make(olga, context(), project_id=project_id, role=Role.MEMBER)
    for command in (
        AddMember(by=olga.account_id, account_id=admin.account_id, role=Role.OWNER),
        ChangeMemberRole(by=admin.account_id, account_id=olga.account_id, role=Role.MEMBER),
    ):
        await node.log.execute(project, project_id, command, context())
    with pytest.raises(NotAnOwner):
        await node.identity.invitations.accept(secret, IP, context(), **NEW)
    assert await node.rows_with("grace@example.org") == [], "all of it, or nothing"


async def test_only_admins_invite_without_a_project_and_only_owners_into_one(node: Node) -> None:
    await node.person("mia@example.org")
    mia = await node.caller("mia@example.org")
    with pytest.raises(r.NotAnAdmin):
        await node.identity.invitations.make(mia, context())
    project_id = await _project_of(node, (await node.caller()).account_id)
    with pytest.raises(r.MayNotInvite):
        await node.identity.invitations.make(mia, context(), project_id=project_id, role=Role.MEMBER)


async def test_an_invitation_for_an_address_is_for_that_address(node: Node) -> None:
    _, secret = await node.identity.invitations.make(await node.caller(), context(), email="grace@example.org")
    with pytest.raises(EmailRefused):
        await node.identity.invitations.accept(secret, IP, context(), **{**NEW, "email": "eve@example.org"})
    made = await node.identity.invitations.accept(secret, IP, context(), **{**NEW, "email": ""})
    assert made.email == "grace@example.org"


async def test_an_address_that_was_invited_is_forgotten_with_the_invitation(node: Node) -> None:
    caller = await node.caller()
    row, secret = await node.identity.invitations.make(caller, context(), email="grace@example.org")
    assert await node.rows_with("grace@example.org") == ["identity.invitations"]
    await node.identity.invitations.revoke(caller, row.invitation_id, context())
    assert await node.rows_with("grace@example.org") == []
    with pytest.raises(r.NoSuchInvitation):
        await node.identity.invitations.accept(secret, IP, context(), **NEW)


async def test_an_invitation_expires(node: Node) -> None:
    caller = await node.caller()
    _, secret = await node.identity.invitations.make(caller, context(), expires_at=now() + timedelta(hours=1))
    await node.database.execute("UPDATE identity.invitations SET expires_at = now()")
    with pytest.raises(r.NoSuchInvitation):
        await node.identity.invitations.accept(secret, IP, context(), **NEW)


async def test_a_weak_password_or_a_taken_address_leaves_the_invitation_open(node: Node) -> None:
    _, secret = await node.identity.invitations.make(await node.caller(), context())
    with pytest.raises(r.PasswordRefused):
        await node.identity.invitations.accept(secret, IP, context(), **{**NEW, "password": "passwordpassword"})
    with pytest.raises(r.EmailTaken):
        await node.identity.invitations.accept(secret, IP, context(), **{**NEW, "email": "ada@example.org"})
    await node.identity.invitations.accept(secret, IP, context(), **NEW)


@pytest.mark.parametrize("command", [DisableAccount(by=OPERATOR), ChangeRole(by=OPERATOR, is_admin=False)])
async def test_invitations_of_who_may_not_invite_any_more_are_void(
    node: Node, command: DisableAccount | ChangeRole
) -> None:
    await node.person("ida@example.org", is_admin=True)
    ida = await node.caller("ida@example.org")
    _, secret = await node.identity.invitations.make(ida, context())
    await node.identity.directory.change_status(ida.account_id, command, context())
    with pytest.raises(r.NoSuchInvitation):
        await node.identity.invitations.accept(secret, IP, context(), **NEW)


async def test_the_list_shows_ones_own_and_an_admin_everybodys(node: Node) -> None:
    admin = await node.caller()
    await node.person("olga@example.org")
    olga = await node.caller("olga@example.org")
    project_id = await _project_of(node, olga.account_id)
    theirs, _ = await node.identity.invitations.make(olga, context(), project_id=project_id, role=Role.MEMBER)
    own, _ = await node.identity.invitations.make(admin, context())
    assert await node.identity.invitations.page(olga, None, 10) == [theirs]
    assert await node.identity.invitations.page(admin, None, 10) == [theirs, own]
    assert await node.identity.invitations.page(admin, theirs.invitation_id, 10) == [own]
    with pytest.raises(r.NotAnAdmin):
        await node.identity.invitations.revoke(olga, own.invitation_id, context())


async def test_guessing_invitations_is_stopped(postgres_url: str, node: Node) -> None:
    async with Node(postgres_url, invitation_attempts=Attempts(3, WINDOW_S)) as guarded:
        for guess in (new_token(INVITATION), "nonsense", ""):
            with pytest.raises(r.NoSuchInvitation):
                await guarded.identity.invitations.open_one(guess, IP)
        with pytest.raises(RateLimited):
            await guarded.identity.invitations.open_one(new_token(INVITATION), IP)


# --- personal access tokens ------------------------------------------------------------------------------------------


async def _token(node: Node, caller: Caller, *scopes: Scope) -> tuple[object, str]:
    token, secret = await node.identity.personal_tokens.create(caller, "ci", frozenset(scopes), None, context())
    return token.token_id, secret


async def test_a_personal_token_does_what_it_was_made_for_and_no_more(node: Node) -> None:
    caller = await node.caller()
    _, secret = await _token(node, caller, "live", "read")
    assert secret.startswith("hsp_")
    assert await node.rows_with(secret[4:]) == []
    assert (await node.identity.verifier.authenticate(secret)).scopes == {"read", "live"}
    event = (await node.events(caller.account_id))[-1]
    assert isinstance(event, AccountTokenCreated)
    assert event.scopes == ("read", "live")


async def test_a_token_gives_no_scope_that_it_does_not_have(node: Node) -> None:
    admin = await node.caller()
    _, secret = await _token(node, admin, "read", "write")
    limited = await node.identity.verifier.authenticate(secret)
    with pytest.raises(r.ScopeNotHeld):
        await _token(node, limited, "admin")
    await node.person("mia@example.org")
    with pytest.raises(r.ScopeNotHeld):
        await _token(node, await node.caller("mia@example.org"), "admin")
    with pytest.raises(r.NoScope):
        await _token(node, admin)


async def test_a_revoked_token_is_void_at_once(node: Node, other_node: Node) -> None:
    caller = await node.caller()
    token_id, secret = await _token(node, caller, "read")
    assert await other_node.knows(secret)
    await node.identity.personal_tokens.revoke(caller, token_id, context())  # type: ignore[arg-type]
    assert not await node.knows(secret)
    async with asyncio.timeout(PATIENCE_S):
        while await other_node.knows(secret):
            await asyncio.sleep(0.005)
    assert isinstance((await node.events(caller.account_id))[-1], AccountTokenRevoked)
    assert await node.identity.personal_tokens.of(caller.account_id) == []


async def test_a_token_of_somebody_else_is_revoked_by_admins_alone(node: Node) -> None:
    admin = await node.caller()
    for email in ("mia@example.org", "olga@example.org"):
        await node.person(email)
    mia, olga = await node.caller("mia@example.org"), await node.caller("olga@example.org")
    token_id, secret = await _token(node, mia, "read")
    with pytest.raises(r.NoSuchToken):
        await node.identity.personal_tokens.revoke(olga, token_id, context())  # type: ignore[arg-type]
    assert await node.knows(secret)
    await node.identity.personal_tokens.revoke(admin, token_id, context())  # type: ignore[arg-type]
    assert not await node.knows(secret)


async def test_a_token_expires(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await node.caller()
    soon = now() + timedelta(hours=1)
    _, secret = await node.identity.personal_tokens.create(caller, "ci", frozenset({"read"}), soon, context())
    assert await node.knows(secret)
    monkeypatch.setattr(node.identity.verifier, "_clock", soon.timestamp)
    assert not await node.knows(secret)
    with pytest.raises(r.ExpiryInThePast):
        await node.identity.personal_tokens.create(caller, "ci", frozenset({"read"}), now(), context())


async def test_an_account_has_so_many_tokens(node: Node) -> None:
    caller = await node.caller()
    await node.database.execute(
        "INSERT INTO identity.personal_tokens (token_id, token_hash, account_id, name, scopes, created_at) "
        "SELECT gen_random_uuid(), sha256(n::text::bytea), %s, 'x', '{read}', now() FROM generate_series(1, %s) n",
        (caller.account_id, PERSONAL_TOKENS_MAX),
    )
    with pytest.raises(TooManyTokens):
        await _token(node, caller, "read")


# --- set-up ----------------------------------------------------------------------------------------------------------


async def test_the_set_up_link_makes_the_first_admin_once(postgres_url: str) -> None:
    async with Node(postgres_url) as node:
        earlier, link = await node.identity.set_up.link(), await node.identity.set_up.link()
        assert earlier is not None
        assert link is not None
        assert link.startswith("http://hivesync.test/setup?token=hsu_")
        old, token = (parse_qs(urlsplit(each).query)["token"][0] for each in (earlier, link))
        for wrong in (old, new_token(SET_UP), "", "nonsense"):
            with pytest.raises(SetUpLinkRefused):
                await node.identity.set_up.complete(wrong, IP, context(), **NEW)
        with pytest.raises(r.PasswordRefused):
            await node.identity.set_up.complete(token, IP, context(), **{**NEW, "password": "too short"})

        made = await node.identity.set_up.complete(token, IP, context(), **NEW)

        assert made.is_admin
        assert (await node.caller("grace@example.org")).acts_as_admin
        with pytest.raises(r.AdminExists):
            await node.identity.set_up.complete(token, IP, context(), **{**NEW, "email": "eve@example.org"})
        with pytest.raises(r.AdminExists):
            await node.identity.set_up.create_first_admin(context(), **{**NEW, "email": "eve@example.org"})
        assert await node.identity.set_up.link() is None


async def test_guessing_the_set_up_link_is_stopped(postgres_url: str) -> None:
    async with Node(postgres_url, set_up_attempts=Attempts(3, WINDOW_S)) as node:
        await node.identity.set_up.link()
        for _ in range(3):
            with pytest.raises(SetUpLinkRefused):
                await node.identity.set_up.check(new_token(SET_UP), IP)
        with pytest.raises(RateLimited):
            await node.identity.set_up.check(new_token(SET_UP), IP)
