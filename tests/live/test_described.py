"""Every kind of message there is was really sent, and is as described; every other test holds its messages to it too."""

from __future__ import annotations

from collections.abc import Iterator

import jsonschema_rs
import pytest

from hivesync_core.live.document import Document
from tests.live import people
from tests.live.described import check_said, check_sent, said_to
from tests.live.people import Message
from tests.live.stage import Stage


@pytest.fixture
def heard() -> Iterator[dict[str, set[str]]]:
    """The types of messages that hosts and viewers were sent."""
    types: dict[str, set[str]] = {"host": set(), "viewer": set()}

    def listen(role: str, message: Message) -> None:
        types[role].add(message["event_type"])

    people.LISTENERS.append(listen)
    yield types
    people.LISTENERS.remove(listen)


async def test_a_session_in_which_everything_happens_is_told_as_described(
    stage: Stage, heard: dict[str, set[str]]
) -> None:
    host = await stage.hosting()
    await host.open_file("a.py", "a\n")
    viewer = await stage.viewing()
    await host.expect("live.viewer")
    await host.insert("a.py", 0, "x")
    await host.send("live.change", **people.patch("a.py", 7, [host.files["a.py"].change_at(0, 0, "y")]))
    await host.expect("live.send_snapshot")
    await host.show("a.py")
    host.files[".env"] = Document("SECRET=1\n", 1)
    await host.show(".env")
    await host.expect("live.refused")
    del host.files[".env"]
    await host.open_file("b.py", "b\n")
    await host.send("live.show", file="b.py")
    await host.send("live.rename", file="b.py", to="c.py")
    host.files["c.py"] = Document(host.files.pop("b.py").text, 1)
    await host.send("live.close", file="c.py")
    del host.files["c.py"]
    for one in (host, viewer):
        await one.send("live.ping", nonce="1")
    await host.send("live.renew", token=stage.token)
    await host.expect("live.renewed")
    stage.server.parts.live.beat()
    host.drop()
    while viewer.host_status != "away":
        await viewer.take()
    await host.attach()
    await host.send("live.ping", nonce="2")
    await host.expect("live.pong")
    stage.server.parts.live.beat()
    await host.send("live.end")
    await host.expect("live.ended")
    while (await viewer.take())["event_type"] != "live.ended":
        pass
    # A guest has no token to renew.
    assert heard == {"host": said_to("host"), "viewer": said_to("viewer") - {"live.renewed"}}


@pytest.mark.parametrize(
    ("role", "wrong"),
    [
        ("host", {"event_type": "live.ack", "payload": {"file": "a.py"}}),
        ("host", {"event_type": "live.ack", "payload": {"file": "a.py", "version": "2"}}),
        ("host", {"event_type": "live.patch", "payload": {}}),
        ("viewer", {"event_type": "live.closed", "payload": {"file": "a.py"}}),
        ("viewer", {"event_type": "live.closed", "payload": {"file": "a.py", "more": 1}, "seq": 1}),
        ("viewer", {"event_type": "live.closed", "payload": {"file": "a.py"}, "seq": 1, "more": 1}),
    ],
)
def test_the_check_finds_what_is_wrong(role: str, wrong: Message) -> None:
    with pytest.raises((AssertionError, jsonschema_rs.ValidationError)):
        check_said(role, wrong)


@pytest.mark.parametrize(
    "message",
    [
        {"event_type": "live.view", "payload": {"viewer_token": "t", "epoch": 1, "seq": 3}},
        {"event_type": "live.close", "payload": {"file": "a.py"}},
        {"event_type": "live.ping", "payload": {"nonce": "1"}},
        {"event_type": "live.resync", "payload": {}},
    ],
)
def test_what_hosts_and_viewers_send_is_described(message: Message) -> None:
    check_sent(message)
    with pytest.raises(jsonschema_rs.ValidationError):
        check_sent({**message, "payload": {**message["payload"], "unknown": 1}})
