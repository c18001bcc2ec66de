"""Limits on attempts: shared by all nodes through Redis, counted by each alone while Redis is away."""

from __future__ import annotations

import time
from typing import Any

import pytest

from adapters.identity import attempts
from adapters.identity.attempts import AttemptLimits, FloodGate
from adapters.identity.errors import RateLimited
from adapters.identity.settings import Attempts, IdentitySettings
from adapters.ids import uuid7
from tests.servers.valkey import ValkeyServer

HOUR_S = 3_600
"""A window that a test is hardly ever at the edge of, where the counters begin anew and let one more pass."""

THREE = {"sign_in_by_ip": Attempts(3, HOUR_S), "device_code_entries": Attempts(3, HOUR_S)}


async def _refused(limits: AttemptLimits, *who: str) -> bool:
    try:
        await limits.hit("sign_in_by_ip", *who)
    except RateLimited as limited:
        return 0 < limited.retry_after_s <= 2 * HOUR_S + 1
    return False


async def test_attempts_are_counted_by_rule_and_by_who() -> None:
    limits = AttemptLimits(IdentitySettings(**THREE))  # type: ignore[arg-type]
    assert [await _refused(limits, "a") for _ in range(5)] == [False, False, False, True, True]
    assert not await _refused(limits, "b")
    await limits.hit("device_code_entries", "a")
    await limits.clear("sign_in_by_ip", "a")
    assert not await _refused(limits, "a")


async def test_two_nodes_count_together_through_redis(valkey_url: str) -> None:
    nodes = [AttemptLimits(IdentitySettings(redis_url=valkey_url, **THREE)) for _ in range(2)]  # type: ignore[arg-type]
    assert [await _refused(nodes[n % 2], "a") for n in range(5)] == [False, False, False, True, True]
    await nodes[0].clear("sign_in_by_ip", "a")
    assert not await _refused(nodes[1], "a")


async def test_who_tries_is_not_written_into_redis(valkey: ValkeyServer) -> None:
    import redis

    limits = AttemptLimits(IdentitySettings(redis_url=valkey.url))
    await limits.hit("sign_in_by_account", "grace@example.org")
    with redis.Redis.from_url(valkey.url) as client:
        keys = b"\n".join(client.keys())
    assert keys
    assert b"grace" not in keys


@pytest.mark.parametrize("fault", ["killed", "paused", "nowhere"])
async def test_while_redis_is_away_each_node_counts_alone_and_nobody_waits(
    own_valkey: ValkeyServer, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "REDIS_AWAY_S", 600.0)
    url = own_valkey.url
    if fault == "nowhere":
        url = "redis://127.0.0.1:1"
    limits = AttemptLimits(IdentitySettings(redis_url=url, **THREE))  # type: ignore[arg-type]
    if fault != "nowhere":
        await limits.hit("device_code_entries", "warm")
        own_valkey.kill() if fault == "killed" else own_valkey.pause()
    assert limits._shared is not None
    ask, asked = limits._shared.hit, 0

    async def counted(*arguments: Any) -> bool:
        nonlocal asked
        asked += 1
        return await ask(*arguments)

    monkeypatch.setattr(limits._shared, "hit", counted)
    assert [await _refused(limits, "a") for _ in range(5)] == [False, False, False, True, True]
    await limits.clear("sign_in_by_ip", "a")
    assert asked == 1, "only the first finds out, and waits for a quarter of a second at most"
    assert attempts.REDIS_WAIT_S <= 0.25
    if fault == "paused":
        own_valkey.resume()


def test_a_flood_is_stopped_by_account_and_by_address() -> None:
    gate = FloodGate(IdentitySettings(requests_by_account=Attempts(5, HOUR_S), requests_by_ip=Attempts(2, HOUR_S)))
    account = uuid7()
    for _ in range(5):
        gate.pass_account(account)
    with pytest.raises(RateLimited) as limited:
        gate.pass_account(account)
    assert 0 < limited.value.retry_after_s <= HOUR_S
    gate.pass_account(uuid7())
    for _ in range(2):
        gate.pass_ip("192.0.2.1")
    with pytest.raises(RateLimited):
        gate.pass_ip("192.0.2.1")


async def test_a_clock_that_is_put_back_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = IdentitySettings(requests_by_account=Attempts(1, HOUR_S), requests_by_ip=Attempts(1, HOUR_S), **THREE)  # type: ignore[arg-type]
    gate, limits, account, true_time = FloodGate(settings), AttemptLimits(settings), uuid7(), time.time
    gate.pass_account(account)
    gate.pass_ip("192.0.2.1")
    assert [await _refused(limits, "a") for _ in range(4)] == [False, False, False, True]
    monkeypatch.setattr(time, "time", lambda: true_time() - 24 * 60 * 60)
    gate.refuse_flooding_ip("192.0.2.1")
    gate.pass_account(account)
    with pytest.raises(RateLimited) as limited:
        gate.pass_account(account)
    assert 0 < limited.value.retry_after_s <= HOUR_S
    assert [await _refused(limits, "a") for _ in range(4)] == [False, False, False, True]


def test_the_general_limit_can_be_turned_off() -> None:
    gate = FloodGate(IdentitySettings(requests_by_account=Attempts(0, HOUR_S), requests_by_ip=Attempts(0, HOUR_S)))
    account = uuid7()
    for _ in range(100):
        gate.pass_account(account)
        gate.pass_ip("192.0.2.1")


def test_passing_the_gate_costs_microseconds() -> None:
    gate = FloodGate(IdentitySettings(requests_by_account=Attempts(10_000_000, HOUR_S)))
    account, rounds = uuid7(), 5_000
    best = min(_time(gate, account, rounds) for _ in range(3)) / rounds
    print(f"flood gate: {best * 1e6:.2f} µs")
    assert best < 30e-6, "an order of magnitude above what it takes on an idle machine"


def _time(gate: FloodGate, account: object, rounds: int) -> float:
    started = time.thread_time()
    for _ in range(rounds):
        gate.pass_account(account)  # type: ignore[arg-type]
    return time.thread_time() - started
