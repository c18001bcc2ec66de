"""A viewer that takes too little is moved to a snapshot, and nobody else waits for it."""

from __future__ import annotations

import asyncio

import pytest

from shared.socket.close_codes import CloseCode
from tests.live.stage import Stage


async def test_a_viewer_that_lags_gets_a_snapshot_and_others_do_not_wait(stage: Stage) -> None:
    host = await stage.hosting()
    await host.open_file("a.py", "")
    quick = await stage.viewing()
    slow = await stage.viewer()
    slow_options = {"max_queue": 1}
    await slow.open(**slow_options)
    await slow.send("live.view", viewer_token=slow.viewer_token)
    for number in range(250):
        await host.insert("a.py", 0, f"{number} ".ljust(60_000, "x"), deleted=60_000 if number else 0)
        await quick.until("a.py", number + 2)
    assert stage.server.parts.live.rooms.get(stage.session_id).room.numbers.lagged >= 1  # type: ignore[union-attr]
    assert await slow.until("a.py", 251) == host.files["a.py"].text
    assert "lagged" in slow.snapshots
    assert quick.snapshots == ["joined"]


async def test_a_viewer_that_takes_nothing_for_long_is_closed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.gateway.live.viewer.STALLED_S_MAX", 0.3)
    host = await stage.hosting()
    await host.open_file("a.py", "")
    viewer = await stage.viewing()
    viewer.connection.transport.pause_reading()  # type: ignore[attr-defined]
    for number in range(250):
        await host.insert("a.py", 0, f"{number} ".ljust(60_000, "x"), deleted=60_000 if number else 0)
        await host.acknowledged("a.py")
    closed = stage.server.parts.live.stats.closed
    for _ in range(1_200):
        if closed[CloseCode.TOO_SLOW.name.lower()]:
            break
        await asyncio.sleep(0.05)
    assert closed["too_slow"] == 1
