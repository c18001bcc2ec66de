"""Tokens: found by a scanner, told apart, and forged ones turned away before anybody is asked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.identity.secrets import (
    ACCESS,
    CODE,
    DEVICE,
    INVITATION,
    PERSONAL,
    REFRESH,
    SET_UP,
    TICKET,
    TOKEN_LENGTH,
    Prefix,
    is_token,
    new_token,
    new_user_code,
    shown_user_code,
    typed_user_code,
)

PREFIXES: list[Prefix] = [ACCESS, REFRESH, PERSONAL, TICKET, INVITATION, SET_UP, CODE, DEVICE]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_token_is_one_word_that_says_what_it_is(prefix: Prefix) -> None:
    token = new_token(prefix)
    assert re.fullmatch(rf"{prefix}[0-9A-Za-z]{{49}}", token)
    assert len(token) == TOKEN_LENGTH
    assert is_token(token, prefix)
    assert not any(is_token(token, other) for other in PREFIXES if other != prefix)


def test_no_two_tokens_are_the_same() -> None:
    assert len({new_token(ACCESS) for _ in range(1_000)}) == 1_000


@given(st.integers(0, TOKEN_LENGTH - 1), st.characters())
def test_one_changed_character_is_noticed(at: int, character: str) -> None:
    token = new_token(ACCESS)
    changed = token[:at] + character + token[at + 1 :]
    assert is_token(changed, ACCESS) == (changed == token)


@given(st.text(max_size=80))
def test_any_text_is_answered(text: str) -> None:
    assert not is_token(text, *PREFIXES)


@given(st.data())
def test_a_user_code_is_read_however_it_is_typed(data: st.DataObject) -> None:
    code = new_user_code()
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", shown_user_code(code))
    typed = "".join(data.draw(st.sampled_from(["", " ", "-", "."])) + letter for letter in code)
    assert typed_user_code(typed.lower() if data.draw(st.booleans()) else typed) == code


def test_more_letters_than_a_code_has_are_no_code() -> None:
    assert len(typed_user_code("B" * 10_000)) == 9
