"""Every event that was ever stored decodes for ever: `events.jsonl` holds stored lines of each tag.

Lines are added and never changed. A line may be of a version that is no longer written: an upcaster lifts it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hivesync_core.eventstore.events import the_catalogue

LINES = Path(__file__).with_name("events.jsonl").read_bytes().splitlines()


def _tag(line: bytes) -> str:
    tag = msgspec.json.decode(line)["type"]
    assert isinstance(tag, str)
    return tag


def test_every_tag_that_can_be_read_has_a_stored_line_and_every_line_a_tag() -> None:
    stored = {_tag(line) for line in LINES}
    catalogue = the_catalogue()
    assert sorted(catalogue.topics - stored) == [], "add a line for each of these to tests/golden/events.jsonl"
    assert sorted(stored - catalogue.topics) == [], "these were stored once and can no longer be read"


def test_no_line_is_there_twice() -> None:
    assert len(set(LINES)) == len(LINES)


@pytest.mark.parametrize("line", LINES, ids=_tag)
def test_a_stored_event_is_the_same_after_it_was_read_and_stored_again(line: bytes) -> None:
    catalogue = the_catalogue()
    event = catalogue.decode(_tag(line), line)
    again = catalogue.encode(event)
    assert catalogue.decode(event.topic(), again) == event
    if _tag(line) == event.topic():
        assert _lost(msgspec.json.decode(line), msgspec.json.decode(again)) == {}


def _lost(stored: dict[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    """What was stored and would not be stored so today: the sign of a field that was renamed or read otherwise.

    A key of the stored line has to come back with its value; a field that was added since may stand beside it.
    """
    return {name: value for name, value in stored.items() if name not in again or again[name] != value}
