"""The form of a model's answer: the schema that it is asked for, and the strict reading of what comes."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from adapters.ai.faults import AnswerMalformed
from hivesync_core.reviews.commands import COMMENTS_MAX

SCHEMA: Final[dict[str, Any]] = {
    "name": "comments",
    "strict": True,
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["comments"],
        "properties": {
            "comments": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["type", "target", "content"],
                    "properties": {
                        "type": {"type": "string", "enum": ["inline", "header"]},
                        "target": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["line"],
                            "properties": {"line": {"type": "integer"}},
                        },
                        "content": {"type": "string"},
                    },
                },
            }
        },
    },
}
"""What structured output is asked for. A server that ignores it changes nothing: every answer is read as strictly."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def comments_of(text: str) -> list[object]:
    """The comments of an answer, each as it came: whether one is good is for the check to say, comment by comment.

    Raises ``AnswerMalformed`` where the whole is not of the form.
    """
    try:
        answer = _decode(text.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise AnswerMalformed("The model's answer is no JSON.") from None
    comments = answer.get("comments")
    if answer.keys() != {"comments"} or not isinstance(comments, list):
        raise AnswerMalformed("The model's answer is JSON of another form than the one that was asked for.")
    if len(comments) > COMMENTS_MAX:
        raise AnswerMalformed(f"The model's answer has {len(comments)} comments, {COMMENTS_MAX} are the most.")
    return comments
