"""Texts that are changed by ranges in UTF-16 code units: exactly what an editor would have, or nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hivesync_core.live.document import Document, DoesNotFit, digest_of, split_lines
from hivesync_core.live.exposure import ShownLines
from shared.socket.live import Change, Position, Range

TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from("\r\n\r\nab\U0001f600e\u0301\u200d\u2028\x85"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=40,
)
EDITS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), TEXTS), max_size=8)


def change(start: tuple[int, int], end: tuple[int, int], text: str) -> Change:
    """A change of a range."""
    return Change(Range(Position(*start), Position(*end)), text)


@given(TEXTS, EDITS)
def test_changes_at_any_places_leave_the_text_that_cutting_and_pasting_leaves(
    text: str, edits: list[tuple[int, int, str]]
) -> None:
    document, expected = Document(text), text
    for number, (start, deleted, inserted) in enumerate(edits):
        start = min(start, len(expected))
        deleted = min(deleted, len(expected) - start)
        made = document.change_at(start, deleted, inserted)
        expected = expected[:start] + inserted + expected[start + deleted :]
        document.apply(number, number + 1, [made], digest_of(expected))
        assert document.text == expected
        assert document.size_bytes == len(expected.encode())
        assert document.line_count == len(split_lines(expected))


@given(TEXTS, EDITS)
def test_several_edits_in_one_change_are_made_one_after_the_other(text: str, edits: list[tuple[int, int, str]]) -> None:
    one_by_one, changes = Document(text), []
    for number, (start, deleted, inserted) in enumerate(edits):
        start = min(start, len(one_by_one.text))
        deleted = min(deleted, len(one_by_one.text) - start)
        changes.append(one_by_one.change_at(start, deleted, inserted))
        one_by_one.apply(number, number + 1, changes[-1:])
    together = Document(text)
    together.apply(0, 1, changes)
    assert together.text == one_by_one.text


def test_positions_count_utf16_code_units() -> None:
    document = Document("a\U0001f600b\n")
    document.apply(0, 1, [change((0, 3), (0, 4), "c")])
    assert document.text == "a\U0001f600c\n"


@pytest.mark.parametrize(
    ("start", "end"),
    [((0, 2), (0, 2)), ((0, 1), (0, 2)), ((0, 5), (0, 5)), ((2, 0), (2, 0)), ((0, 1), (2, 0)), ((1, 1), (1, 0)), ((1, 0), (0, 0))],
    ids=["in-a-pair", "to-in-a-pair", "beyond-the-line", "beyond-the-text", "to-beyond", "backwards", "lines-backwards"],
)  # fmt: skip
def test_what_does_not_fit_changes_nothing(start: tuple[int, int], end: tuple[int, int]) -> None:
    document = Document("a\U0001f600b\r\nxy")
    with pytest.raises(DoesNotFit, match=r".") as refused:
        document.apply(0, 1, [change((1, 0), (1, 0), "made before "), change(start, end, "x")])
    assert refused.value.fault == "range"
    assert (document.text, document.version) == ("a\U0001f600b\r\nxy", 0)


def test_another_version_another_digest_and_too_much_text_change_nothing() -> None:
    document = Document("abc", 4)
    put = change((0, 0), (0, 0), "x")
    for fault, arguments in {
        "version": (3, 5, [put]),
        "digest": (4, 5, [change((0, 0), (0, 1), "x")], digest_of("something else")),
        "too_large": (4, 5, [put]),
    }.items():
        with pytest.raises(DoesNotFit) as refused:
            document.apply(*arguments, bytes_max=3)  # type: ignore[arg-type]
        assert refused.value.fault == fault
    with pytest.raises(DoesNotFit):
        document.apply(4, 4, [put])
    assert (document.text, document.version, document.size_bytes) == ("abc", 4, 3)


@given(TEXTS, EDITS)
def test_every_line_that_came_in_is_counted_as_shown(text: str, edits: list[tuple[int, int, str]]) -> None:
    document, shown = Document(text), ShownLines()
    before = set(split_lines(text))
    for number, (start, deleted, inserted) in enumerate(edits):
        start = min(start, len(document.text))
        deleted = min(deleted, len(document.text) - start)
        changes = [document.change_at(start, deleted, inserted)]
        document.apply(number, number + 1, changes)
        shown.change(changes)
    ranges = shown.take()
    counted = {number for first, last in ranges for number in range(first, last + 1)}
    for number, line in enumerate(split_lines(document.text), 1):
        assert number in counted or line in before, "a line that is new was not counted"
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges))
    assert not shown


def test_shown_lines_move_with_what_is_put_above_them() -> None:
    shown = ShownLines([(10, 12)])
    shown.change([change((0, 0), (0, 0), "two\nlines\n")])
    assert shown.take() == ((1, 3), (12, 14))
    shown.show(5, 6)
    shown.change([change((3, 0), (7, 0), "")])
    assert shown.take() == ((4, 4),)
