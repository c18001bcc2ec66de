"""The device grant: a device that waits for a person."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from adapters.identity.device import DeviceGrant
from adapters.identity.directory import OPERATOR
from adapters.identity.errors import OAuthError, RateLimited
from adapters.identity.settings import Attempts
from adapters.ids import uuid7
from hivesync_core.accounts.commands import DisableAccount
from tests.identity.granting import Clock
from tests.identity.node import IP, WINDOW_S, Node, context


def device_grant(node: Node, clock: Clock) -> DeviceGrant:
    identity = node.identity
    return DeviceGrant(
        node.database, identity.clients, identity.sessions, identity.attempts, node.settings, clock=clock
    )


async def poll(grant: DeviceGrant, device_code: str) -> str:
    """The error, or ``ok``."""
    try:
        await grant.poll(device_code, "hivesync-cli")
    except OAuthError as error:
        return error.error
    return "ok"


async def test_a_device_waits_for_a_person_and_gets_one_session(node: Node) -> None:
    clock = Clock()
    grant = device_grant(node, clock)
    account_id = (await node.caller()).account_id
    start = await grant.start("hivesync-cli", "read live", IP)
    assert await poll(grant, start.device_code) == "authorization_pending"
    clock.ahead += timedelta(seconds=6)

    pending = await grant.pending(f" {start.user_code.lower()[:4]} {start.user_code[4:]}", account_id, IP)
    assert pending is not None
    assert (pending.client_name, pending.scopes) == ("HiveSync command line", ("read", "live"))
    assert await grant.decide(pending.user_code, account_id, approved=True)
    assert not await grant.decide(pending.user_code, account_id, approved=False), "decided once"

    pair = await grant.poll(start.device_code, "hivesync-cli")
    assert (await node.identity.verifier.authenticate(pair.access_token)).scopes == {"read", "live"}
    assert await poll(grant, start.device_code) == "invalid_grant"


async def test_a_device_that_asks_too_soon_has_to_wait_longer(node: Node) -> None:
    clock = Clock()
    grant = device_grant(node, clock)
    start = await grant.start("hivesync-cli", "", IP)
    answers = []
    for seconds in (0, 1, 6, 11, 16):
        clock.ahead += timedelta(seconds=seconds)
        answers.append(await poll(grant, start.device_code))
    assert answers == [
        "authorization_pending",
        "slow_down",  # 1 s after the first, 5 wanted: 10 from here on
        "slow_down",  # 6 s after that: 15 from here on
        "slow_down",  # 11 s after that: 20 from here on
        "slow_down",
    ]
    clock.ahead += timedelta(seconds=26)
    assert await poll(grant, start.device_code) == "authorization_pending"


async def test_a_device_is_told_of_a_no_and_of_the_end(node: Node) -> None:
    clock = Clock()
    grant = device_grant(node, clock)
    account_id = (await node.caller()).account_id
    denied, late = await grant.start("hivesync-cli", "", IP), await grant.start("hivesync-cli", "", IP)
    await grant.decide(denied.user_code, account_id, approved=False)
    assert await poll(grant, denied.device_code) == "access_denied"
    clock.ahead += timedelta(seconds=late.expires_in_s)
    assert await grant.pending(late.user_code, account_id, IP) is None
    assert not await grant.decide(late.user_code, account_id, approved=True)
    assert await poll(grant, late.device_code) == "expired_token"


async def test_a_device_of_another_client_or_of_nobody_gets_nothing(node: Node) -> None:
    grant = device_grant(node, Clock())
    start = await grant.start("hivesync-vscode", "", IP)
    assert await poll(grant, start.device_code) == "invalid_grant"
    assert await poll(grant, "nonsense") == "invalid_grant"
    with pytest.raises(OAuthError, match="invalid_client"):
        await grant.start("nobody", "", IP)
    with pytest.raises(OAuthError, match="invalid_scope"):
        await grant.start("hivesync-cli", "everything", IP)


async def test_of_many_polls_at_once_one_gets_the_session(node: Node, other_node: Node) -> None:
    grant = device_grant(node, Clock())
    start = await grant.start("hivesync-cli", "read", IP)
    await grant.decide(start.user_code, (await node.caller()).account_id, approved=True)
    answers = await asyncio.gather(
        *(poll(each, start.device_code) for each in [grant, device_grant(other_node, Clock())] * 5)
    )
    assert sorted(answers).count("ok") == 1


async def test_who_was_disabled_after_agreeing_lets_no_device_in(node: Node) -> None:
    made = await node.person("grace@example.org")
    grant = device_grant(node, Clock())
    start = await grant.start("hivesync-cli", "read", IP)
    await grant.decide(start.user_code, made.account_id, approved=True)
    await node.identity.directory.change_status(made.account_id, DisableAccount(by=OPERATOR), context())
    assert await poll(grant, start.device_code) in ("invalid_grant", "access_denied")


async def test_guessing_user_codes_is_stopped(postgres_url: str, node: Node) -> None:
    async with Node(postgres_url, device_code_entries=Attempts(3, WINDOW_S)) as guarded:
        account_id = uuid7()
        for _ in range(3):
            assert await guarded.identity.device.pending("BBBB-BBBB", account_id, IP) is None
        with pytest.raises(RateLimited):
            await guarded.identity.device.pending("BBBB-BBBB", account_id, "192.0.2.9")
        with pytest.raises(RateLimited):
            await guarded.identity.device.pending("BBBB-BBBB", uuid7(), IP)
