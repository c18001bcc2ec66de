"""The clocks of a session, by times that a test sets: ten minutes away, an hour unwatched; a restart changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from adapters.ids import now
from shared.socket.close_codes import CloseCode
from tests.http.harness import RunningServer, running
from tests.live.stage import Stage

MINUTE = timedelta(minutes=1)


class Watch:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """The clock of every server that is built from here on; they look at it only when they are told to."""
    watch = Watch()
    for module in ("adapters.main", "adapters.http.commanding", "adapters.http.context"):
        monkeypatch.setattr(f"{module}.now", watch)
    monkeypatch.setattr("adapters.gateway.live.clocks.BEAT_S", 3_600.0)
    return watch


async def turn(server: RunningServer) -> None:
    """Let a server look at its clocks."""
    await server.parts.live.clocks.beat()
    await server.parts.live.clocks.turn()


async def shown(stage: Stage) -> tuple[str, str | None]:
    """Whether the session runs, and why it ended."""
    body = (await stage.host.get(f"/live-sessions/{stage.session_id}")).json()
    return body["status"], body["reason"]


async def test_a_host_may_be_away_for_ten_minutes_and_viewers_are_told_when_it_ends(
    postgres_url: str, watch: Watch
) -> None:
    async with running(postgres_url) as server:
        stage = await Stage(server).set_up()
        host = await stage.hosting()
        await host.open_file("a.py", "a\n")
        viewer = await stage.viewing()
        host.drop()
        while viewer.host_status != "away":
            await viewer.take()
        watch.ahead += 9 * MINUTE
        await turn(server)
        assert await shown(stage) == ("running", None)
        await host.attach()
        while viewer.host_status != "here":
            await viewer.take()
        host.drop()
        while viewer.host_status != "away":
            await viewer.take()
        watch.ahead += 9 * MINUTE
        await turn(server)
        assert await shown(stage) == ("running", None)
        watch.ahead += 2 * MINUTE
        await turn(server)
        assert (await viewer.expect("live.ended"))["payload"] == {"reason": "host_away"}
        assert await viewer.ended() == CloseCode.SESSION_ENDED
        assert await shown(stage) == ("ended", "host_away")
        await stage.close()


async def test_a_session_that_nobody_watches_ends_after_an_hour(postgres_url: str, watch: Watch) -> None:
    async with running(postgres_url) as server:
        stage = await Stage(server).set_up()
        host = await stage.hosting()
        watch.ahead += 59 * MINUTE
        await turn(server)
        viewer = await stage.viewing()
        watch.ahead += 59 * MINUTE
        await turn(server)
        viewer.drop()
        await host.expect("live.viewer")
        watch.ahead += 59 * MINUTE
        await server.parts.live.clocks.beat()
        await turn(server)
        assert await shown(stage) == ("running", None)
        watch.ahead += 2 * MINUTE
        await turn(server)
        assert (await host.expect("live.ended"))["payload"] == {"reason": "no_viewers"}
        assert await shown(stage) == ("ended", "no_viewers")
        await stage.close()


async def test_the_clocks_run_on_while_no_server_runs(postgres_url: str, watch: Watch) -> None:
    async with running(postgres_url) as server:
        stage = await Stage(server).set_up()
        host = await stage.hosting()
        joined = await stage.guest()
        viewer = await stage.viewing(joined)
        second = await Stage(server).set_up()
        await second.hosting()
        await second.viewing()
        await turn(server)
        await stage.close()
        await second.close()
    watch.ahead += 6 * MINUTE
    async with running(postgres_url) as server:
        stage.server = server
        host.url = viewer.url = server.url.replace("http", "ws") + "/ws/live"
        await turn(server)
        await host.attach()
        await viewer.attach()
        await viewer.until_snapshot()
        watch.ahead += 5 * MINUTE
        await turn(server)
        states = {}
        for session_id in (stage.session_id, second.session_id):
            row = await server.parts.database.fetch_one(
                "SELECT ended_at IS NOT NULL FROM live.sessions WHERE session_id = %s", (session_id,)
            )
            assert row is not None
            states[session_id] = row[0]
        assert states == {stage.session_id: False, second.session_id: True}
        await host.close()
        await viewer.close()


async def test_a_viewer_that_stays_away_for_ten_minutes_has_left(postgres_url: str, watch: Watch) -> None:
    async with running(postgres_url) as server:
        stage = await Stage(server).set_up()
        host = await stage.hosting()
        joined = await stage.guest()
        viewer = await stage.viewing(joined)
        assert (await host.expect("live.viewer"))["payload"]["viewer"]["status"] == "watching"
        viewer.drop()
        assert (await host.expect("live.viewer"))["payload"]["viewer"]["status"] == "away"
        watch.ahead += 11 * MINUTE
        await turn(server)
        assert (await host.expect("live.viewer"))["payload"]["viewer"]["status"] == "left"
        await viewer.open()
        await viewer.send("live.view", viewer_token=joined["viewer_token"])
        assert await viewer.ended_because() == (CloseCode.NO_SESSION, "away_too_long")
        await stage.close()
