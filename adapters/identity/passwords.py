"""Hashing and checking passwords with Argon2id, a few at a time, so that a flood of sign-ins leaves the server alive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from adapters.identity.errors import SignInsBusy
from adapters.identity.password_policy import PASSWORD_INPUT_MAX, PASSWORD_LENGTH_MAX, normalised
from adapters.identity.settings import PasswordCost

P = ParamSpec("P")
T = TypeVar("T")

WAITING_PASSWORDS_MAX = 64
"""Passwords that wait for their turn; at two a tenth of a second the last one waits for three seconds."""


class Verdict(NamedTuple):
    """Whether a password is right, and its hash by today's parameters where the kept one has others."""

    right: bool
    new_hash: str | None = None


class Passwords:
    """Hashes and checks passwords in ``at_once`` threads of its own.

    Memory and cores are bounded by ``at_once``, the queue by ``WAITING_PASSWORDS_MAX``; past it ``SignInsBusy``.
    A check of an account that does not exist costs the same as one of an account that does.
    """

    def __init__(self, cost: PasswordCost, at_once: int) -> None:
        self._hasher = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes, hash_len=32, salt_len=16
        )
        self._at_once = at_once
        self._threads = self._new_threads()
        self._places = at_once + WAITING_PASSWORDS_MAX
        self._nobodys_hash: str | None = None

    async def hash(self, password: str) -> str:
        """The Argon2id hash of a password that the policy accepted, in the PHC string form, with a salt of its own."""
        return await self._in_turn(self._hasher.hash, normalised(password).encode())

    async def verify(self, kept_hash: str | None, password: str) -> Verdict:
        """Whether ``password`` has the kept hash; none stands for an account that does not exist."""
        return await self._in_turn(self._verify, kept_hash, password)

    def close(self) -> None:
        """End the threads; hashes under way are finished. Whoever goes on gets new ones."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads = self._new_threads()

    def _new_threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._at_once, thread_name_prefix="password")

    def _verify(self, kept_hash: str | None, password: str) -> Verdict:
        secret = _bytes_to_check(password)
        if kept_hash is None:
            if self._nobodys_hash is None:
                self._nobodys_hash = self._hasher.hash(b"nobody's password")
            self._is(self._nobodys_hash, secret or b"")
            return Verdict(False)
        if not self._is(kept_hash, secret or b"") or secret is None:
            return Verdict(False)
        if self._hasher.check_needs_rehash(kept_hash):
            return Verdict(True, self._hasher.hash(secret))
        return Verdict(True)

    def _is(self, kept_hash: str, secret: bytes) -> bool:
        try:
            return self._hasher.verify(kept_hash, secret)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        if self._places == 0:
            raise SignInsBusy
        self._places -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *arguments, **named))
        finally:
            self._places += 1


def _bytes_to_check(password: str) -> bytes | None:
    """What is hashed for a password that somebody typed, none where no account can have it."""
    if len(password) > PASSWORD_INPUT_MAX:
        return None
    typed = normalised(password)
    if len(typed) > PASSWORD_LENGTH_MAX:
        return None
    try:
        return typed.encode()
    except UnicodeEncodeError:
        return None
