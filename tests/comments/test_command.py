"""`hivesync comments check`: a file with its comments, and a corpus of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.main import main

CASES = Path(__file__).with_name("cases.jsonl")


def ran(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["comments", "check", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app.py"
    path.write_bytes(b"import os\n\nprint(os.name)\n")
    return path


def comments(tmp_path: Path, *given: dict[str, Any]) -> Path:
    path = tmp_path / "comments.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    return path


def test_the_given_cases_have_no_disagreement(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capsys, "--cases", CASES)
    assert (code, out) == (0, "301 cases: 0 false accepts, 0 false rejects\n")


def test_a_disagreement_is_shown_and_is_a_failure(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    turned = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()[:20]]
    turned[0]["verdict"] = "accept" if turned[0]["verdict"] == "reject" else "reject"
    path = tmp_path / "turned.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in turned), encoding="utf-8")
    code, out, _ = ran(capsys, "--cases", path, "--json")
    told = json.loads(out)
    assert (code, told["cases"], len(told["disagreements"])) == (1, 20, 1)
    assert told["disagreements"][0]["id"] == turned[0]["id"]


def test_a_file_is_shown_with_its_verdicts_and_its_diff(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path
) -> None:
    given = comments(
        tmp_path,
        {"type": "inline", "target": {"line": 3}, "content": "Says where it runs."},
        {"type": "inline", "target": {"line": 3}, "content": "noqa"},
    )
    code, out, _ = ran(capsys, file, "--comments", given)
    assert code == 1
    assert "+# Says where it runs." in out
    assert "refused 1:" in out
    code, out, _ = ran(capsys, file, "--comments", given, "--json")
    told = json.loads(out)
    assert told["accepted"] == [0]
    assert told["refused"][0]["code"] == "text.directive"
    assert told["proof"]["tokens_sha256_before"] == told["proof"]["tokens_sha256_after"]
    assert told["proof"]["insertions"][0]["text"] == "# Says where it runs.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cases", "/nowhere.jsonl"], "cannot be read"),
        (["/nowhere.py", "--comments", "x"], "cannot be read"),
        ([], "is wanted"),
    ],
)
def test_what_is_wrong_is_named(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    code, _, err = ran(capsys, *arguments)
    assert code == 2
    assert said in err


def test_bad_cases_are_named_by_their_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    for bad in ("{", "[]", "{}", '{"id":1,"language":"python","comment":{},"verdict":"maybe"}',
                '{"id":1,"language":"python","comment":{},"verdict":"accept"}', "[" * 100_000,
                '{"id":1,"language":"python","comment":{},"verdict":["accept"],"source":""}', "\ufffe\0",
                '{"id":1,"language":"python","comment":{},"verdict":"accept","source":5}', "7", "null",
                '{"id":1,"language":"python","comment":{},"verdict":"accept","source_b64":"%%"}'):  # fmt: skip
        path.write_text(bad + "\n", encoding="utf-8")
        code, _, err = ran(capsys, "--cases", path)
        assert code == 2
        assert "line 1" in err


def test_a_line_that_is_no_case_is_passed_over_and_the_others_are_judged(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mixed.jsonl"
    good = CASES.read_text(encoding="utf-8").splitlines()[:3]
    path.write_text("\n".join(["{", good[0], "", "[]", *good[1:], '{"verdict":"accept"}']), encoding="utf-8")
    code, out, err = ran(capsys, "--cases", path)
    assert (code, out) == (2, "3 cases: 0 false accepts, 0 false rejects\n")
    assert [line for line in ("line 1 ", "line 4 ", "line 7 ") if line not in err] == []
    code, out, _ = ran(capsys, "--cases", path, "--json")
    told = json.loads(out)
    assert (code, told["cases"], len(told["unreadable"])) == (2, 3, 3)


_ODD: list[dict[str, Any]] = [
    {"language": "klingon", "source": "x\n"},
    {"language": 7, "source": "x\n"},
    {"language": ["python"], "source": "x\n"},
    {"language": None, "source": "x\n"},
    {"language": "", "source": ""},
    {"language": "\ud800", "source": "x\n"},
    {"language": "python", "source": "\ud800 = 1\n"},
    {"language": "python", "source_b64": "/////w=="},
    {"language": "python", "source_b64": ""},
    {"language": "python", "source": "x = 1\n" * 400_000},
    {"language": "json", "source": "{}"},
    {"language": "markdown", "source": "# x\n"},
    *({"language": "python", "source": "x = 1\n", "comment": odd} for odd in (
        None, 7, "text", [], [[]], {}, True, {"type": "inline"}, {"type": "inline", "line": 1},
        {"type": ["inline"], "line": 1, "content": "A."}, {"type": "inline", "line": {}, "content": "A."},
        {"type": "inline", "target": 1, "content": "A."}, {"type": "inline", "target": {"line": None}, "content": "A."},
        {"type": "inline", "line": 1e400, "content": "A."}, {"type": "inline", "line": -(10**30), "content": "A."},
        {"type": "inline", "line": 1, "content": {"a": 1}}, {"type": "inline", "line": 1, "content": "word " * 500_000},
        {"type": "inline", "line": 1, "content": "\ud800\udc00 \udfff"}, {"type": "inline", "line": 1, "content": "A.", "code": "x"},
    )),
]  # fmt: skip


def test_whatever_a_case_holds_is_judged(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    usual = {"comment": {"type": "inline", "line": 1, "content": "Sets it."}, "verdict": "reject"}
    huge = '{"language":"python","source":"x = 1\\n","comment":{"type":"inline","line":1%s,"content":"A."},"verdict":"reject"}'
    rows = [json.dumps({**usual, **odd}) for odd in _ODD] + [huge % ("0" * 6_000)]
    path.write_text("\n".join(rows), encoding="utf-8")
    code, out, err = ran(capsys, "--cases", path)
    assert (code, out, err) == (0, f"{len(rows)} cases: 0 false accepts, 0 false rejects\n", "")


def test_a_language_is_never_guessed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    unknown = tmp_path / "notes.unknown"
    unknown.write_text("x = 1\n", encoding="utf-8")
    given = comments(tmp_path, {"type": "inline", "target": {"line": 1}, "content": "Sets it."})
    code, _, err = ran(capsys, unknown, "--comments", given)
    assert code == 2
    assert "--language" in err
    assert ran(capsys, unknown, "--comments", given, "--language", "python")[0] == 0


def test_a_file_that_cannot_be_proven_is_refused_with_its_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("def f(:\n", encoding="utf-8")
    given = comments(tmp_path, {"type": "inline", "target": {"line": 1}, "content": "Does it."})
    code, out, _ = ran(capsys, broken, "--comments", given, "--json")
    assert (code, json.loads(out)["file_refused"]) == (1, "file.does_not_parse")
