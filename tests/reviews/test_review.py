"""A file from its submission to its certificate: what is asked for, decided, handed out and proven."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from tests.http.harness import problem
from tests.reviews.desk import SOURCE, Desk

GIT = ("git", "apply", "-")
PATCH = ("patch", "--binary", "-p1", "-s")


def patched(path: Path, source: str, diff: bytes, command: Sequence[str], folder: Path) -> bytes:
    """The file after a program has applied the diff to it."""
    path.write_bytes(source.encode())
    subprocess.run(command, input=diff, cwd=folder, check=True)
    return path.read_bytes()


async def test_a_file_is_documented_from_submission_to_certificate(desk: Desk, tmp_path: Path) -> None:
    shown = await desk.made()
    review_id = shown["review_id"]
    assert shown["status"] == "ready", shown
    assert [(one["type"], one["target"]["line"]) for one in shown["comments"]] == [
        ("header", 1),
        ("inline", 4),
        ("inline", 8),
    ]
    assert shown["comments"][1]["content"] == "Part 1 of what this file offers."
    assert shown["usage"]["tries"] == 1
    assert shown["usage"]["cost_micros"] == 1_000 * 2 + 100 * 8
    assert await desk.diff(review_id) == b""

    await desk.do(review_id, "approve", {"indexes": [1]})
    diff = await desk.diff(review_id)
    assert diff.count(b"\n+") == 2, diff  # the comment and the name of the file after
    applied = await desk.do(review_id, "apply", {})
    assert applied["source"] == SOURCE.replace("def first", "# Part 1 of what this file offers.\ndef first")
    assert ast.dump(ast.parse(applied["source"])) == ast.dump(ast.parse(SOURCE))

    (tmp_path / "pkg").mkdir()
    assert patched(tmp_path / "pkg" / "files.py", SOURCE, diff, GIT, tmp_path) == applied["source"].encode()

    proof = (await desk.ann.get(f"/reviews/{review_id}/certificate")).json()
    assert proof["tokens_sha256_before"] == proof["tokens_sha256_after"]
    assert proof["base_sha256"] == sha256(SOURCE.encode()).hexdigest() == shown["source_sha256"]
    assert proof["after_sha256"] == sha256(applied["source"].encode()).hexdigest()
    assert [one["index"] for one in proof["comments"]] == [1]
    assert proof["comments"][0]["approved_by"] == str(desk.ann.account_id)
    assert (proof["prompt_version"], proof["model"]) == (1, "gpt-4.1")

    assert (await desk.do(review_id, "close"))["status"] == "closed"
    assert await desk.topics(review_id) == [
        "requested", "generation_started", "ready", "comments_approved", "applied", "closed",
    ]  # fmt: skip


async def test_discarding_everything_gives_the_file_back(desk: Desk) -> None:
    review_id = (await desk.made())["review_id"]
    await desk.do(review_id, "approve", {})
    assert await desk.diff(review_id) != b""
    await desk.do(review_id, "discard", {})
    assert await desk.diff(review_id) == b""
    problem(await desk.ann.post(f"/reviews/{review_id}/apply", {}), 409, "review.nothing_approved")


@pytest.mark.parametrize(
    "source",
    ["def f():\r\n\treturn 1\r\n", "\ufeffdef f():\n    return 1\n", "def f():\n    return 1"],
    ids=["crlf-tabs", "bom", "no-newline"],
)
async def test_the_diff_is_what_git_and_patch_apply(desk: Desk, tmp_path: Path, source: str) -> None:
    review_id = (await desk.made(source, "one.py"))["review_id"]
    await desk.do(review_id, "approve", {})
    diff = await desk.diff(review_id)
    after = (await desk.do(review_id, "apply", {}))["source"].encode()
    for command in (GIT, PATCH):
        assert patched(tmp_path / "one.py", source, diff, command, tmp_path) == after


async def test_an_edit_is_checked_like_the_first_words(desk: Desk) -> None:
    review_id = (await desk.made())["review_id"]
    refused = await desk.ann.post(f"/reviews/{review_id}/comments/1/edit", {"content": "type: ignore"})
    assert problem(refused, 422, "review.edit_refused")["index"] == 1
    edited = await desk.do(review_id, "comments/1/edit", {"content": "Joins the path with a fixed name."})
    assert edited["comments"][1]["decision"] == "edited"
    assert edited["comments"][1]["content"] == "Joins the path with a fixed name."
    assert b"+# Joins the path with a fixed name.\n" in await desk.diff(review_id)


async def test_comments_follow_their_lines_or_are_shown_as_drifted(desk: Desk) -> None:
    review_id = (await desk.made())["review_id"]
    await desk.do(review_id, "approve", {"indexes": [1, 2]})
    moved = SOURCE.replace("import os\n", "import os\nimport sys\n").replace("def second(path)", "def other(path)")
    applied = await desk.do(review_id, "apply", {"source": moved})
    assert applied["applied"] == [1]
    assert applied["drifted"] == [2]
    assert applied["source"] == moved.replace("def first", "# Part 1 of what this file offers.\ndef first")
    gone = await desk.ann.post(f"/reviews/{review_id}/apply", {"source": "x = 1\n"})
    assert problem(gone, 409, "review.drifted")["drifted"] == [1, 2]


async def test_what_cannot_be_documented_is_refused_with_a_reason(desk: Desk) -> None:
    submit = f"/projects/{desk.project_id}/reviews"
    unknown = await desk.ann.post(submit, {"path": "notes.xyz", "source": "hello"})
    assert "python" in problem(unknown, 422, "review.language_unknown")["languages"]
    problem(
        await desk.ann.post(submit, {"path": "a.py", "source": "", "language": "elvish"}),
        422,
        "review.language_unknown",
    )
    docstrings = {"path": "a.py", "source": SOURCE, "style": {"docstrings": True}}
    told = problem(await desk.ann.post(submit, docstrings), 422, "review.style_refused")
    assert (told["field"], "`__doc__`" in told["detail"]) == ("docstrings", True)
    await desk.set(source_bytes_max=1_024)
    problem(await desk.ann.post(submit, {"path": "a.py", "source": "x = 1\n" * 500}), 422, "review.source_too_large")
    broken = await desk.made("def f(:\n", "broken.py")
    assert broken["status"] == "refused"
    assert broken["code"].startswith("file.")
    assert desk.model.asked == []


async def test_every_comment_refused_is_a_refusal_with_each_reason(desk: Desk) -> None:
    desk.model.writer = lambda lines: [
        {"type": "inline", "target": {"line": 4}, "content": "type: ignore"},
        {"type": "inline", "target": {"line": 999}, "content": "Nowhere."},
        {"type": "inline", "target": {"line": "4"}, "content": "A line that is no number."},
        {"type": "replace", "target": {"line": 4}, "content": "Something else than a comment."},
        "def first(path): return None",
    ]
    shown = await desk.made()
    assert (shown["status"], shown["code"]) == ("refused", "review.every_comment_refused")
    assert len(shown["refused"]) == 5
    assert all(one["code"] and one["reason"] for one in shown["refused"])
    assert "Something else" not in str(shown)


async def test_members_decide_auditors_read_and_strangers_find_nothing(desk: Desk) -> None:
    review_id = (await desk.made())["review_id"]
    auditor, stranger = await desk.server.person("Aud"), await desk.server.person("Sam")
    await desk.ann.let_in(desk.project_id, auditor, "auditor")
    assert (await auditor.get(f"/reviews/{review_id}/diff")).status_code == 200
    problem(await auditor.post(f"/reviews/{review_id}/approve", {}), 403, "review.read_only")
    body = {"path": "a.py", "source": "x = 1\n"}
    problem(await auditor.post(f"/projects/{desk.project_id}/reviews", body), 403, "review.read_only")
    for path in ("", "/diff", "/certificate"):
        problem(await stranger.get(f"/reviews/{review_id}{path}"), 404, "review.not_found")
    problem(await stranger.post(f"/reviews/{review_id}/approve", {}), 404, "review.not_found")


async def test_reviews_are_listed_by_state(desk: Desk) -> None:
    ready = await desk.made()
    refused = await desk.made("def f(:\n", "broken.py")
    position = await desk.server.events()
    page = (await desk.ann.get(f"/projects/{desk.project_id}/reviews", params={"min_position": position})).json()
    assert [one["review_id"] for one in page["items"]] == [refused["review_id"], ready["review_id"]]
    one = await desk.ann.get(f"/projects/{desk.project_id}/reviews", params={"status": "ready", "limit": 1})
    assert [each["status"] for each in one.json()["items"]] == ["ready"]
