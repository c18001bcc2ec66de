"""GitHub's issues are read in whatever form they were saved; what is whole before a torn end is kept."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.imports import json_items, unpacking
from adapters.imports.drafts import Flaw, Skipped
from adapters.imports.github import read_github
from adapters.imports.unpacking import LINE_BYTES_MAX
from hivesync_core.tasks.importing import ForeignTask
from tests.imports.files import FORMS, as_gh_writes, closed, drafts, flaws, github, issue, lines_of

ISSUES = [issue(1), closed(2), issue(3, title='"\\{[', body="}]" * 50), closed(4, body=None), issue(5)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("at_once", [1, 7, 4096, 1 << 20])
def test_the_same_issues_are_read_from_every_form(form: str, at_once: int) -> None:
    pieces = github(FORMS[form](ISSUES), at_once)
    assert flaws(pieces) == []
    assert [draft.task for draft in drafts(pieces)] == [draft.task for draft in drafts(github(lines_of(ISSUES)))]
    assert [draft.task.external_id for draft in drafts(pieces)] == [f"garden/gate#{number}" for number in range(1, 6)]


def test_an_issue_is_read_with_all_that_matters() -> None:
    (draft,) = drafts(github(lines_of([closed(12, assignees=[{"login": "hubot"}, {"login": "OctoCat"}])])))
    assert draft.task == ForeignTask(
        source="github",
        external_id="garden/gate#12",
        title="The gate squeaks, time 12",
        description='Every day.\r\n\r\nIn { brackets } and "quotes" \\ too: [x] ☃ \u2028',
        url="https://github.com/garden/gate/issues/12",
        labels=("noise",),
        author="octocat",
        assignees=("hubot", "OctoCat"),
        created_at=datetime(2022, 9, 13, 12, tzinfo=UTC),
        updated_at=datetime(2023, 1, 1, tzinfo=UTC),
        closed=True,
        closed_at=datetime(2022, 12, 22, 12, tzinfo=UTC),
        closed_reason="completed",
    )


def test_what_gh_writes_is_read_too() -> None:
    written = {
        "number": 7, "title": "t", "state": "CLOSED", "stateReason": "NOT_PLANNED", "body": "b", "author": {"login": "a"},
        "labels": [{"name": "x"}], "assignees": [{"login": "y"}], "createdAt": "2022-09-13T12:00:00Z",
        "closedAt": "2022-12-22T12:00:00Z", "url": "https://github.com/garden/gate/issues/7",
    }  # fmt: skip
    (draft,) = drafts(github(json.dumps([written]).encode()))
    task = draft.task
    assert (task.external_id, task.closed, task.closed_reason) == ("garden/gate#7", True, "not_planned")
    assert (task.author, task.assignees, task.created_at) == ("a", ("y",), datetime(2022, 9, 13, 12, tzinfo=UTC))


def test_the_api_and_gh_name_the_same_issues_and_tell_the_same_of_them() -> None:
    people = [{"login": "hubot"}, {"login": "OctoCat"}]
    bot = {"login": "dependabot[bot]"}
    issues = [
        issue(1),
        closed(2, assignees=people),
        closed(3, state_reason="not_planned"),
        issue(4, user=bot, body=None),
    ]
    of_gh = github(as_gh_writes(issues))
    assert flaws(of_gh) == []
    assert [draft.task for draft in drafts(of_gh)] == [draft.task for draft in drafts(github(lines_of(issues)))]


def test_a_pull_request_is_told_from_an_issue_and_can_be_left_out() -> None:
    merged = closed(2, pull_request={"merged_at": "2022-12-22T12:00:00Z"}, state_reason=None)
    data = lines_of([issue(1), merged])
    task = drafts(github(data))[1].task
    assert (task.labels, task.closed_reason) == (("noise", "pull request"), "merged")
    assert github(data, pull_requests=False)[1] == Skipped(line=2)


def test_the_same_number_in_two_repositories_is_two_tasks() -> None:
    other = issue(1, repository_url="https://api.github.com/repos/garden/shed")
    enterprise = issue(1, repository_url="https://git.example.com/api/v3/repos/garden/barn")
    found = [draft.task.external_id for draft in drafts(github(lines_of([issue(1), other, enterprise])))]
    assert found == ["garden/gate#1", "garden/shed#1", "garden/barn#1"]


@pytest.mark.parametrize(
    ("change", "field", "cause"),
    [
        ({"title": 7}, "title", "Expected `str`, got `int`"),
        ({"labels": [{"name": None}]}, "labels[0].name", "Expected `str`, got `null`"),
        ({"created_at": "yesterday"}, "created_at", "Invalid RFC3339 encoded datetime"),
        ({"state": "ajar"}, "state", "neither open nor closed"),
        ({"user": []}, "user", "got `array`"),
    ],
)
def test_a_field_of_a_wrong_type_is_named_with_its_line_and_the_others_are_read(
    change: dict[str, Any], field: str, cause: str
) -> None:
    pieces = github(lines_of([issue(1), issue(2, **change), issue(3)]))
    (flaw,) = flaws(pieces)
    assert (flaw.line, flaw.field, flaw.ends) == (2, field, False)
    assert cause in flaw.cause
    assert len(drafts(pieces)) == 2


def test_a_missing_field_is_named() -> None:
    (flaw,) = flaws(github(b'{"number": 1, "state": "open"}\n'))
    assert "missing required field `title`" in flaw.cause
    assert flaw.field == "title"
    (flaw,) = flaws(github(lines_of([issue(1, user={})])))
    assert flaw.field == "user.login"


@pytest.mark.parametrize("number", ["0", "-1", "9" * 20, "9" * 5_000, "1e400", '"1"', "true"])
def test_a_number_that_no_issue_has_is_refused(number: str) -> None:
    data = lines_of([issue(1)]).replace(b'"number": 1,', f'"number": {number},'.encode())
    assert [flaw.field for flaw in flaws(github(data))] == ["number"]


def test_a_line_that_is_no_json_is_named_and_the_next_one_read() -> None:
    pieces = github(lines_of([issue(1)]) + b'{"number": 2, "title": "half\n' + lines_of([issue(3)]))
    assert [(flaw.line, flaw.ends) for flaw in flaws(pieces)] == [(2, False)]
    assert [draft.line for draft in drafts(pieces)] == [1, 3]


def test_a_byte_that_is_no_utf_8_is_named() -> None:
    data = lines_of([issue(1)]) + lines_of([issue(2, title="café")]).decode().encode("latin-1", "replace")
    (flaw,) = flaws(github(data))
    assert flaw.line == 2
    assert "(0xe9) is not UTF-8" in flaw.cause


@pytest.mark.parametrize(("encoding", "name"), [("utf-16", "UTF-16"), ("utf-32", "UTF-32")])
def test_another_encoding_is_named_with_the_remedy(encoding: str, name: str) -> None:
    (flaw,) = flaws(github(lines_of(ISSUES).decode().encode(encoding)))
    assert f"iconv -f {name} -t UTF-8" in flaw.cause
    assert flaw.ends


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"PK\x03\x04rest", "ZIP"),
        (b"<html>", "<html>"),
        (b"[" * 100_000, "in the middle of an object"),
        (gzip.compress(gzip.compress(b"{}")), "packed with gzip more than once"),
        (lines_of(ISSUES).decode().encode("utf-16-le"), "it is in UTF-16LE"),
        (lines_of(ISSUES).decode().encode("utf-16-be"), "it is in UTF-16BE"),
        (b"\x1f", "the gzip file ends here"),
    ],
)
def test_what_is_no_file_of_issues_is_said_to_be_none(data: bytes, cause: str) -> None:
    (flaw,) = flaws(github(data))
    assert (flaw.line, flaw.ends) == (1, True)
    assert cause in flaw.cause


def test_what_is_no_object_in_an_array_is_named_and_the_objects_are_read() -> None:
    one = json.dumps(issue(1)).encode()
    pieces = github(b'[null, 5, "a \\" ]", ' + one + b", bad, [[" + one + b"]], " + one.replace(b"1", b"2") + b"]")
    assert [flaw.cause for flaw in flaws(pieces)] == [
        "Expected `object`, got `null` (object 1 of the file)",
        "Expected `object`, got `int` (object 2 of the file)",
        "Expected `object`, got `str` (object 3 of the file)",
        "it is no whole JSON object: JSON is malformed: invalid character (byte 0) (object 5 of the file)",
        "Expected `object`, got `array` (object 6 of the file)",
    ]
    assert not any(flaw.ends for flaw in flaws(pieces))
    assert len(drafts(pieces)) == 2


def test_a_first_line_that_is_half_costs_no_other_line() -> None:
    data = lines_of(ISSUES)
    for first in (data[100:], b"# saved on a Monday\n" + data, b"null\n" + data):
        (flaw,) = flaws(github(first))
        assert (flaw.line, flaw.ends) == (1, False)
        assert len(drafts(github(first))) == len(ISSUES) - (first == data[100:])


def test_a_line_that_is_too_long_is_named_and_the_next_one_read() -> None:
    long = b'{"number": 2, "title": "' + b"a" * LINE_BYTES_MAX + b'"}\n'
    pieces = github(lines_of([issue(1)]) + long + lines_of([issue(3)]))
    assert flaws(pieces) == [Flaw(line=2, cause=f"it has more than {LINE_BYTES_MAX} bytes")]
    assert [draft.line for draft in drafts(pieces)] == [1, 3]


def test_a_line_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "OVERLONG_BYTES_MAX", LINE_BYTES_MAX + 1)
    (flaw,) = flaws(github(b"{" + b"0" * (2 * LINE_BYTES_MAX) + b"\n" + lines_of([issue(1)])))
    assert (flaw.line, flaw.ends) == (1, True)


def test_a_long_string_in_an_array_is_gone_through_once() -> None:
    """Every byte is looked at once, however many pieces it comes in: from its beginning each time would be 2,000 times."""
    scanned = 0

    class Counting:
        def match(self, text: bytes, position: int) -> re.Match[bytes] | None:
            nonlocal scanned
            found = in_string.match(text, position)
            scanned += found.end() - position if found else 0
            return found

    in_string = json_items._IN_STRING
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_items, "_IN_STRING", Counting())
        (draft,) = drafts(github(b"[" + json.dumps(issue(1, body="\\" * 1_000_000)).encode() + b"]", 1_000))
    assert len(draft.task.description) == 1_000_000
    assert scanned < 2 * 2_001_000


def test_a_file_that_cannot_be_read_on_keeps_what_was_read() -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if found := super().read(size):
                return found
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    pieces = list(read_github(Torn(lines_of(ISSUES))))
    (flaw,) = flaws(pieces)
    assert (flaw.line, flaw.cause, flaw.ends) == (6, "the file cannot be read on: Input/output error", True)
    assert len(drafts(pieces)) == 5


def test_an_empty_file_holds_nothing() -> None:
    assert github(b"") == github(b" \n") == github(b"[]") == github(gzip.compress(b"")) == []


def test_brackets_a_hundred_thousand_deep_are_a_flaw_and_no_crash() -> None:
    deep = b'{"number": 1, "title": "t", "state": "open", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    for data in (deep, b"[" + deep + b"]"):
        (flaw,) = flaws(github(data))
        assert flaw.line == 1


def test_a_line_without_end_is_not_read_into_memory() -> None:
    (flaw,) = flaws(github(b'{"x": "' + b"a" * (17 * 1024 * 1024)))
    assert "more than 16777216 bytes" in flaw.cause


@settings(max_examples=150, deadline=None)
@given(form=st.sampled_from(list(FORMS)), data=st.data(), at_once=st.integers(1, 300))
def test_cut_off_anywhere_it_gives_what_was_whole_and_says_where_it_ends(
    form: str, data: st.DataObject, at_once: int
) -> None:
    whole = FORMS[form](ISSUES)
    size = data.draw(st.integers(0, len(whole)))
    pieces = github(whole[:size], at_once)
    every = [draft.task for draft in drafts(github(whole))]
    kept = [draft.task for draft in drafts(pieces)]
    assert kept == every[: len(kept)]
    if not form.startswith("packed"):
        # What is whole before the cut is all there.
        assert len(kept) >= sum(whole[:size].count(f'"number": {number},'.encode()) for number in range(1, 6)) - 1
    if len(kept) < len(every):
        ended = size == 0 or flaws(pieces) or form.startswith(("lines", "with", "arrays", "objects", "packed in"))
        assert ended, "the end is missing and nothing says so"


def test_a_torn_gzip_names_the_line_and_keeps_every_line_before_it() -> None:
    many = [issue(number) for number in range(1, 2_001)]
    packed = gzip.compress(lines_of(many))
    pieces = github(packed[: len(packed) * 2 // 3])
    kept, (flaw,) = drafts(pieces), flaws(pieces)
    assert len(kept) > 1_000
    assert (flaw.line, flaw.ends) == (len(kept) + 1, True)
    assert "the gzip file ends here" in flaw.cause


def test_a_damaged_gzip_is_named() -> None:
    packed = bytearray(gzip.compress(lines_of([issue(number) for number in range(1, 2_001)])))
    packed[len(packed) // 2] ^= 0xFF
    (flaw,) = flaws(github(bytes(packed)))[-1:]
    assert flaw.ends
    assert "damaged" in flaw.cause
