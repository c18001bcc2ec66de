"""Prompt versions and labels, the playground, scores and recall over HTTP."""

from __future__ import annotations

import json
from typing import Any

from tests.http.harness import problem
from tests.reviews.desk import SOURCE, Desk
from tests.servers.model import Behaviour, Comments, Line, comment

SHORT = "Describe {{path}} in {{tongue}}."


async def added(desk: Desk, template: str) -> int:
    """A template kept as a version; its number."""
    answer = await desk.ann.post("/admin/prompts", {"template": template, "note": "Tried."})
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["version"]
    return number


async def label(desk: Desk, name: str, version: int) -> dict[str, Any]:
    """Move a label."""
    answer = await desk.ann.send("PUT", f"/admin/prompts/labels/{name}", {"version": version})
    assert answer.status_code == 200, answer.text
    labels: dict[str, Any] = answer.json()["labels"]
    return labels


async def test_versions_do_not_change_and_a_rollback_is_a_label_moved(desk: Desk) -> None:
    assert (await desk.ann.get("/admin/prompts")).json()["labels"] == {"production": 1}
    assert await added(desk, SHORT) == 2
    assert await added(desk, SHORT) == 2
    assert await label(desk, "draft", 2) == {"draft": 2, "production": 1}
    assert await label(desk, "production", 2) == {"draft": 2, "production": 2}
    assert (await desk.made())["prompt_version"] == 2
    assert desk.model.asked[-1]["messages"][0]["content"].startswith("Describe pkg/files.py in en.")
    await label(desk, "production", 1)
    assert (await desk.made())["prompt_version"] == 1
    assert (await desk.ann.get("/admin/prompts/2")).json()["template"] == SHORT
    problem(await desk.ann.get("/admin/prompts/3"), 404, "prompt.version_unknown")
    problem(await desk.ann.post("/admin/prompts", {"template": "{{secret}}"}), 422, "prompt.template_refused")


async def test_the_playground_tries_versions_side_by_side_and_stores_counts_alone(desk: Desk) -> None:
    await added(desk, SHORT)
    before = await stored(desk)
    body = {"path": "one.py", "source": SOURCE, "versions": [1, 2], "template": "Say nothing about {{path}}."}
    desk.model.next(Behaviour(), Behaviour(), Behaviour(500))
    answer = await desk.ann.client.post("/admin/playground/test", json=body)
    assert answer.status_code == 200, answer.text
    trials = answer.json()["trials"]
    assert [trial["version"] for trial in trials] == [1, 2, None]
    assert sorted(len(trial["comments"]) for trial in trials) == [0, 3, 3]
    assert [trial["code"] for trial in trials if not trial["comments"]] == ["provider.broken"]
    assert "+# Part 1 of what this file offers." in next(trial["diff"] for trial in trials if trial["comments"])
    assert await stored(desk) == before
    rows = await desk.server.parts.database.fetch_all(
        "SELECT state FROM eventlog.events WHERE topic = 'prompt.tried.v1' ORDER BY notification_id"
    )
    told = [json.loads(state) for (state,) in rows]
    assert sorted((one["suggestions"], one["input_tokens"]) for one in told) == [(0, 0), (3, 1_000), (3, 1_000)]
    five = {**body, "versions": [1, 2, 1, 2]}
    assert (await desk.ann.client.post("/admin/playground/test", json=five)).status_code == 200
    problem(
        await desk.ann.client.post("/admin/playground/test", json={"path": "a.xyz", "source": "x"}),
        422,
        "review.language_unknown",
    )


async def stored(desk: Desk) -> int:
    """How many blobs there are."""
    row = await desk.server.parts.database.fetch_one("SELECT count(*) FROM blobs.content")
    assert row is not None
    return int(row[0])


