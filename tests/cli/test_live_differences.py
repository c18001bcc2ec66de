"""What was changed in a file: the changes make the new text of the old one, whatever both are, and are small."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from adapters.cli.live import differences
from adapters.cli.live.differences import changes_between
from hivesync_core.live.document import Document
from shared.socket.live import Change, Position, Range

PIECES = st.sampled_from(
    ["a", "b", "cd", "\n", "\r", "\r\n", "🐝", "é", "\u2028", " ", "def f():\n", "    return 1\r\n"]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join)


def _made(old: str, new: str) -> str:
    document = Document(old, 1)
    changes = changes_between(old, new)
    if changes:
        document.apply(1, 2, changes)
    return document.text


@given(TEXTS, TEXTS)
def test_the_changes_make_the_new_text_of_the_old_one(old: str, new: str) -> None:
    assert _made(old, new) == new


@given(TEXTS, st.data())
def test_they_do_so_where_little_was_changed(old: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(old)))
    end = data.draw(st.integers(start, len(old)))
    new = old[:start] + data.draw(TEXTS) + old[end:]
    assert _made(old, new) == new


def test_a_keystroke_is_a_change_of_one_character() -> None:
    old = "".join(f"line {number} 🐝\n" for number in range(10_000))
    new = old.replace("line 5000 🐝\n", "line 5000 🐝!\n")
    end = Position(5000, 12)
    assert changes_between(old, new) == (Change(Range(end, end), "!"),)


def test_changes_far_apart_are_changes_of_their_own_from_the_end_on() -> None:
    changes = changes_between("one\ntwo\nthree\nfour\n", "One\ntwo\nthree\nFour\nfive\n")
    assert [change.range.start.line for change in changes] == [3, 0]
    assert [change.text for change in changes] == ["Four\nfive", "O"]


def test_the_same_text_is_no_change() -> None:
    assert changes_between("a\r\nb", "a\r\nb") == ()


def test_a_text_that_is_another_one_altogether_is_replaced_whole() -> None:
    some = random.Random(1)
    old, new = ("".join(f"{some.random()}\n" for _ in range(differences.COMPARED_LINES_MAX + 1)) for _ in range(2))
    assert len(changes_between(old, new)) == 1
    assert _made(old, new) == new
