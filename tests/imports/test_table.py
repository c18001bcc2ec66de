"""CSV of any dialect becomes tasks, and every cell that does not is named by line, column and cause."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.imports import rows
from adapters.imports.columns import MappingRefused
from adapters.imports.drafts import Flaw
from adapters.imports.unpacking import LINE_BYTES_MAX
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


def test_a_quote_that_never_ends_is_named_where_it_begins() -> None:
    pieces = table('title\none\n"two\nthree\n')
    assert [draft.task.title for draft in drafts(pieces)] == ["one"]
    (flaw,) = flaws(pieces)
    assert (flaw.line, flaw.ends) == (3, True)
    assert "never closed" in flaw.cause


def test_a_row_that_cannot_be_read_is_named_and_costs_no_other() -> None:
    text = 'id,title\n1,"a" b\n2,two\n3,"open\n4,four\n5,"five"\n6,s\rx\n7,seven\n'
    pieces = table(text)
    assert [(flaw.line, flaw.cause.split(";")[0], flaw.ends) for flaw in flaws(pieces)] == [
        (2, "a quote stands inside of a cell", False),
        (4, "a quote stands inside of a cell", False),
        (7, "a line end stands inside of a cell without quotes around it", False),
    ]
    assert [draft.line for draft in drafts(pieces)] == [3, 5, 6, 8]


def test_a_line_that_is_too_long_is_named_and_the_next_one_read() -> None:
    pieces = table("id,title\n1,one\n2," + "x" * LINE_BYTES_MAX + "\n3,three\n")
    assert flaws(pieces) == [Flaw(line=3, cause=f"a line has more than {LINE_BYTES_MAX} bytes")]
    assert [draft.line for draft in drafts(pieces)] == [2, 4]


def test_a_row_without_end_is_not_read_into_memory() -> None:
    pieces = table('id,title\n1,one\n2,"' + ("y" * 1_000_000 + "\n") * 17)
    assert [draft.line for draft in drafts(pieces)] == [2]
    (flaw,) = flaws(pieces)
    assert (flaw.line, flaw.ends) == (3, True)
    assert f"more than {LINE_BYTES_MAX} bytes" in flaw.cause


def test_quotes_that_would_have_the_file_read_again_and_again_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LINE_BYTES_MAX", 10_000)
    monkeypatch.setattr(rows, "READ_AGAIN_CHARS_MAX", 100_000)
    pieces = table("id,title\n" + 'a","b\n' * 20_000)
    assert flaws(pieces)[-1].ends
    assert len(pieces) < 20


def test_a_torn_file_is_gone_on_with_from_the_row_that_was_torn() -> None:
    packed = gzip.compress(b'title\none\n"two\n' + os.urandom(600_000).hex().encode() + b'"\n')
    (flaw,) = flaws(table(packed[:-1_000]))
    assert (flaw.line, flaw.ends) == (3, True)


@pytest.mark.parametrize("begin", ["", "\n\n", "sep=;\n", '"sep=;"\r\n'])
def test_what_may_stand_before_the_names_of_the_columns_is_passed_over(begin: str) -> None:
    assert [draft.task.title for draft in drafts(table(f"{begin}id;title\n1;a,b,c\n"))] == ["a,b,c"]


def test_lines_may_end_as_those_of_an_old_mac() -> None:
    pieces = table("id,title\r1,one\r2,two\r")
    assert [(draft.line, draft.task.title) for draft in drafts(pieces)] == [(2, "one"), (3, "two")]


def test_columns_of_one_name_are_one_list_of_labels_and_else_refused() -> None:
    (draft,) = drafts(table("Summary,Labels,Labels,Assignee\none,bug,docs,ann\n"))
    assert draft.task.labels == ("bug", "docs")
    with pytest.raises(MappingRefused, match="2 columns are called 'State', and state can be only one"):
        table("title,State,state\none,open,closed\n")
    assert drafts(table("title,State,state\none,open,closed\n", columns={"state": ""}))


def test_the_names_of_columns_are_told_so_that_every_program_can_read_them() -> None:
    with pytest.raises(MappingRefused) as refused:
        table(b"id,titl\xe9\x1b[31m\n1,a\n")
    assert str(refused.value).endswith("The columns are id, titl [31m")
    with pytest.raises(MappingRefused) as refused:
        table(",".join(f"column{number}" for number in range(10_000)) + "\n")
    assert str(refused.value).endswith("column49 and 9950 more")
    with pytest.raises(MappingRefused, match="the file is empty"):
        table("")


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
