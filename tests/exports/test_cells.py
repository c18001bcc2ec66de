"""CSV: what RFC 4180 asks, and no cell that a spreadsheet would run, whatever separator it is set to."""

from __future__ import annotations

import csv
import io
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.engine.stored_text import StoredText
from projections.exports.cells import COLUMNS, CsvEncoder
from projections.exports.defuse import defused, defused_json, fused, fused_json
from projections.exports.erasure import Erasures
from tests.exports.reading import read_csv

_ID = "0195515c-0000-7000-8000-00000000000"
_RUNS = re.compile('[\t\r\n]|[\\s"]*[=+@\uff0b\uff1d\uff20\uff0d-]')
"""Written anew for the tests: what begins a formula, after white space and quotes that a spreadsheet may drop."""

texts = st.text(
    st.one_of(st.sampled_from("=+-@\uff1d;,\"'\\ \t\r\nau003b"), st.characters(exclude_categories=["Cs"])), max_size=30
)


def row(actor: str = "system", topic: str = "task.edited.v1", **payload: object) -> StoredText:
    """A stored event."""
    state = msgspec.json.encode({"type": topic, **payload}).decode()
    at = "2025-03-01T12:00:00.000000Z"
    return (7, at, topic, f"{_ID}1", 3, actor, f"{_ID}2", f"{_ID}3", None, f"{_ID}4", "00" * 32, state)


def cells(text: str, delimiter: str = ",") -> list[list[str]]:
    """What a spreadsheet makes of a file."""
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    "title",
    ["=1+1", "+1", "-1", "@A1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20a", "\ufe661", " =1", '"=1', "'=1", "\u3000=1"],
)
def test_a_title_that_begins_a_formula_is_shown_as_text(title: str) -> None:
    encoder = CsvEncoder(Erasures())
    shown = dict(zip(COLUMNS, cells(encoder.encode([row(title=title)]))[0], strict=True))["summary"]
    assert shown == "'" + title.strip()
    assert encoder.defused == 1


def test_a_harmless_title_is_shown_as_it_is_and_not_counted() -> None:
    encoder = CsvEncoder(Erasures())
    (line,) = cells(encoder.encode([row(title="Fix a=b, or c-d; then e@f")]))
    assert line[COLUMNS.index("summary")] == "Fix a=b, or c-d; then e@f"
    assert encoder.defused == 0


def test_an_actor_and_a_type_that_begin_a_formula_are_shown_as_text() -> None:
    encoder = CsvEncoder(Erasures())
    (line,) = cells(encoder.encode([row(actor="=evil", topic="@evil.v1")]))
    assert (line[COLUMNS.index("actor")], line[COLUMNS.index("type")]) == ("'=evil", "'@evil.v1")
    assert encoder.defused == 2


def test_a_formula_behind_a_semicolon_is_harmless_in_a_spreadsheet_that_separates_by_semicolons() -> None:
    encoder = CsvEncoder(Erasures())
    text = encoder.encode([row(title='a;=HYPERLINK("x")', text='b;\t"=1')])
    assert not [cell for line in cells(text, ";") for cell in line if _RUNS.match(cell)]
    assert msgspec.json.decode(cells(text)[0][-1]) == {
        "type": "task.edited.v1",
        "title": 'a;=HYPERLINK("x")',
        "text": 'b;\t"=1',
    }


def test_lines_end_as_rfc_4180_says_and_quotes_are_doubled() -> None:
    text = CsvEncoder.header + CsvEncoder(Erasures()).encode([row(title='say "hi", now')])
    assert text.count("\r\n") == 2
    assert text.endswith("\r\n")
    assert '"say ""hi"", now"' in text


def test_an_erased_account_is_marked_as_actor_and_in_the_payload_and_others_are_not() -> None:
    erased, other = f"{_ID}8", f"{_ID}9"
    encoder = CsvEncoder(Erasures(frozenset({erased})))
    (line,) = cells(encoder.encode([row(actor=erased, helper_id=erased, by=other, text=f"about {erased}")]))
    assert line[COLUMNS.index("actor")] == f"erased-{erased}"
    data = msgspec.json.decode(line[-1])
    assert (data["helper_id"], data["by"], data["text"]) == (f"erased-{erased}", other, f"about {erased}")


@given(texts, texts)
def test_no_cell_runs_whatever_the_words_and_the_separator(title: str, reason: str) -> None:
    text = CsvEncoder(Erasures()).encode([row(title=title, reason=reason), row(reason=reason)])
    for delimiter in ",;":
        for line in cells(text, delimiter):
            assert not [cell for cell in line if _RUNS.match(cell)]


@given(texts, texts)
def test_what_was_stored_comes_back_from_the_cells(words: str, actor: str) -> None:
    stored = [row(actor=actor or "system", title=words), row(text=words)]
    text = CsvEncoder.header + CsvEncoder(Erasures()).encode(stored)
    assert list(read_csv(io.StringIO(text, newline=""))) == stored


@given(texts)
def test_defusing_can_be_undone(text: str) -> None:
    assert fused(defused(text)) == text
    state = msgspec.json.encode(text).decode()
    assert fused_json(defused_json(state)) == state
    assert msgspec.json.decode(defused_json(state)) == text
