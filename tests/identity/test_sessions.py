"""Sessions: renewed by a refresh token that is good once, ended by its reuse."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from adapters.identity.errors import NotAuthenticated, OAuthError
from adapters.identity.secrets import ACCESS, REFRESH, new_token
from adapters.identity.sessions import DIRECT_CLIENT, SESSIONS_MAX, Sessions
from adapters.ids import now
from hivesync_core.accounts.events import AccountRefreshTokenReused
from tests.identity.node import IP, Node


async def test_a_sign_in_gives_tokens_that_a_scanner_finds_and_keeps_only_their_hashes(node: Node) -> None:
    pair = await node.sign_in()
    assert pair.access_token.startswith("hsa_")
    assert pair.refresh_token.startswith("hsr_")
    assert pair.scopes == ("read", "write", "live", "admin")
    for token in (pair.access_token, pair.refresh_token):
        assert await node.rows_with(token) == []
        assert await node.rows_with(token[4:]) == []


async def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(node: Node) -> None:
    first = await node.sign_in()
    second = await node.identity.sign_in.refresh(first.refresh_token, IP)
    assert await node.knows(second.access_token)

    with pytest.raises(NotAuthenticated):
        await node.identity.sign_in.refresh(first.refresh_token, IP)

    assert not await node.knows(first.access_token)
    assert not await node.knows(second.access_token)
    with pytest.raises(NotAuthenticated):
        await node.identity.sign_in.refresh(second.refresh_token, IP)
    events = await node.events(first.account_id)
    assert events[-1] == AccountRefreshTokenReused(session_id=first.session_id, client_id=DIRECT_CLIENT)
    assert sum(isinstance(event, AccountRefreshTokenReused) for event in events) == 1


async def test_the_reuse_ends_one_session_and_no_other(node: Node) -> None:
    stolen, other = await node.sign_in(), await node.sign_in()
    await node.identity.sign_in.refresh(stolen.refresh_token, IP)
    with pytest.raises(NotAuthenticated):
        await node.identity.sign_in.refresh(stolen.refresh_token, IP)
    assert await node.knows(other.access_token)


async def test_of_two_renewals_at_once_one_wins_and_the_other_ends_the_session(node: Node, other_node: Node) -> None:
    pair = await node.sign_in()
    answers = await asyncio.gather(
        node.identity.sign_in.refresh(pair.refresh_token, IP),
        other_node.identity.sign_in.refresh(pair.refresh_token, IP),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["NotAuthenticated", "TokenPair"]
    assert await node.database.fetch_all("SELECT 1 FROM identity.sessions") == []


async def test_a_refresh_token_is_bound_to_its_client(node: Node) -> None:
    pair = await node.sign_in()
    with pytest.raises(NotAuthenticated):
        await node.identity.sign_in.refresh(pair.refresh_token, IP, client_id="hivesync-cli")
    await node.identity.sign_in.refresh(pair.refresh_token, IP)


async def test_a_renewal_asks_for_no_other_scopes(node: Node) -> None:
    pair = await node.sign_in()
    with pytest.raises(OAuthError, match="invalid_scope"):
        await node.identity.sign_in.refresh(pair.refresh_token, IP, scopes=frozenset({"read"}))
    await node.identity.sign_in.refresh(pair.refresh_token, IP, scopes=frozenset(pair.scopes))


@pytest.mark.parametrize(
    "token",
    ["", "nonsense", "a" * 10_000, new_token(REFRESH), new_token(ACCESS)],
    ids=["nothing", "nonsense", "endless", "another-refresh-token", "an-access-token"],
)
async def test_a_refresh_token_that_was_never_given_renews_nothing(node: Node, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        await node.identity.sign_in.refresh(token, IP)


@pytest.mark.parametrize(
    ("passed", "still_good"),
    [(timedelta(days=29), True), (timedelta(days=31), False), (timedelta(days=91), False)],
)
async def test_a_session_that_was_not_renewed_for_a_month_is_over(
    node: Node, passed: timedelta, still_good: bool
) -> None:
    pair = await node.sign_in()
    later = Sessions(node.database, node.settings, clock=lambda: now() + passed)
    if still_good:
        await later.refresh(pair.refresh_token, DIRECT_CLIENT)
    else:
        with pytest.raises(NotAuthenticated) as refused:
            await later.refresh(pair.refresh_token, DIRECT_CLIENT)
        assert refused.value.reason == "expired"


async def test_an_account_has_so_many_sessions_and_the_stalest_makes_room(node: Node) -> None:
    first = await node.sign_in()
    for _ in range(SESSIONS_MAX):
        await node.identity.sessions.open(first.account_id, DIRECT_CLIENT, frozenset({"read"}))
    assert await node.database.fetch_one("SELECT count(*) FROM identity.sessions") == (SESSIONS_MAX,)
    assert await node.identity.sessions.session_of(first.access_token) is None


async def test_every_postgres_version_serves(any_postgres_url: str) -> None:
    async with Node(any_postgres_url) as node:
        await node.first_admin()
        pair = await node.sign_in()
        renewed = await node.identity.sign_in.refresh(pair.refresh_token, IP)
        caller = await node.identity.verifier.authenticate(renewed.access_token)
        await node.identity.sign_in.sign_out(caller)
        assert not await node.knows(renewed.access_token)
