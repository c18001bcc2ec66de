"""Who was cut off comes back: to what was missed, or to a snapshot; and who stays away is counted as gone."""

from __future__ import annotations

import json

import pytest

from shared.socket.close_codes import CloseCode
from shared.socket.live import Focus
from tests.live.people import ViewerClient
from tests.live.stage import Stage


async def test_a_viewer_resumes_with_what_it_missed(stage: Stage) -> None:
    host = await stage.hosting()
    await host.open_file("a.py", "a\n")
    viewer = await stage.viewing()
    viewer.drop()
    for _ in range(20):
        await host.insert("a.py", 0, "x")
    await host.acknowledged("a.py")
    assert (await viewer.attach())["payload"]["resumed"] is True
    assert await viewer.until("a.py", 21) == "x" * 20 + "a\n"
    assert viewer.snapshots == ["joined"]


async def test_a_viewer_that_missed_too_much_gets_a_snapshot(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.gateway.live.room.HISTORY_MESSAGES_MAX", 5)
    host = await stage.hosting()
    await host.open_file("a.py", "a\n")
    viewer = await stage.viewing()
    viewer.drop()
    for _ in range(20):
        await host.insert("a.py", 0, "x")
    await host.acknowledged("a.py")
    assert (await viewer.attach())["payload"]["resumed"] is False
    await viewer.until_snapshot()
    assert viewer.files["a.py"].text == host.files["a.py"].text


async def test_a_viewer_that_diverged_asks_and_is_set_right(stage: Stage) -> None:
    host = await stage.hosting()
    await host.open_file("a.py", "a\n")
    viewer = await stage.viewing()
    viewer.files["a.py"].apply(1, 2, [viewer.files["a.py"].change_at(0, 1, "wrong")])
    await host.insert("a.py", 0, "x")
    while viewer.snapshots != ["joined", "asked"] or viewer.files.get("a.py") is None:
        await viewer.take()
    assert await viewer.until("a.py", 2) == "xa\n"
    assert viewer.diverged == 1


async def test_a_host_that_is_cut_off_keeps_its_viewers_and_goes_on_where_it_was(stage: Stage) -> None:
    host = await stage.hosting()
    await host.open_file("a.py", "a\n")
    await host.open_file("b.py", "b\n")
    viewer = await stage.viewing()
    host.drop()
    while viewer.host_status != "away":
        await viewer.take()
    host.files["a.py"].apply(1, 2, [host.files["a.py"].change_at(0, 0, "typed meanwhile ")])
    host.snapshots = 0
    hosting = await host.attach()
    assert {file["file"]: file["version"] for file in hosting["payload"]["files"]} == {"a.py": 1, "b.py": 1}
    assert host.snapshots == 1, "only what the server had not was sent again"
    assert await viewer.until("a.py", 2) == "typed meanwhile a\n"
    assert viewer.host_status == "here"
    assert viewer.snapshots == ["joined"]


async def test_a_ping_is_answered_and_a_sign_of_life_says_what_was_sent(stage: Stage) -> None:
    host = await stage.hosting()
    viewer = await stage.viewing()
    await host.send("live.ping", nonce="1")
    assert (await host.expect("live.pong"))["payload"] == {"nonce": "1"}
    await viewer.send("live.ping", nonce="2")
    assert (await viewer.expect("live.pong"))["payload"] == {"nonce": "2"}
    stage.server.parts.live.beat()
    beat = await viewer.connection.recv()
    assert f'"seq":{viewer.seq}' in str(beat)


async def test_a_viewer_that_leaves_is_gone_for_good(stage: Stage) -> None:
    host = await stage.hosting()
    joined = await stage.guest()
    viewer = await stage.viewing(joined)
    assert (await host.expect("live.viewer"))["payload"]["viewer"]["status"] == "watching"
    await viewer.send("live.leave")
    assert await viewer.ended() == CloseCode.NORMAL
    while (await host.expect("live.viewer"))["payload"]["viewer"]["status"] != "left":
        pass
    again = await stage.viewer(joined)
    await again.open()
    await again.send("live.view", viewer_token=joined["viewer_token"])
    assert await again.ended_because() == (CloseCode.NO_SESSION, "left")


async def test_the_number_of_an_answer_never_overtakes_what_it_counts(stage: Stage) -> None:
    host = await stage.hosting()
    await host.open_file("a.py", "a\n")
    viewer = await stage.viewing()
    before = viewer.seq
    for _ in range(8):
        for _ in range(5):
            await host.insert("a.py", 0, "x")
        await viewer.send("live.ping")
    patches = pongs = 0
    while pongs < 8:
        message = await viewer.take()
        patches += message["event_type"] == "live.patch"
        if message["event_type"] == "live.pong":
            pongs += 1
            assert message["seq"] == before + patches


async def test_a_sign_of_life_counts_nothing_that_waits_to_be_written(stage: Stage) -> None:
    host = await stage.hosting()
    await host.open_file("a.py", "a\n")
    viewer = await stage.viewing()
    before = await _quiet(stage, viewer)
    hall = stage.server.parts.live.rooms.get(stage.session_id)
    assert hall is not None
    hall.room.show(Focus(file="a.py"))
    stage.server.parts.live.beat()
    beat = json.loads(await viewer.connection.recv())
    assert (beat["event_type"], beat["seq"]) == ("live.heartbeat", before)
    focus = await viewer.take()
    assert (focus["event_type"], focus["seq"]) == ("live.focus", before + 1)


async def test_a_viewer_that_is_held_gets_what_waited_when_it_may_go_on(stage: Stage) -> None:
    host = await stage.hosting()
    await host.open_file("a.py", "a\n")
    viewer = await stage.viewing()
    before = await _quiet(stage, viewer)
    hall = stage.server.parts.live.rooms.get(stage.session_id)
    assert hall is not None
    hall.room.show(Focus(file="a.py"))
    (socket,) = hall.viewers.values()
    socket.hold()
    hall.room.show(Focus(file=None))
    socket.release()
    for seq in (before + 1, before + 2):
        focus = await viewer.expect("live.focus")
        assert focus["seq"] == seq
    assert viewer.snapshots == ["joined"]


async def _quiet(stage: Stage, viewer: ViewerClient) -> int:
    """Wait until the viewer has everything; the number that it has then."""
    hall = stage.server.parts.live.rooms.get(stage.session_id)
    assert hall is not None
    while viewer.seq < hall.room.seq:
        await viewer.take()
    return viewer.seq