async def test_scores_say_what_people_decided_and_how_a_draft_compares(desk: Desk) -> None:
    review_id = (await desk.made())["review_id"]
    await desk.do(review_id, "approve", {"indexes": [0, 1]})
    await desk.do(review_id, "discard", {"indexes": [2]})
    (score,) = (await desk.ann.get("/admin/prompt-scores")).json()["items"]
    assert (score["version"], score["approved"], score["discarded"], score["approval"]) == (1, 2, 1, 0.6667)
    draft = await added(desk, SHORT)

    def suggests_one_again(lines: list[Line]) -> Comments:
        return [comment(4, "The first of them, said better."), comment(5, "Something that nobody asked for.")]

    desk.model.writer = suggests_one_again
    answer = await desk.ann.post(f"/admin/prompts/{draft}/score", {"reviews": 3})
    assert answer.status_code == 200, answer.text
    compared = answer.json()
    kept = {
        name: compared[name]
        for name in ("reviews", "approved", "kept", "missed", "discarded", "avoided", "repeated", "new")
    }
    assert kept == {
        "reviews": 1, "approved": 2, "kept": 1, "missed": 1, "discarded": 1, "avoided": 1, "repeated": 0, "new": 1,
    }  # fmt: skip


async def test_recall_lists_and_retracts_every_comment_of_one_version(desk: Desk) -> None:
    first, second = (await desk.made())["review_id"], (await desk.made())["review_id"]
    await desk.do(first, "approve", {})
    await desk.do(first, "apply", {})
    await desk.do(first, "close")
    await label(desk, "production", await added(desk, SHORT))
    other = (await desk.made())["review_id"]
    listed = (await desk.ann.get("/admin/prompts/1/comments")).json()["items"]
    assert {one["review_id"] for one in listed} == {first, second}
    assert sum(one["applied"] for one in listed) == 3
    recalled = (await desk.ann.post("/admin/prompts/1/recall", {"reason": "It was wrong."})).json()
    assert recalled == {"reviews": 2, "comments": 6, "remaining": False}
    for review_id in (first, second):
        assert {one["decision"] for one in (await desk.review(review_id))["comments"]} == {"retracted"}
    assert {one["decision"] for one in (await desk.review(other))["comments"]} == {"suggested"}
    again = (await desk.ann.post("/admin/prompts/1/recall", {"reason": "It was wrong."})).json()
    assert again == {"reviews": 0, "comments": 0, "remaining": False}


async def test_settings_are_changed_in_part_and_hold_no_key(desk: Desk) -> None:
    answer = await desk.ann.client.patch("/admin/settings", json={"retention": {"source_days": 7}})
    told = answer.json()
    assert told["retention"] == {"source_days": 7, "comment_days": 365}
    assert (told["ai"]["provider"], told["ai"]["model"], told["ai"]["key_is_set"]) == ("openai", "gpt-4.1", True)
    assert "sk-test" not in answer.text
    odd = await desk.ann.client.patch("/admin/settings", json={"ai": {"base_url": "ftp://nowhere"}})
    assert problem(odd, 422, "settings.refused")["field"] == "base_url"


async def test_retention_says_what_it_would_drop_and_drops_it(desk: Desk) -> None:
    review_id = (await desk.made())["review_id"]
    await desk.do(review_id, "approve", {})
    await desk.do(review_id, "apply", {})
    nothing = (await desk.ann.get("/admin/retention")).json()
    assert nothing["source"]["blobs"] == nothing["words"]["blobs"] == 0
    due = (await desk.ann.get("/admin/retention", params={"source_days": 0})).json()
    assert due["source"] == {"blobs": 1, "size_bytes": len(SOURCE)}
    assert (await desk.ann.post("/admin/retention/run")).json() == {"source": 0, "words": 0}
    await desk.ann.client.patch("/admin/settings", json={"retention": {"source_days": 0, "comment_days": 0}})
    assert (await desk.ann.post("/admin/retention/run")).json() == {"source": 1, "words": 1}
    problem(await desk.ann.get(f"/reviews/{review_id}/diff"), 404, "blob.gone")
    assert {one["content"] for one in (await desk.review(review_id))["comments"]} == {None}
    assert (await desk.ann.get(f"/reviews/{review_id}/certificate")).status_code == 200
    assert (await desk.ann.get("/admin/prompts/1")).status_code == 200
