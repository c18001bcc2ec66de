"""Accounts as rows and streams in step: made, changed, locked out, erased, and made good after a death."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from adapters.identity.account_rows import erased_name
from adapters.identity.directory import OPERATOR, EmailRefused, NewPerson
from adapters.identity.errors import SignInRefused
from adapters.ids import now, uuid7
from hivesync_core.accounts import refusals as r
from hivesync_core.accounts.admins import ADMINS_STREAM
from hivesync_core.accounts.commands import (
    Actor,
    ChangeRole,
    DisableAccount,
    EnableAccount,
    EraseAccount,
    RegisterAccount,
)
from hivesync_core.accounts.decider import account
from hivesync_core.accounts.events import AccountErased, AccountRegistered
from hivesync_core.eventstore.errors import IdempotencyKeyReused
from hivesync_core.kernel.ids import AccountId
from hivesync_core.kernel.text import TextRefused
from tests.identity.node import ADMIN_EMAIL, PASSWORD, Node, context

DISABLE = DisableAccount(by=OPERATOR)
ENABLE = EnableAccount(by=OPERATOR)
ERASE = EraseAccount(by=OPERATOR)
DEMOTE = ChangeRole(by=OPERATOR, is_admin=False)


async def test_an_account_that_was_made_can_sign_in(node: Node) -> None:
    made = await node.person("grace@example.org")
    assert (await node.sign_in("grace@example.org")).account_id == made.account_id
    assert await node.events(made.account_id) == [
        AccountRegistered(account_id=made.account_id, origin="admin", is_admin=False)
    ]


async def test_an_address_belongs_to_one_account_however_it_is_written(node: Node) -> None:
    await node.person("grace@example.org")
    with pytest.raises(r.EmailTaken):
        await node.person("GRACE@Example.org")
    assert (await node.sign_in("Grace@EXAMPLE.org")).scopes == ("read", "write", "live")


async def test_of_twenty_requests_for_one_address_one_makes_the_account(node: Node) -> None:
    answers = await asyncio.gather(*(node.person("grace@example.org") for _ in range(20)), return_exceptions=True)
    made = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(made) == 1
    assert {type(answer) for answer in answers if isinstance(answer, BaseException)} == {r.EmailTaken}


async def test_the_same_request_again_is_answered_as_before(node: Node) -> None:
    async def make(name: str, fingerprint: bytes) -> UUID:
        person = NewPerson("grace@example.org", name, PASSWORD)
        at = context(key="k1", fingerprint=fingerprint)
        return (await node.identity.directory.make(person, OPERATOR, at)).account_id

    first = await make("Grace", b"a" * 32)
    assert await make("Grace", b"a" * 32) == first
    with pytest.raises(IdempotencyKeyReused):
        await make("Grace H.", b"b" * 32)
    assert len(await node.events(first)) == 1


async def test_only_an_admin_makes_accounts(node: Node) -> None:
    with pytest.raises(r.NotAnAdmin):
        await node.identity.directory.make(
            NewPerson("grace@example.org", "Grace", PASSWORD), Actor(AccountId(uuid7())), context()
        )
    assert await node.rows_with("grace@example.org") == []


@pytest.mark.parametrize(
    "email", ["", "grace", "grace@", "@example.org", "a b@example.org", "a@b@c", "x" * 250 + "@a.io"]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises((EmailRefused, TextRefused)):
        NewPerson(email, "Grace", PASSWORD)


async def test_the_first_admin_is_made_once_even_by_many_at_once(postgres_url: str) -> None:
    async with Node(postgres_url) as node:

        async def make(number: int) -> object:
            return await node.identity.set_up.create_first_admin(
                context(), email=f"admin{number}@example.org", name="Ada", password=PASSWORD
            )

        answers = await asyncio.gather(*(make(number) for number in range(10)), return_exceptions=True)
        assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
        assert {type(answer) for answer in answers if isinstance(answer, BaseException)} == {r.AdminExists}
        assert len(await node.events(ADMINS_STREAM)) == 1
        rows = await node.database.fetch_all("SELECT email FROM identity.accounts")
        assert len(rows) == 1, "who lost left nothing behind"


async def test_two_admins_who_demote_each_other_at_once_leave_one(node: Node, other_node: Node) -> None:
    first = await node.identity.rows.find_by_email(ADMIN_EMAIL)
    assert first is not None
    second = await node.person("grace@example.org", is_admin=True)
    answers = await asyncio.gather(
        node.identity.directory.change_status(first.account_id, DEMOTE, context()),
        other_node.identity.directory.change_status(second.account_id, DEMOTE, context()),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, r.LastAdmin) for answer in answers) == 1
    rows = await node.database.fetch_all("SELECT 1 FROM identity.accounts WHERE is_admin")
    assert len(rows) == 1


async def test_a_disabled_admin_does_not_count_and_counts_again_when_enabled(node: Node) -> None:
    directory = node.identity.directory
    first = await node.identity.rows.find_by_email(ADMIN_EMAIL)
    assert first is not None
    second = await node.person("grace@example.org", is_admin=True)
    await directory.change_status(second.account_id, DISABLE, context())
    with pytest.raises(r.LastAdmin):
        await directory.change_status(first.account_id, DEMOTE, context())
    await directory.change_status(second.account_id, ENABLE, context())
    await directory.change_status(first.account_id, DEMOTE, context())
    assert (await node.caller("grace@example.org")).acts_as_admin


async def test_a_disabled_account_cannot_sign_in_until_it_is_enabled(node: Node) -> None:
    made = await node.person("grace@example.org")
    pair = await node.sign_in("grace@example.org")
    await node.identity.directory.change_status(made.account_id, DISABLE, context())
    assert not await node.knows(pair.access_token)
    with pytest.raises(SignInRefused, match="disabled"):
        await node.sign_in("grace@example.org")
    await node.identity.directory.change_status(made.account_id, ENABLE, context())
    assert not await node.knows(pair.access_token), "what was void stays void"
    await node.sign_in("grace@example.org")


async def test_erasing_leaves_no_trace_of_the_person_anywhere_in_the_database(node: Node) -> None:
    made = await node.person("grace.hopper@example.org", "Grace Brewster")
    pair = await node.sign_in("grace.hopper@example.org")
    caller = await node.identity.verifier.authenticate(pair.access_token)
    await node.identity.personal_tokens.create(caller, "Grace's laptop", frozenset({"read"}), None, context())
    await node.identity.browser_sessions.begin(made.account_id)
    assert await node.rows_with("Hopper") == ["identity.accounts"]

    await node.identity.directory.change_status(made.account_id, ERASE, context())

    for trace in ("hopper", "brewster", "Grace's laptop"):
        assert await node.rows_with(trace) == []
    for table in ("sessions", "personal_tokens", "browser_sessions", "accounts"):
        rows = await node.database.fetch_all(
            f"SELECT 1 FROM identity.{table} WHERE account_id = %s", (made.account_id,)
        )
        assert rows == [], table
    assert not await node.knows(pair.access_token)
    assert (await node.events(made.account_id))[-1] == AccountErased()
    assert await node.identity.rows.display_names([made.account_id]) == {made.account_id: f"erased-{made.account_id}"}


async def test_an_erased_account_is_erased_once_and_its_address_is_free_again(node: Node) -> None:
    made = await node.person("grace@example.org")
    await node.identity.directory.change_status(made.account_id, ERASE, context())
    await node.identity.directory.change_status(made.account_id, ERASE, context())
    with pytest.raises(r.AccountIsErased):
        await node.identity.directory.change_status(made.account_id, ENABLE, context())
    assert (await node.person("grace@example.org")).account_id != made.account_id


async def test_names_are_given_for_the_living_and_the_erased(node: Node) -> None:
    made = await node.person("grace@example.org", "Grace")
    unknown = uuid7()
    names = await node.identity.rows.display_names([made.account_id, unknown])
    assert names == {made.account_id: "Grace", unknown: erased_name(unknown)}


async def test_an_account_that_never_was_cannot_be_changed(node: Node) -> None:
    for command in (DISABLE, ENABLE, ERASE, DEMOTE):
        with pytest.raises(r.NoSuchAccount):
            await node.identity.directory.change_status(uuid7(), command, context())


async def test_a_lock_out_whose_process_died_before_the_row_was_written_is_made_good(node: Node) -> None:
    made = await node.person("grace@example.org")
    pair = await node.sign_in("grace@example.org")
    await node.identity.rows.mark_unsettled(made.account_id)
    await node.log.execute(account, made.account_id, DISABLE, context())
    assert await node.knows(pair.access_token), "nobody was told yet"

    await _age_leftovers(node)
    assert await node.identity.directory.settle_leftovers() == 1

    assert not await node.knows(pair.access_token)
    assert await node.identity.directory.settle_leftovers() == 0


async def test_an_account_whose_process_died_before_or_after_the_log_was_written_is_settled(node: Node) -> None:
    never, made = AccountId(uuid7()), AccountId(uuid7())
    hashed = await node.identity.passwords.hash(PASSWORD)
    for account_id, email in ((never, "never@example.org"), (made, "made@example.org")):
        await node.identity.rows.insert(account_id, email=email, name="X", password_hash=hashed, at=now())
    register = RegisterAccount(account_id=made, origin="admin", by=OPERATOR)
    await node.log.execute(account, made, register, context())
    for email in ("never@example.org", "made@example.org"):
        with pytest.raises(SignInRefused):
            await node.sign_in(email)

    await _age_leftovers(node)
    assert await node.identity.directory.settle_leftovers() == 2

    await node.sign_in("made@example.org")
    assert await node.rows_with("never@example.org") == []


async def test_a_person_taken_for_a_leftover_while_the_process_stood_still_is_kept_all_the_same(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = node.log.execute_all

    async def after_standing_still(*given: Any) -> Any:
        await _age_leftovers(node)
        assert await node.identity.directory.settle_leftovers() == 1
        return await append(*given)

    monkeypatch.setattr(node.log, "execute_all", after_standing_still)
    made = await node.person("grace@example.org", is_admin=True)

    assert (made.email, made.is_admin) == ("grace@example.org", True)
    assert (await node.sign_in("grace@example.org")).account_id == made.account_id


async def test_an_older_reading_of_the_stream_does_not_undo_a_newer_one(node: Node) -> None:
    made = await node.person("grace@example.org")
    stale = await node.log.state(account, made.account_id, fresh=True)
    await node.identity.directory.change_status(made.account_id, DISABLE, context())
    await node.identity.rows.settle(made.account_id, stale.state, stale.version, None)
    with pytest.raises(SignInRefused):
        await node.sign_in("grace@example.org")


async def _age_leftovers(node: Node) -> None:
    await node.database.execute(
        "UPDATE identity.accounts SET unsettled_since = unsettled_since - interval '1 hour' "
        "WHERE unsettled_since IS NOT NULL"
    )
