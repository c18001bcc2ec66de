"""The catalogue: events decode to what they were, old versions to what they are today, nonsense to an error that says so."""

from __future__ import annotations

from typing import Any

import pytest

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.errors import Undecodable, UnknownTopic
from hivesync_core.eventstore.events import EVENTS, the_catalogue
from hivesync_core.kernel.event import Event
from tests.eventstore.tally import CATALOGUE, Added, Closed


class Weighed(Event, frozen=True, kw_only=True, tag="scale.weighed.v3"):
    """The third shape of an event: grams, and who weighed."""

    grams: int
    by: str


def from_v1(old: dict[str, Any]) -> dict[str, Any]:
    """Kilograms became grams."""
    return {"type": "scale.weighed.v2", "grams": old["kilograms"] * 1000}


def from_v2(old: dict[str, Any]) -> dict[str, Any]:
    """Who weighed came to be known."""
    return {**old, "type": "scale.weighed.v3", "by": "unknown"}


UPCASTING = Catalogue((Weighed,), {"scale.weighed.v1": from_v1, "scale.weighed.v2": from_v2})


def test_an_event_is_stored_as_json_under_its_topic() -> None:
    assert CATALOGUE.encode(Added(amount=3, note="ä")) == '{"type":"tally.added.v1","amount":3,"note":"ä"}'.encode()
    assert CATALOGUE.topics == {"tally.added.v1", "tally.closed.v1"}


@pytest.mark.parametrize("event", [Added(amount=3, note='a "note"\n'), Closed()])
def test_an_event_decodes_to_what_it_was_from_text_and_from_bytes(event: Event) -> None:
    stored = CATALOGUE.encode(event)
    assert CATALOGUE.decode(event.topic(), stored) == CATALOGUE.decode(event.topic(), stored.decode()) == event


@pytest.mark.parametrize(
    ("topic", "state"),
    [
        ("scale.weighed.v1", b'{"type":"scale.weighed.v1","kilograms":2}'),
        ("scale.weighed.v2", b'{"type":"scale.weighed.v2","grams":2000}'),
        ("scale.weighed.v3", b'{"type":"scale.weighed.v3","grams":2000,"by":"unknown"}'),
    ],
)
def test_every_version_that_was_ever_stored_is_read_as_todays(topic: str, state: bytes) -> None:
    assert UPCASTING.decode(topic, state) == Weighed(grams=2000, by="unknown")
    assert topic in UPCASTING.topics


def test_a_topic_of_a_newer_version_is_named() -> None:
    with pytest.raises(UnknownTopic) as unknown:
        CATALOGUE.decode("tally.doubled.v1", b'{"type":"tally.doubled.v1"}')
    assert unknown.value.topic == "tally.doubled.v1"


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"state1",
        b"[]",
        b"{}",
        b'{"type":"tally.added.v1"}',
        b'{"type":"tally.added.v1","amount":"three"}',
        b'{"type":"tally.closed.v1"}',
        b'{"type":"tally.added.v1","amount":3,"note":"\xff"}',
    ],
)
def test_a_payload_that_does_not_fit_its_topic_is_undecodable(state: bytes) -> None:
    with pytest.raises(Undecodable):
        CATALOGUE.decode("tally.added.v1", state)


@pytest.mark.parametrize(
    "state", [b"", b"[]", b'{"type":"scale.weighed.v1"}', b'{"type":"scale.weighed.v1","kilograms":null}', b"\xff"]
)
def test_an_old_payload_that_its_upcaster_chokes_on_is_undecodable(state: bytes) -> None:
    with pytest.raises(Undecodable):
        UPCASTING.decode("scale.weighed.v1", state)


def test_an_upcaster_that_leads_nowhere_is_found_not_followed_for_ever() -> None:
    circle = Catalogue((Closed,), {"a.v1": lambda old: {"type": "a.v2"}, "a.v2": lambda old: {"type": "a.v1"}})
    with pytest.raises(UnknownTopic):
        circle.decode("a.v1", b'{"type":"a.v1"}')


def test_a_topic_stands_for_one_class_and_is_written_or_upcast_not_both() -> None:
    with pytest.raises(AssertionError):
        Catalogue((Closed, Closed))
    with pytest.raises(AssertionError):
        Catalogue((Closed,), {"tally.closed.v1": lambda old: old})


def test_the_catalogue_knows_every_feature_and_is_made_once() -> None:
    assert the_catalogue() is the_catalogue()
    assert {event.topic() for event in EVENTS} == set(the_catalogue().classes)
    assert {"task.created.v1", "project.created.v1", "account.registered.v1"} <= the_catalogue().topics
