"""The memory of verified tokens: fast, never believed when nobody can say that it is still true."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import psycopg
import pytest

from adapters.identity.caller import Revoked
from adapters.identity.errors import NotAuthenticated
from adapters.identity.listener import TRUST_S
from adapters.identity.sessions import Sessions
from adapters.identity.verification import LAST_USE_EVERY_S, TokenVerifier
from adapters.ids import now
from hivesync_core.eventstore.errors import StoreUnavailable
from tests.identity.node import ADMIN_EMAIL, PATIENCE_S, Node, context


async def test_a_remembered_token_costs_microseconds(node: Node) -> None:
    pair = await node.sign_in()
    verifier = node.identity.verifier
    await verifier.authenticate(pair.access_token)
    rounds = 20_000
    best = min(_time(verifier, pair.access_token, rounds) for _ in range(3)) / rounds
    print(f"remembered token: {best * 1e6:.2f} µs")
    assert best < 20e-6, "an order of magnitude above what it takes on an idle machine"


async def test_a_remembered_token_is_answered_without_the_database(node: Node) -> None:
    pair = await node.sign_in()
    caller = await node.identity.verifier.authenticate(pair.access_token)
    await node.database.close()
    assert await node.identity.verifier.authenticate(pair.access_token) == caller


async def test_while_revocations_are_not_heard_each_request_asks_the_database(node: Node) -> None:
    pair = await node.sign_in()
    await node.identity.verifier.authenticate(pair.access_token)
    deaf = TokenVerifier(node.database)
    await deaf.authenticate(pair.access_token)
    assert deaf.remembered(pair.access_token) is None, "a verifier that hears nothing believes nothing it remembers"
    await node.database.execute("DELETE FROM identity.sessions")
    with pytest.raises(NotAuthenticated):
        await deaf.authenticate(pair.access_token)


async def test_a_listening_connection_that_is_killed_is_replaced_and_everything_is_forgotten(
    node: Node, postgres_url: str
) -> None:
    pair = await node.sign_in()
    told: list[Revoked] = []
    node.identity.verifier.on_revoked(told.append)
    await node.identity.verifier.authenticate(pair.access_token)
    with psycopg.connect(postgres_url) as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'hivesync-revocations' AND datname = current_database()"
        )
    async with asyncio.timeout(PATIENCE_S):
        while Revoked() not in told:
            await asyncio.sleep(0.01)
        await node.identity.listening()
    await node.database.execute("DELETE FROM identity.sessions")
    async with asyncio.timeout(PATIENCE_S):
        while await node.knows(pair.access_token):
            await asyncio.sleep(0.005)


async def test_a_connection_that_is_silent_is_trusted_no_longer_than_promised(node: Node) -> None:
    pair = await node.sign_in()
    await node.identity.verifier.authenticate(pair.access_token)
    await node.identity._listener.stop()
    node.identity.verifier.trust_until(time.monotonic() + 60)
    assert node.identity.verifier.remembered(pair.access_token) is not None
    node.identity.verifier.trust_until(time.monotonic())
    assert node.identity.verifier.remembered(pair.access_token) is None
    assert TRUST_S <= 2.0


async def test_a_revocation_that_races_the_first_question_is_not_overtaken(node: Node) -> None:
    """The row is read, then revoked and heard of, and only then remembered: the memory has to know better."""
    pair = await node.sign_in()
    verifier = node.identity.verifier

    class Slow:
        async def fetch_one(self, query: str, params: tuple[object, ...]) -> object:
            row = await node.database.fetch_one(query, params)
            await node.identity.sessions.end(pair.session_id)
            verifier.forget(Revoked(token_id=pair.session_id))
            return row

    verifier._database = Slow()  # type: ignore[assignment]
    await verifier.authenticate(pair.access_token)
    verifier._database = node.database
    assert not await node.knows(pair.access_token)


async def test_a_token_expires_by_the_clock_even_while_it_is_remembered(node: Node) -> None:
    pair = await node.sign_in()
    clock = [time.time()]
    verifier = TokenVerifier(node.database, clock=lambda: clock[0])
    verifier.trust_until(time.monotonic() + 60)
    await verifier.authenticate(pair.access_token)
    clock[0] += pair.expires_in_s - 1
    await verifier.authenticate(pair.access_token)
    clock[0] += 2
    with pytest.raises(NotAuthenticated) as expired:
        await verifier.authenticate(pair.access_token)
    assert expired.value.reason == "expired"


async def test_a_token_reaches_no_further_than_its_session(node: Node) -> None:
    pair = await node.sign_in()
    almost_over = Sessions(node.database, node.settings, clock=lambda: now() - timedelta(days=89, hours=23, minutes=55))
    old = await almost_over.open(pair.account_id, "direct", frozenset({"read"}))
    await node.database.execute("UPDATE identity.access_tokens SET expires_at = now() + interval '1 hour'")
    caller = await node.identity.verifier.authenticate(old.access_token)
    assert caller.valid_until is not None
    assert caller.valid_until - time.time() < 301


async def test_the_last_use_of_a_personal_token_is_written_at_most_once_a_minute(node: Node) -> None:
    caller = await node.caller()
    token, secret = await node.identity.personal_tokens.create(caller, "ci", frozenset({"read"}), None, context())
    clock = [time.time()]
    verifier = TokenVerifier(node.database, clock=lambda: clock[0])
    verifier.trust_until(time.monotonic() + 60)

    async def use() -> object:
        await verifier.authenticate(secret)
        await verifier.write_last_uses()
        return (await node.identity.personal_tokens.of(caller.account_id))[0].last_used_at

    assert (await node.identity.personal_tokens.of(caller.account_id))[0] == token
    first = await use()
    assert first is not None
    clock[0] += LAST_USE_EVERY_S / 2
    assert await use() == first
    clock[0] += LAST_USE_EVERY_S
    assert await use() != first


async def test_last_uses_that_could_not_be_written_are_written_later(node: Node) -> None:
    caller = await node.caller()
    _, secret = await node.identity.personal_tokens.create(caller, "ci", frozenset({"read"}), None, context())
    await node.identity.verifier.authenticate(secret)

    class Away:
        async def execute(self, *_: object) -> int:
            raise StoreUnavailable

    node.identity.verifier._database = Away()  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        await node.identity.verifier.write_last_uses()
    node.identity.verifier._database = node.database
    await node.identity.verifier.write_last_uses()
    assert (await node.identity.personal_tokens.of(caller.account_id))[0].last_used_at is not None


async def test_a_ticket_opens_one_socket_in_the_name_of_its_token(node: Node) -> None:
    pair = await node.sign_in()
    caller = await node.identity.verifier.authenticate(pair.access_token)
    ticket, expires_at = await node.identity.sessions.new_ticket(caller.account_id, pair.access_token)
    assert timedelta(0) < expires_at - now() <= timedelta(seconds=30)
    assert await node.identity.verifier.redeem_ticket(ticket) == caller
    with pytest.raises(NotAuthenticated):
        await node.identity.verifier.redeem_ticket(ticket)


async def test_a_ticket_of_a_personal_token_reaches_as_far_as_that(node: Node) -> None:
    caller = await node.caller()
    token, secret = await node.identity.personal_tokens.create(caller, "ci", frozenset({"live"}), None, context())
    ticket, _ = await node.identity.sessions.new_ticket(caller.account_id, secret)
    redeemed = await node.identity.verifier.redeem_ticket(ticket)
    assert (redeemed.token_id, redeemed.scopes) == (token.token_id, {"live"})


async def test_a_ticket_falls_with_its_session_and_with_time(node: Node) -> None:
    first, second = await node.sign_in(), await node.sign_in()
    ticket, _ = await node.identity.sessions.new_ticket(first.account_id, first.access_token)
    await node.identity.sessions.end(first.session_id)
    with pytest.raises(NotAuthenticated):
        await node.identity.verifier.redeem_ticket(ticket)
    earlier = Sessions(node.database, node.settings, clock=lambda: now() - timedelta(minutes=1))
    ticket, _ = await earlier.new_ticket(second.account_id, second.access_token)
    with pytest.raises(NotAuthenticated) as expired:
        await node.identity.verifier.redeem_ticket(ticket)
    assert expired.value.reason == "expired"


async def test_two_who_redeem_a_ticket_at_once_get_one_socket(node: Node, other_node: Node) -> None:
    pair = await node.sign_in()
    ticket, _ = await node.identity.sessions.new_ticket(pair.account_id, pair.access_token)
    answers = await asyncio.gather(
        *(each.identity.verifier.redeem_ticket(ticket) for each in (node, other_node)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Caller", "NotAuthenticated"]


async def test_what_has_expired_is_deleted_and_nothing_else(node: Node) -> None:
    kept = await node.sign_in()
    long_ago = Sessions(node.database, node.settings, clock=lambda: now() - timedelta(days=100))
    await long_ago.open(kept.account_id, "direct", frozenset({"read"}))
    await long_ago.new_ticket(kept.account_id, kept.access_token)
    await node.identity._upkeep.clean()
    assert await node.database.fetch_one("SELECT count(*) FROM identity.sessions") == (1,)
    assert await node.database.fetch_one("SELECT count(*) FROM identity.access_tokens") == (1,)
    assert await node.database.fetch_one("SELECT count(*) FROM identity.socket_tickets") == (0,)
    assert await node.knows(kept.access_token)
    assert (await node.identity.rows.find_by_email(ADMIN_EMAIL)) is not None


def _time(verifier: TokenVerifier, token: str, rounds: int) -> float:
    started = time.thread_time()
    for _ in range(rounds):
        verifier.remembered(token)
    return time.thread_time() - started
