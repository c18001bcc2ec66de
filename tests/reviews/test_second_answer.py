"""What was refused of an answer is told to the model once, with its reason; the rest of the answer stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.ai.again import Refusal, replaced
from tests.reviews.desk import Desk
from tests.servers.model import Behaviour, comment

GOOD = comment(4, "Joins the path with the first name.")
CODE = comment(8, "x = compute(path)")
BEYOND = comment(99, "Beyond the end.")
BETTER = comment(8, "Joins the path with the second name.")
EVENTS = ["requested", "generation_started", "ready"]


def says(*comments: Any, **more: Any) -> Behaviour:
    return Behaviour(text=json.dumps({"comments": list(comments)}), **more)


async def test_a_refused_comment_is_written_again_and_the_others_stand(desk: Desk) -> None:
    desk.model.next(says(GOOD, CODE), says(BETTER))
    shown = await desk.made()
    assert (shown["status"], shown["usage"]["tries"], shown["refused"]) == ("ready", 2, [])
    assert [one["content"] for one in shown["comments"]] == [GOOD["content"], BETTER["content"]]
    assert (shown["usage"]["input_tokens"], shown["usage"]["output_tokens"]) == (2_000, 200)
    assert await desk.topics(shown["review_id"]) == EVENTS


async def test_the_model_is_told_the_refused_comment_and_why_and_no_other(desk: Desk) -> None:
    desk.model.next(says(GOOD, CODE), says(BETTER))
    await desk.made()
    first, second = (body["messages"] for body in desk.model.asked)
    told = json.loads(second[-1]["content"].splitlines()[-1])
    assert told["refused"] == {"line": 8, "content": CODE["content"]}
    assert told["reason"].startswith("A line reads as code.")
    assert GOOD["content"] not in json.dumps(second)
    assert (
        first[-1]["content"].splitlines()[1:-1]
        == second[-1]["content"].splitlines()[1 : len(first[-1]["content"].splitlines()) - 1]
    )


async def test_a_file_of_which_every_comment_was_refused_may_still_be_documented(desk: Desk) -> None:
    desk.model.next(says(CODE, BEYOND), says(BETTER, comment(4, "Joins it.")))
    shown = await desk.made()
    assert (shown["status"], len(shown["comments"]), shown["refused"]) == ("ready", 2, [])


async def test_nobody_is_asked_a_third_time_whatever_comes(desk: Desk) -> None:
    desk.model.next(says(GOOD, CODE), says(CODE), says(BETTER))
    shown = await desk.made()
    assert (len(desk.model.asked), shown["usage"]["tries"]) == (2, 2)
    assert (len(shown["comments"]), len(shown["refused"])) == (1, 1)


async def test_an_answer_that_needed_every_request_is_taken_as_it_is(desk: Desk) -> None:
    await desk.set(tries_max=1)
    desk.model.next(says(GOOD, CODE), says(BETTER))
    shown = await desk.made()
    assert (len(desk.model.asked), len(shown["comments"]), len(shown["refused"])) == (1, 1, 1)


@pytest.mark.parametrize(
    "second",
    [
        Behaviour(500),
        Behaviour(429),
        Behaviour(text="no JSON"),
        Behaviour(cut_after=1),
        Behaviour(refusal=True),
        says(finish="length"),
        says(GOOD, CODE, BEYOND, *[comment(line, f"More of line {line}.") for line in range(1, 9)]),
    ],
    ids=["500", "429", "malformed", "cut", "refusal", "too-long", "all-of-it"],
)
async def test_what_goes_wrong_the_second_time_costs_nothing_of_the_first_answer(desk: Desk, second: Behaviour) -> None:
    desk.model.next(says(GOOD, BEYOND), second)
    shown = await desk.made()
    assert (shown["status"], shown["usage"]["tries"], len(desk.model.asked)) == ("ready", 2, 2)
    assert [one["content"] for one in shown["comments"]] == [GOOD["content"]]
    assert [one["code"] for one in shown["refused"]] == ["shape.line_range"]
    assert await desk.topics(shown["review_id"]) == EVENTS


def test_replacements_go_by_line_then_by_order_and_no_further() -> None:
    refusals = [Refusal(1, CODE, "x"), Refusal(2, BEYOND, "y"), Refusal(3, "no comment", "z")]
    first = [GOOD, CODE, BEYOND, "no comment"]
    moved = comment(6, "Moved.")
    assert replaced(first, refusals, [moved, BETTER]) == [GOOD, BETTER, moved, "no comment"]
    assert replaced(first, refusals, []) == first
    assert replaced(first, refusals, [7, None, {}]) == [GOOD, 7, None, {}]
    many = [comment(line, "Unasked for.") for line in (1, 2, 3, 4)]
    assert replaced(first, refusals, many) == first
