"""Limits on guessing and on floods (ACC-6).

What guards a secret is counted in Redis where there is one, so that an attacker does not get as many tries as there are
nodes; while Redis is away each process counts its own. The general limit on requests is counted in the process alone:
it has to cost some microseconds.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from hashlib import sha256
from typing import Literal, NoReturn
from uuid import UUID

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import MemoryStorage as LocalStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from adapters.identity.errors import RateLimited
from adapters.identity.settings import IdentitySettings

logger = structlog.get_logger(__name__)

REDIS_WAIT_S = 0.25
REDIS_AWAY_S = 5.0
"""After a failure Redis is not asked again for so long."""

PUT_BACK_S = 1.0
"""A clock that goes back by more was put back, and not merely adjusted."""

Rule = Literal[
    "sign_in_by_account_and_ip",
    "sign_in_by_ip",
    "sign_in_by_account",
    "token_requests_by_ip",
    "device_code_entries",
    "set_up_attempts",
    "invitation_attempts",
    "live_join_attempts",
]
"""The name of the setting that says how many attempts in how many seconds."""


class _ClockWatch:
    """Notices that the machine's clock was put back: what was counted before would stay counted for as long again."""

    def __init__(self) -> None:
        self._latest = time.time()

    def was_put_back(self) -> bool:
        """Whether the clock was put back since the last question."""
        now, latest = time.time(), self._latest
        self._latest = now
        return now < latest - PUT_BACK_S


class AttemptLimits:
    """Counts attempts on secrets over a sliding window, for all nodes together where Redis is there."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings
        self._memory = MemoryStorage()
        self._local = SlidingWindowCounterRateLimiter(self._memory)
        self._clock = _ClockWatch()
        self._shared: SlidingWindowCounterRateLimiter | None = None
        if settings.redis_url:
            self._shared = SlidingWindowCounterRateLimiter(_redis_storage(settings.redis_url))
        self._redis_away_until = 0.0

    async def hit(self, rule: Rule, *who: str) -> None:
        """Count an attempt; raises ``RateLimited`` where there were too many in the window."""
        item, key = self._item(rule), _key(rule, who)
        reset_at: float | None = None
        if self._shared is not None and time.monotonic() >= self._redis_away_until:
            try:
                async with asyncio.timeout(REDIS_WAIT_S):
                    if await self._shared.hit(item, key):
                        return
                    reset_at = (await self._shared.get_window_stats(item, key)).reset_time
            except (RedisError, OSError) as error:  # TimeoutError is an OSError; the attempt is counted here instead.
                self._redis_away_until = time.monotonic() + REDIS_AWAY_S
                logger.warning("rate_limits_without_redis", error=repr(error))
        if reset_at is None:
            if self._clock.was_put_back():
                await self._memory.reset()
            if await self._local.hit(item, key):
                return
            reset_at = (await self._local.get_window_stats(item, key)).reset_time
        raise RateLimited(max(1, math.ceil(reset_at - time.time())), "Too many attempts; wait and try again.")

    async def clear(self, rule: Rule, *who: str) -> None:
        """Forget the attempts: the right secret was shown."""
        item, key = self._item(rule), _key(rule, who)
        await self._local.clear(item, key)
        if self._shared is not None and time.monotonic() >= self._redis_away_until:
            # Attempts that stay counted are no harm that a sign-in should fail for.
            with suppress(RedisError, OSError):
                async with asyncio.timeout(REDIS_WAIT_S):
                    await self._shared.clear(item, key)

    def _item(self, rule: Rule) -> RateLimitItemPerSecond:
        attempts = getattr(self._settings, rule)
        return RateLimitItemPerSecond(attempts.amount, attempts.window_s)


class FloodGate:
    """The general limit on requests and socket openings of one account or one address, counted in this process."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._memory = LocalStorage()
        self._counts = FixedWindowRateLimiter(self._memory)
        self._clock = _ClockWatch()
        by_account, by_ip = settings.requests_by_account, settings.requests_by_ip
        self._by_account = by_account.amount and RateLimitItemPerSecond(by_account.amount, by_account.window_s)
        self._by_ip = by_ip.amount and RateLimitItemPerSecond(by_ip.amount, by_ip.window_s)

    def pass_account(self, account_id: UUID) -> None:
        """Count a request of an account; raises ``RateLimited``."""
        if self._by_account:
            self._pass(self._by_account, "account", account_id.hex)

    def pass_ip(self, ip: str) -> None:
        """Count a request without a good token; raises ``RateLimited``."""
        if self._by_ip:
            self._pass(self._by_ip, "ip", ip)

    def refuse_flooding_ip(self, ip: str) -> None:
        """Raise ``RateLimited`` where the address has used its requests up, without counting this one."""
        self._mind_the_clock()
        if self._by_ip and not self._counts.test(self._by_ip, "ip", ip):
            self._refuse(self._by_ip, "ip", ip)

    def _pass(self, item: RateLimitItemPerSecond, kind: str, who: str) -> None:
        self._mind_the_clock()
        if not self._counts.hit(item, kind, who):
            self._refuse(item, kind, who)

    def _mind_the_clock(self) -> None:
        if self._clock.was_put_back():
            self._memory.reset()

    def _refuse(self, item: RateLimitItemPerSecond, kind: str, who: str) -> NoReturn:
        reset_at = self._counts.get_window_stats(item, kind, who).reset_time
        raise RateLimited(max(1, math.ceil(reset_at - time.time())))


def _redis_storage(url: str) -> RedisStorage:
    scheme = "async+redis+unix" + url.removeprefix("unix") if url.startswith("unix://") else f"async+{url}"
    return RedisStorage(
        scheme,
        implementation="redispy",
        key_prefix="hivesync:limits",
        socket_timeout=REDIS_WAIT_S,
        socket_connect_timeout=REDIS_WAIT_S,
    )


def _key(rule: Rule, who: tuple[str, ...]) -> str:
    """The counter's name; hashed, because addresses of people do not belong into Redis."""
    return sha256("\n".join((rule, *who)).encode(errors="replace")).hexdigest()
