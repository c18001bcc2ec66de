"""What ends, ends at once: on the node that ended it, and on every other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from adapters.identity.caller import Caller, Revoked
from adapters.identity.directory import OPERATOR
from adapters.identity.errors import NotAuthenticated
from adapters.identity.sessions import DIRECT_CLIENT, TokenPair
from hivesync_core.accounts.commands import ChangeRole, DisableAccount, EraseAccount
from tests.identity.node import IP, PASSWORD, PATIENCE_S, Node, context

NEW_PASSWORD = "eight louder lanterns"


async def test_signing_out_acts_at_once_on_every_node(node: Node, other_node: Node) -> None:
    pair = await node.sign_in()
    caller = await node.identity.verifier.authenticate(pair.access_token)
    assert await other_node.knows(pair.access_token)
    assert other_node.identity.verifier.remembered(pair.access_token) is not None, "the other node remembers"

    await node.identity.sign_in.sign_out(caller)

    assert not await node.knows(pair.access_token)
    await _soon(lambda: _unknown(other_node, pair.access_token))
    with pytest.raises(NotAuthenticated):
        await other_node.identity.sign_in.refresh(pair.refresh_token, IP)


@pytest.mark.parametrize("command", [DisableAccount(by=OPERATOR), EraseAccount(by=OPERATOR)])
async def test_locking_out_acts_at_once_on_every_node(
    node: Node, other_node: Node, command: DisableAccount | EraseAccount
) -> None:
    made = await node.person("grace@example.org")
    pair = await node.sign_in("grace@example.org")
    caller = await node.identity.verifier.authenticate(pair.access_token)
    _, personal = await node.identity.personal_tokens.create(caller, "ci", frozenset({"read"}), None, context())
    for token in (pair.access_token, personal):
        assert await other_node.knows(token)

    await node.identity.directory.change_status(made.account_id, command, context())

    for token in (pair.access_token, personal):
        assert not await node.knows(token)
        await _soon(lambda token=token: _unknown(other_node, token))  # type: ignore[misc]


async def test_the_node_that_ends_something_does_not_wait_for_the_news_of_it(node: Node) -> None:
    """The listener is gone and what is remembered is believed: only the node's own knowledge can help."""
    made = await node.person("grace@example.org")
    sign_in, tokens = node.identity.sign_in, node.identity.personal_tokens

    async def ended_by(end: Callable[[TokenPair, Caller], Awaitable[object]]) -> bool:
        pair = await node.sign_in("grace@example.org")
        caller = await node.identity.verifier.authenticate(pair.access_token)
        assert node.identity.verifier.remembered(pair.access_token) == caller
        await end(pair, caller)
        return not await node.knows(pair.access_token)

    async def reuse(pair: TokenPair, _: Caller) -> None:
        await sign_in.refresh(pair.refresh_token, IP)
        with pytest.raises(NotAuthenticated):
            await sign_in.refresh(pair.refresh_token, IP)

    caller = await node.caller("grace@example.org")
    token, personal = await tokens.create(caller, "ci", frozenset({"read"}), None, context())
    await node.identity._listener.stop()
    node.identity.verifier.trust_until(time.monotonic() + 60)

    assert await ended_by(lambda _, caller: sign_in.sign_out(caller))
    assert await ended_by(lambda pair, _: sign_in.revoke(pair.access_token, DIRECT_CLIENT))
    assert await ended_by(reuse)
    assert await ended_by(
        lambda pair, _: node.identity.password_change.change_own(
            pair.account_id, PASSWORD, NEW_PASSWORD, context(), keep_session=None
        )
    )
    await node.identity.password_change.set_for(made.account_id, PASSWORD, OPERATOR, context())
    assert await node.knows(personal)
    await tokens.revoke(caller, token.token_id, context())
    assert not await node.knows(personal)
    assert await ended_by(
        lambda *_: node.identity.directory.change_status(made.account_id, DisableAccount(by=OPERATOR), context())
    )


async def test_who_is_demoted_is_no_admin_on_any_node(node: Node, other_node: Node) -> None:
    made = await node.person("grace@example.org", is_admin=True)
    pair = await node.sign_in("grace@example.org")
    for each in (node, other_node):
        assert (await each.identity.verifier.authenticate(pair.access_token)).acts_as_admin

    await node.identity.directory.change_status(made.account_id, ChangeRole(by=OPERATOR, is_admin=False), context())

    caller = await node.identity.verifier.authenticate(pair.access_token)
    assert caller.scopes == {"read", "write", "live"}
    assert not caller.is_admin

    async def demoted() -> bool:
        return not (await other_node.identity.verifier.authenticate(pair.access_token)).is_admin

    await _soon(demoted)


async def test_a_row_that_an_operator_deletes_by_hand_is_heard_too(node: Node, other_node: Node) -> None:
    pair = await node.sign_in()
    for each in (node, other_node):
        assert await each.knows(pair.access_token)
    await node.database.execute("DELETE FROM identity.sessions")
    for each in (node, other_node):
        await _soon(lambda each=each: _unknown(each, pair.access_token))  # type: ignore[misc]


async def test_who_keeps_sockets_open_is_told_what_to_close(node: Node, other_node: Node) -> None:
    told: list[Revoked] = []
    other_node.identity.verifier.on_revoked(told.append)
    pair = await node.sign_in()
    caller = await other_node.identity.verifier.authenticate(pair.access_token)
    assert await other_node.identity.verifier.is_still_good(caller)

    await node.identity.sign_in.sign_out(caller)

    async def heard() -> bool:
        return any(revoked.concerns(caller) for revoked in told)

    await _soon(heard)
    assert not await other_node.identity.verifier.is_still_good(caller)
    stranger = caller._replace(token_id=OPERATOR.account_id, account_id=OPERATOR.account_id)
    assert not any(revoked.concerns(stranger) for revoked in told)


async def test_a_callback_that_fails_does_not_keep_others_from_being_told(node: Node) -> None:
    told: list[Revoked] = []

    def fail(_: Revoked) -> None:
        raise ZeroDivisionError

    node.identity.verifier.on_revoked(fail)
    node.identity.verifier.on_revoked(told.append)
    pair = await node.sign_in()
    await node.identity.sign_in.revoke(pair.refresh_token, DIRECT_CLIENT)
    assert Revoked(token_id=pair.session_id) in told
    assert not await node.knows(pair.access_token)


async def _unknown(node: Node, token: str) -> bool:
    return not await node.knows(token)


async def _soon(condition) -> None:  # type: ignore[no-untyped-def]
    """Wait until ``condition`` holds; what is remembered of a session would be believed for minutes."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.005)
