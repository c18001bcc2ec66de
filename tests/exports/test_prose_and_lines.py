"""Text exports cannot be forged by what people write; JSON Lines are CloudEvents."""

from __future__ import annotations

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from projections.exports.erasure import Erasures
from projections.exports.lines import JsonLinesEncoder
from projections.exports.prose import TextEncoder
from tests.exports.reading import read_jsonl
from tests.exports.test_cells import row, texts

_ATTRIBUTE = re.compile("[a-z0-9]{1,20}")
_REQUIRED = {"specversion", "id", "source", "type"}


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_begins_a_block_of_its_own_or_moves_the_cursor(title: str, text: str) -> None:
    shown = TextEncoder(Erasures()).encode([row(title=title, text=text, nested={title: text})])
    beginnings = [line for line in shown.split("\n") if line and not line.startswith("    ")]
    assert beginnings == ["#7  2025-03-01T12:00:00.000000Z  task.edited.v1"]
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", shown)


def test_a_text_of_several_lines_is_a_block() -> None:
    shown = TextEncoder(Erasures()).encode([row(title="one", text="a\r\nb\n\nc")])
    assert "    title: one\n    text:\n        | a\n        | b\n        |\n        | c\n" in shown


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_each_line_is_a_cloud_event_and_gives_back_what_was_stored(words: list[tuple[str, str]]) -> None:
    stored = [row(actor=actor or "system", title=title) for actor, title in words]
    text = JsonLinesEncoder(Erasures()).encode(stored)
    assert text.count("\n") == len(stored)
    for line, (_, at, topic, stream, *_, state) in zip(text.split("\n"), stored, strict=False):
        event = msgspec.json.decode(line)
        assert event.keys() >= _REQUIRED
        assert all(_ATTRIBUTE.fullmatch(name) for name in event)
        assert None not in event.values()
        assert (event["specversion"], event["type"], event["time"], event["subject"]) == ("1.0", topic, at, stream)
        assert event["data"] == msgspec.json.decode(state)
    assert list(read_jsonl(text.split("\n")[:-1])) == stored


def test_a_payload_with_a_line_end_between_its_tokens_stays_on_one_line() -> None:
    stored = (*row()[:11], '{"type":\n"task.edited.v1"}')
    text = JsonLinesEncoder(Erasures()).encode([stored])
    assert text.count("\n") == 1
    assert msgspec.json.decode(text)["data"] == {"type": "task.edited.v1"}


def test_an_erased_account_is_marked_as_actor_and_in_the_data() -> None:
    erased = "0195515c-0000-7000-8000-000000000008"
    encoder = JsonLinesEncoder(Erasures(frozenset({erased})))
    event = msgspec.json.decode(encoder.encode([row(actor=erased, helper_id=erased)]))
    assert event["actor"] == event["data"]["helper_id"] == f"erased-{erased}"
