"""Passwords that are changed, and guesses that are stopped."""

from __future__ import annotations

import pytest

from adapters.identity.directory import OPERATOR
from adapters.identity.errors import NotAuthenticated, RateLimited, SignInRefused
from adapters.identity.secrets import ACCESS, PERSONAL, REFRESH, new_token
from adapters.identity.settings import Attempts, PasswordCost
from hivesync_core.accounts import refusals as r
from hivesync_core.accounts.events import AccountPasswordChanged
from tests.identity.node import ADMIN_EMAIL, CHEAP, IP, PASSWORD, WINDOW_S, Node, context

NEW_PASSWORD = "eight louder lanterns"


async def test_another_password_ends_every_other_session(node: Node) -> None:
    kept, other = await node.sign_in(), await node.sign_in()
    await node.identity.password_change.change_own(
        kept.account_id, PASSWORD, NEW_PASSWORD, context(), keep_session=kept.session_id
    )
    assert await node.knows(kept.access_token)
    assert not await node.knows(other.access_token)
    with pytest.raises(SignInRefused):
        await node.sign_in()
    await node.identity.sign_in.sign_in(ADMIN_EMAIL, NEW_PASSWORD, IP)
    assert (await node.events(kept.account_id))[-1] == AccountPasswordChanged(cause="own")


async def test_a_password_is_changed_by_who_knows_it_and_to_one_that_holds(node: Node) -> None:
    pair = await node.sign_in()
    change = node.identity.password_change.change_own
    with pytest.raises(r.WrongPassword):
        await change(pair.account_id, "not this one at all", NEW_PASSWORD, context(), keep_session=None)
    with pytest.raises(r.PasswordRefused):
        await change(pair.account_id, PASSWORD, "passwordpassword", context(), keep_session=None)
    await node.sign_in()


async def test_an_admin_sets_somebodys_password(node: Node) -> None:
    made = await node.person("grace@example.org")
    pair = await node.sign_in("grace@example.org")
    await node.identity.password_change.set_for(made.account_id, NEW_PASSWORD, OPERATOR, context())
    assert not await node.knows(pair.access_token)
    await node.identity.sign_in.sign_in("grace@example.org", NEW_PASSWORD, IP)


async def test_a_hash_of_other_cost_is_made_anew_at_the_next_sign_in(postgres_url: str, node: Node) -> None:
    dearer = PasswordCost(memory_kib=128, passes=2, lanes=1)
    async with Node(postgres_url, password_cost=dearer) as later:
        for _ in range(2):
            await later.sign_in()
            row = await later.identity.rows.find_by_email(ADMIN_EMAIL)
            assert row is not None
            assert "m=128,t=2,p=1" in (row.password_hash or "")
    await node.sign_in()
    row = await node.identity.rows.find_by_email(ADMIN_EMAIL)
    assert row is not None
    assert f"m={CHEAP.memory_kib},t={CHEAP.passes}" in (row.password_hash or "")


async def test_guessing_one_account_from_one_address_is_stopped(postgres_url: str, node: Node) -> None:
    async with Node(postgres_url, sign_in_by_account_and_ip=Attempts(3, WINDOW_S)) as guarded:
        for _ in range(3):
            with pytest.raises(SignInRefused):
                await guarded.identity.sign_in.sign_in(ADMIN_EMAIL, "wrong wrong wrong", IP)
        with pytest.raises(RateLimited) as limited:
            await guarded.identity.sign_in.sign_in(ADMIN_EMAIL, PASSWORD, IP)
        assert 0 < limited.value.retry_after_s <= WINDOW_S
        await guarded.sign_in(ip="192.0.2.77")


async def test_guessing_many_accounts_from_one_address_is_stopped(postgres_url: str, node: Node) -> None:
    async with Node(postgres_url, sign_in_by_ip=Attempts(5, WINDOW_S)) as guarded:
        for number in range(5):
            with pytest.raises(SignInRefused):
                await guarded.identity.sign_in.sign_in(f"{number}@example.org", "wrong wrong wrong", IP)
        with pytest.raises(RateLimited):
            await guarded.sign_in()


async def test_guessing_one_account_from_many_addresses_is_stopped(postgres_url: str, node: Node) -> None:
    async with Node(postgres_url, sign_in_by_account=Attempts(5, WINDOW_S)) as guarded:
        for number in range(5):
            with pytest.raises(SignInRefused):
                await guarded.identity.sign_in.sign_in(ADMIN_EMAIL, "wrong wrong wrong", f"192.0.2.{number}")
        with pytest.raises(RateLimited):
            await guarded.sign_in(ip="192.0.2.99")


async def test_the_right_password_ends_the_counting(postgres_url: str, node: Node) -> None:
    async with Node(postgres_url, sign_in_by_account_and_ip=Attempts(3, WINDOW_S)) as guarded:
        for _ in range(3):
            for _ in range(2):
                with pytest.raises(SignInRefused):
                    await guarded.identity.sign_in.sign_in(ADMIN_EMAIL, "wrong wrong wrong", IP)
            await guarded.sign_in()


async def test_renewals_from_one_address_are_limited(postgres_url: str, node: Node) -> None:
    async with Node(postgres_url, token_requests_by_ip=Attempts(2, WINDOW_S)) as guarded:
        for _ in range(2):
            with pytest.raises(NotAuthenticated):
                await guarded.identity.sign_in.refresh(new_token(REFRESH), IP)
        with pytest.raises(RateLimited):
            await guarded.identity.sign_in.refresh(new_token(REFRESH), IP)


@pytest.mark.parametrize("email", ["nobody@example.org", "a\0b@example.org", "", "x" * 10_000])
async def test_an_address_without_an_account_reads_like_a_wrong_password(node: Node, email: str) -> None:
    with pytest.raises(SignInRefused) as nobody:
        await node.identity.sign_in.sign_in(email, PASSWORD, IP)
    with pytest.raises(SignInRefused) as wrong:
        await node.identity.sign_in.sign_in(ADMIN_EMAIL, "wrong wrong wrong", IP)
    assert str(nobody.value) == str(wrong.value)


@pytest.mark.parametrize(
    "token",
    [new_token(PERSONAL), new_token(ACCESS), new_token(REFRESH), "eyJhbGciOiJub25lIn0.e30."],
    ids=["personal", "access", "refresh", "unsigned-jwt"],
)
async def test_a_token_that_was_never_given_is_not_good(node: Node, token: str) -> None:
    assert not await node.knows(token)
