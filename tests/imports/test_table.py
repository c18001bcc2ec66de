"""CSV of any dialect becomes tasks, and every cell that does not is named by line, column and cause."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.imports.columns import MappingRefused
from adapters.imports.drafts import Flaw
from hivesync_core.tasks.events import Priority
from tests.imports.files import drafts, flaws, table

USUAL = "Key,Summary,Description,Labels,Status,Assignee,Reporter,Created,Resolved,Priority,Due Date,URL\r\n"


def test_columns_are_found_by_their_usual_names() -> None:
    row = 'A-1,Fix it,"Two\nlines","bug, docs",Done,ann@example.com;bob,eve,2024-01-02,2024-02-03T04:05:06+02:00,High,'
    (draft,) = drafts(table(f"{USUAL}{row}2024-03-04,https://example.com/A-1\r\n"))
    task = draft.task
    assert (draft.line, task.source, task.external_id, task.title) == (2, "csv", "A-1", "Fix it")
    assert (task.description, task.labels, task.priority) == ("Two\nlines", ("bug", "docs"), Priority.HIGH)
    assert (task.assignees, task.author, task.url) == (("ann@example.com", "bob"), "eve", "https://example.com/A-1")
    assert (task.created_at, task.due) == (datetime(2024, 1, 2, tzinfo=UTC), date(2024, 3, 4))
    assert (task.closed, task.closed_at) == (True, datetime(2024, 2, 3, 2, 5, 6, tzinfo=UTC))


def test_columns_can_be_said_and_unsaid() -> None:
    text = "what,kind,title\nOne,bug,unused\n"
    (draft,) = drafts(table(text, columns={"title": "What", "labels": "KIND", "description": "title"}))
    assert (draft.task.title, draft.task.labels, draft.task.description) == ("One", ("bug",), "unused")
    (draft,) = drafts(table("title,labels\nOne,bug\n", columns={"labels": ""}))
    assert draft.task.labels == ()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "no column is the title; say which one: title=COLUMN. The columns are a, b"),
        ({"title": "c"}, "there is no column 'c' for title; the columns are a, b"),
        ({"titel": "a"}, "there is no field 'titel'; the fields are id, title"),
    ],
)
def test_columns_that_cannot_be_mapped_are_refused_with_those_that_there_are(
    columns: dict[str, str], message: str
) -> None:
    with pytest.raises(MappingRefused, match=message):
        table("a,b\n1,2\n", columns=columns)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    text = "id,title,state\n1,one,open\n".replace(",", delimiter)
    assert [draft.task.title for draft in drafts(table(text))] == ["one"]


def test_a_delimiter_can_be_said() -> None:
    assert drafts(table("title;x,y\none;2,3\n", delimiter=";"))[0].task.title == "one"


def test_every_bad_cell_of_every_bad_row_is_named() -> None:
    text = f"{USUAL}A-1,,,,ajar,,,yesterday,,very,2024-02-30,\nA-2,fine,,,,,,,,,,\nA-3,short\nA-4,late,,,,,,,later,,,\n"
    assert [(flaw.line, flaw.field) for flaw in flaws(table(text))] == [
        (2, "Summary"), (2, "Priority"), (2, "Due Date"), (2, "Created"), (2, "Status"), (4, None), (5, "Resolved"),
    ]  # fmt: skip
    assert [draft.task.external_id for draft in drafts(table(text))] == ["A-2"]
    causes = {flaw.field: flaw.cause for flaw in flaws(table(text))}
    assert causes["Status"] == "'ajar' is not known to mean open or closed; say which with the option open or closed"
    assert causes[None] == "it has 2 cells, and the first line names 12 columns"


def test_what_a_state_means_can_be_said() -> None:
    text = "title,status\na,ajar\nb,bolted\nc,done\n"
    pieces = table(text, open_words=("Ajar", "Done"), closed_words=("Bolted",))
    assert [draft.task.closed for draft in drafts(pieces)] == [False, True, False]


def test_a_time_of_closing_alone_means_closed() -> None:
    pieces = table("title,closed at\na,2024-01-02\nb,\n")
    assert [draft.task.closed for draft in drafts(pieces)] == [True, False]


def test_rows_without_an_id_are_known_by_their_words_so_that_a_second_import_finds_them() -> None:
    text = "title,labels\nsame,x\nsame,x\nother,x\n"
    first, again = ([draft.task.external_id for draft in drafts(table(text))] for _ in range(2))
    assert first == again
    assert len(set(first)) == 3


def test_an_unknown_byte_is_named_with_the_remedy_and_the_other_rows_are_read() -> None:
    text = b"title,labels\nca\xe9,x\nplain,x\n"
    assert flaws(table(text)) == [
        Flaw(
            line=2,
            field="title",
            cause="it is not UTF-8 (byte 0xe9); if the file is older, try the encoding windows-1252",
        )
    ]
    assert [draft.task.title for draft in drafts(table(text))] == ["plain"]
    assert drafts(table(text, encoding="windows-1252"))[0].task.title == "caé"


def test_a_quote_that_never_ends_is_named_where_it_begins_or_after() -> None:
    pieces = table('title\none\n"two\nthree\n')
    assert [draft.task.title for draft in drafts(pieces)] == ["one"]
    (flaw,) = flaws(pieces)
    assert flaw.ends
    assert "never closed" in flaw.cause


def test_a_cell_of_several_lines_does_not_move_the_numbers_of_the_rows_after_it() -> None:
    pieces = table('title,description\none,"a\nb\nc"\ntwo,x\nthree\n')
    assert [draft.line for draft in drafts(pieces)] == [2, 5]
    assert [flaw.line for flaw in flaws(pieces)] == [6]


def test_empty_rows_are_passed_over() -> None:
    assert len(drafts(table("title,x\n\n,\none,\n  ,\n"))) == 1


@given(st.text(max_size=200), st.sampled_from([None, {"title": "a"}]))
def test_no_text_crashes_it(text: str, columns: dict[str, str] | None) -> None:
    data = ("a,b\n" + text).encode("utf-8", "surrogatepass")
    for piece in table(data, columns=columns or {"title": "b"}):
        assert piece.line >= 1
