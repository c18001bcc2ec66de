"""Diffs that `git apply` and `patch` take, for every kind of line end, and comments that find their line again or do not."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hivesync_core.comments import check, rebind, unified_diff
from tests.comments.properties import diff_applies

SHAPES = {
    "lf": b"def f():\n    a = 1\n    return a\n",
    "crlf": b"def f():\r\n    a = 1\r\n    return a\r\n",
    "mixed": b"def f():\r\n    a = 1\n    return a\r\n",
    "no newline at the end": b"def f():\n    a = 1\n    return a",
    "tabs": b"def f():\n\ta = 1\n\treturn a\n",
    "bom": b"\xef\xbb\xbfdef f():\n    a = 1\n    return a\n",
    "one line": b"x = 1",
    "long": b"x = 1\n" * 100,
    "blank lines": b"\n\nx = 1\n\n\n\ny = 2\n\n",
}
NAMES = ("file.py", "a folder/with blank.py", "größe/naïve.py", 'quo"te\\back.py')


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_git_and_patch_make_the_file_after_from_the_file_before(shape: str, name: str) -> None:
    source = SHAPES[shape]
    lines = source.count(b"\n") + (not source.endswith(b"\n"))
    comments = [
        {"type": "inline", "line": line, "content": f"Explains line {line}.\nIn two rows."} for line in {1, lines}
    ]
    report = check(source, "python", [*comments, {"type": "header", "line": 1, "content": "What it is for."}])
    assert len(report.accepted) == len(comments) + 1, report.refused
    assert diff_applies(name, source, report) == []


def test_a_change_that_is_no_insertion_has_a_diff_too(tmp_path: Path) -> None:
    before, after = b"a\nb\nc\nd\n", b"a\nB\nc\n"
    (tmp_path / "x").write_bytes(before)
    subprocess.run(["patch", "-p1", "-s"], cwd=tmp_path, input=unified_diff("x", before, after), check=True)
    assert (tmp_path / "x").read_bytes() == after


def test_no_change_has_no_diff() -> None:
    assert unified_diff("x.py", b"a\n", b"a\n") == b""


LINES = st.lists(st.sampled_from([b"a", b"b", b"c", b"x = 1", b"", b"}"]), min_size=1, max_size=14)


@settings(max_examples=300, deadline=None)
@given(old=LINES, new=LINES, line=st.integers(1, 14))
def test_a_line_is_found_again_only_where_one_line_alone_can_be_meant(
    old: list[bytes], new: list[bytes], line: int
) -> None:
    found = rebind(b"\n".join(old), b"\n".join(new), line)
    if found is not None:
        assert new[found - 1] == old[line - 1]


@pytest.mark.parametrize("seed", range(20))
def test_a_line_that_moved_with_its_neighbours_is_found(seed: int) -> None:
    chance = random.Random(seed)
    old = [b"line %d" % number for number in range(30)]
    at = chance.randrange(4, 26)
    added = [b"new %d" % number for number in range(chance.randrange(1, 9))]
    cut = chance.randrange(0, at - 3)
    new = old[:cut] + added + old[cut:]
    assert rebind(b"\n".join(old), b"\r\n".join(new), at + 1) == at + 1 + len(added)


def test_a_line_that_stands_twice_in_the_same_surroundings_is_not_guessed() -> None:
    block = b"def f():\n    x = 1\n    return x\n\n\n\n"
    assert rebind(block, block * 2, 2) is None
    assert rebind(block * 2, block * 2, 2) == 2, "the file's beginning tells them apart"
    assert rebind(b"a\nb\nc\n", b"a\nc\n", 2) is None, "a line that is gone is not found"
    assert rebind(b"a\n", b"a\n", 5) is None
