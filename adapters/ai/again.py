"""Tells a model why comments of its answer were refused, and puts what it gives instead into their places."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from adapters.ai.prompting import FileToDocument, material

REFUSALS_TOLD_MAX: Final = 40
"""So many refusals are told; an answer with more of them is not worth more of a prompt."""
CONTENT_TOLD_CHARS_MAX: Final = 2_000

INSTRUCTIONS: Final = """
Some of the comments that you gave for this file were refused. They are listed behind it, one JSON object a line, each with its
reason. Give each of them again so that its reason no longer holds, for the same line if the line was right, or leave it out.
Give no other comments.
"""


class Refusal(NamedTuple):
    """A comment as the model gave it, its place in the answer, and why it is refused."""

    place: int
    comment: object
    reason: str


def material_again(file: FileToDocument, refusals: Sequence[Refusal]) -> str:
    """The file as it was shown before, and behind it what was refused and why."""
    told = [json.dumps({"refused": _shown(one.comment), "reason": one.reason}) for one in refusals[:REFUSALS_TOLD_MAX]]
    return "\n".join([material(file), "", *told])


def replaced(comments: Sequence[object], refusals: Sequence[Refusal], again: Sequence[object]) -> list[object]:
    """``comments`` with those of ``again`` in the places of the refused ones: the one for the same line, else the next in order.

    What is more than was refused is left out: it was not asked for.
    """
    found = list(comments)
    places = list(refusals)
    rest: list[object] = []
    for new in again:
        same = next((one for one in places if _line(new) is not None and _line(one.comment) == _line(new)), None)
        if same is None:
            rest.append(new)
        else:
            places.remove(same)
            found[same.place] = new
    if len(again) <= len(refusals):
        for one, new in zip(places, rest, strict=False):
            found[one.place] = new
    return found


def _shown(comment: object) -> Any:
    """A comment of the right form, with no more of its content than is needed; of anything else, nothing."""
    if not isinstance(comment, dict) or not isinstance(comment.get("content"), str):
        return None
    return {"line": _line(comment), "content": comment["content"][:CONTENT_TOLD_CHARS_MAX]}


def _line(comment: object) -> int | None:
    target = comment.get("target") if isinstance(comment, dict) else None
    line = target.get("line") if isinstance(target, dict) else None
    return line if type(line) is int else None
