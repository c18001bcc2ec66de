"""Everything at once on two nodes: nobody waits in a ring, nothing half-done is left, who is locked out stays out."""

from __future__ import annotations

import asyncio
import random

from adapters.identity.directory import OPERATOR
from adapters.identity.errors import NotAuthenticated, OAuthError, SignInRefused
from adapters.identity.sessions import TokenPair
from hivesync_core.accounts.commands import DisableAccount, EnableAccount, EraseAccount
from hivesync_core.kernel.refusal import Refusal
from tests.identity.granting import LOOPBACK, VERIFIER, code_for
from tests.identity.node import IP, PASSWORD, Node, context

PEOPLE = 4
WORKERS = 8
STEPS = 12
EXPECTED = (SignInRefused, NotAuthenticated, OAuthError, Refusal)
"""What people are told when somebody else was faster; a deadlock or a time-out would read StoreUnavailable."""


async def test_sessions_codes_devices_and_lock_outs_at_once(node: Node, other_node: Node) -> None:
    people = [await node.person(f"p{number}@example.org") for number in range(PEOPLE)]
    unlimited = [node, other_node]
    pairs: list[TokenPair] = []

    async def work(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(STEPS):
            here, person = dice.choice(unlimited), dice.choice(people)
            try:
                await step(dice, here, f"p{people.index(person)}@example.org", person.account_id)
            except EXPECTED:
                continue

    async def step(dice: random.Random, here: Node, email: str, account_id) -> None:  # type: ignore[no-untyped-def]
        identity = here.identity
        match dice.randrange(7):
            case 0 | 1:
                pairs.append(await identity.sessions.open(account_id, "direct", frozenset({"read"})))
            case 2 if pairs:
                pairs.append(await identity.sign_in.refresh(dice.choice(pairs).refresh_token, IP))
            case 3:
                code = await code_for(here, email)
                await asyncio.gather(
                    *(identity.authorization.exchange(code, "hivesync-cli", LOOPBACK, VERIFIER) for _ in range(2)),
                    return_exceptions=True,
                )
            case 4:
                start = await identity.device.start("hivesync-cli", "read", IP)
                await identity.device.decide(start.user_code, account_id, approved=True)
                await identity.device.poll(start.device_code, "hivesync-cli")
            case 5:
                command = dice.choice([DisableAccount(by=OPERATOR), EnableAccount(by=OPERATOR)])
                await identity.directory.change_status(account_id, command, context())
            case _:
                await identity.password_change.set_for(account_id, PASSWORD, OPERATOR, context())

    await asyncio.gather(*(work(seed) for seed in range(WORKERS)))

    for person in people[:2]:
        await node.identity.directory.change_status(person.account_id, DisableAccount(by=OPERATOR), context())
    for person in people[2:]:
        await node.identity.directory.change_status(person.account_id, EraseAccount(by=OPERATOR), context())
    assert pairs
    assert [pair for pair in pairs if await node.knows(pair.access_token)] == []
    assert await node.identity.rows.unsettled(older_than_s=-1) == [], "everything was settled"
    assert await node.database.fetch_one("SELECT count(*) FROM identity.sessions") == (0,)
