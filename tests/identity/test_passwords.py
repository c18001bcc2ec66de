"""Which passwords are refused, how they are hashed, and that a flood of them leaves the server alive."""

from __future__ import annotations

import asyncio
import threading
import unicodedata
from typing import Any

import argon2
import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.identity.errors import SignInsBusy
from adapters.identity.password_policy import (
    PASSWORD_LENGTH_MAX,
    PASSWORD_LENGTH_MIN,
    common_passwords,
    normalised,
    objection,
)
from adapters.identity.passwords import WAITING_PASSWORDS_MAX, Passwords
from adapters.identity.settings import PasswordCost
from tests.identity.node import CHEAP

ABOUT = ("Marie Curie", "marie.curie@lab.example.org")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "xkcd-936-Tr0ub4dor",
        "welcome to the jungle",
        "Zebra-Teapot-91-lamp",
        "we saw red trees pop",
        "ein Bär, zwei Bären, drei Bären",
        "пароль который я помню",
        "素数は二三五七十一十三十七十九",
        "Marie likes radium & polonium",
    ],
)
def test_a_passphrase_is_accepted(password: str) -> None:
    assert objection(password, about=ABOUT) is None


@pytest.mark.parametrize(
    ("password", "because"),
    [
        ("fourteen chars", "at least 15"),
        ("x" * 200, "at most 128"),
        ("x" * 100_000, "at most 128"),
        ("q1w2e3r4t5y6u7i8", "everybody"),
        ("1QAZ2WSX3edc4rfv", "everybody"),
        ("passwordpassword", "over and over"),
        ("abcabcabcabcabcab", "over and over"),
        ("aaaaaaaaaaaaaaaa", "over and over"),
        ("passwordpassword1", "most used"),
        ("!!passwordpassword!!", "most used"),
        ("monkey83920174655", "most used"),
        ("sunshine!!!!!!!!!!", "most used"),
        ("Password123456789!", "neighbouring"),
        ("qwertyuiopasdfgh", "neighbouring"),
        ("1234567890123456", "neighbouring"),
        ("abcdefghijklmnop", "neighbouring"),
        ("zyxwvutsrqponmlk", "neighbouring"),
        ("marie.curie@lab.example.org", "neighbouring"),
        ("Marie Curie Marie Curi!", "neighbouring"),
        ("hivesync-hivesync-1", "neighbouring"),
        ("mariecurie-hivesync", "neighbouring"),
        ("ＰＡＳＳＷＯＲＤｐａｓｓｗｏｒｄ", "over and over"),
        ("a password\ue123\u0378 undefined", "Unicode"),
        ("a lone \ud800 surrogate", "Unicode"),
    ],
)
def test_what_a_guesser_tries_first_is_refused_with_the_reason(password: str, because: str) -> None:
    assert because in (objection(password, about=ABOUT) or "accepted")


def test_every_common_password_is_refused_even_when_it_is_made_longer() -> None:
    for word in sorted(common_passwords())[::97]:
        assert objection(word) is not None, word
        longer = word * 2 if len(word) >= 8 else word * 4
        if len(longer) >= PASSWORD_LENGTH_MIN:
            assert objection(longer) is not None, longer


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=24, max_size=100))
def test_what_is_random_enough_is_accepted(password: str) -> None:
    if len(set(password.casefold())) >= 15:
        assert objection(password) is None


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200), st.text(max_size=50))
def test_any_text_has_an_answer_and_its_normal_form_the_same(password: str, name: str) -> None:
    answer = objection(password, about=(name,))
    assert answer is None or answer.endswith(".")
    assert (objection(normalised(password), about=(name,)) is None) == (answer is None)


async def test_a_password_is_right_however_the_keyboard_composes_it() -> None:
    passwords = Passwords(CHEAP, 1)
    composed = unicodedata.normalize("NFC", "crème brûlée à volonté")
    kept = await passwords.hash(composed)
    assert kept.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert (await passwords.verify(kept, unicodedata.normalize("NFD", composed))).right
    assert not (await passwords.verify(kept, "creme brulee a volonte")).right
    passwords.close()


async def test_the_same_password_has_another_hash_each_time() -> None:
    passwords = Passwords(CHEAP, 1)
    assert await passwords.hash("seven quiet lanterns") != await passwords.hash("seven quiet lanterns")
    passwords.close()


@pytest.mark.parametrize("typed", ["", "x" * 5_000, "x" * (PASSWORD_LENGTH_MAX + 1), "\ud800" * 20, "a\0b"])
@pytest.mark.parametrize("kept", [None, "", "nonsense", "$argon2id$v=19$m=64,t=1,p=1$AAAA$AAAA"])
async def test_whatever_is_typed_and_kept_has_an_answer(typed: str, kept: str | None) -> None:
    passwords = Passwords(CHEAP, 1)
    assert not (await passwords.verify(kept, typed)).right
    passwords.close()


async def test_a_whole_password_is_checked_to_its_last_character() -> None:
    passwords = Passwords(CHEAP, 1)
    longest = "".join(chr(ord("a") + n % 26) for n in range(PASSWORD_LENGTH_MAX))
    kept = await passwords.hash(longest)
    assert (await passwords.verify(kept, longest)).right
    assert not (await passwords.verify(kept, longest[:-1] + "!")).right
    assert not (await passwords.verify(kept, longest + "!")).right
    passwords.close()


async def test_an_account_that_does_not_exist_takes_as_long_as_one_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes time is the hash: each is computed once, of as many bytes of memory and as many passes."""
    passwords = Passwords(PasswordCost(memory_kib=8 * 1024, passes=3, lanes=1), 1)
    kept = await passwords.hash("seven quiet lanterns")
    await passwords.verify(None, "x")
    computed: list[str] = []
    verify = argon2.low_level.verify_secret

    def noted(kept_hash: bytes, secret: bytes, kind: argon2.Type) -> bool:
        computed.append(kept_hash.decode().rsplit("$", 2)[0])
        return verify(kept_hash, secret, kind)

    monkeypatch.setattr("argon2._password_hasher.verify_secret", noted)
    for of, typed in ((kept, "wrong"), (None, "wrong"), (kept, "x" * 2_000)):
        computed.clear()
        assert not (await passwords.verify(of, typed)).right
        assert computed == ["$argon2id$v=19$m=8192,t=3,p=1"]
    passwords.close()


async def test_a_flood_of_passwords_is_turned_away_while_the_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(PasswordCost(memory_kib=8 * 1024, passes=2, lanes=1), 1)
    compute, threads = PasswordHasher.verify, set()

    def noted(*arguments: Any) -> bool:
        threads.add(threading.get_ident())
        return compute(*arguments)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    flood = [asyncio.create_task(passwords.verify(None, "x")) for _ in range(WAITING_PASSWORDS_MAX + 50)]
    await asyncio.wait(flood)
    busy = [task for task in flood if isinstance(task.exception(), SignInsBusy)]
    assert len(busy) == 49
    assert len(threads) == 1, "as many at once as there may be"
    assert threading.get_ident() not in threads, "the event loop never waits for a hash"
    assert not (await passwords.verify(None, "x")).right, "and afterwards there is room again"
    passwords.close()
