"""kill -9 around a live session on two servers: its host and viewers go on, whatever was killed and whenever."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from tests.faults.live_people import FollowingViewer, LiveDoor, ReplayHost
from tests.faults.report import Claim, Figure, Report, at_least, none_of, within
from tests.faults.servers import ServerProcess
from tests.faults.stage import Stage
from tests.faults.traces import WORDS
from tests.servers.valkey import ValkeyServer

RESUME_WITHIN_S = 10.0
FOLLOW_WAIT_S = 30.0
PACE_S = 0.005
TEXT_CHARS = 60_000
"""Long enough for a snapshot of many parts, to be killed in the middle of."""

REDIS_AWAY_S = 1.0


class Scene:
    """The session, and what may be killed around it."""

    def __init__(
        self, servers: list[ServerProcess], valkey: ValkeyServer, host: ReplayHost, viewers: list[FollowingViewer]
    ) -> None:
        self.servers, self.valkey, self.host, self.viewers = servers, valkey, host, viewers

    async def follows(self) -> bool:
        """Whether everybody reaches a version that is typed from now on, the host's acknowledgement among it."""
        wanted = self.host.document.version + 1
        arrived = await asyncio.gather(*(viewer.until(wanted, FOLLOW_WAIT_S) for viewer in self.viewers))
        return all(arrived) and self.host.acknowledged >= wanted

    async def spread(self) -> bool:
        """Have the host at the first server and the viewers at both; whether everybody follows then."""
        self.host.move_to(0)
        for number, viewer in enumerate(self.viewers):
            viewer.move_to(number)
        return await self.follows() and {viewer.url % 2 for viewer in self.viewers} == {0, 1}

    async def start_again(self, server: ServerProcess) -> None:
        """Start a server that was killed, and wait until it serves."""
        server.start()
        await asyncio.to_thread(server.wait_ready)

    # --- what is killed: each returns when the rest is there to go on with, what was killed or another --------------

    async def first_server(self) -> None:
        """One of the two; the other one is there."""
        self.servers[0].kill()

    async def second_server(self) -> None:
        """The other of the two."""
        self.servers[1].kill()

    async def both_servers(self) -> None:
        """Both at once: nobody has anything of the session but host and viewers."""
        for server in self.servers:
            server.kill()
        await asyncio.gather(*map(self.start_again, self.servers))

    async def redis(self) -> None:
        """Redis, which comes back empty after a while in which much is typed."""
        self.valkey.kill()
        await asyncio.sleep(REDIS_AWAY_S)
        self.valkey.restart()

    async def during_snapshots(self) -> None:
        """A server while all viewers are sent everything."""
        for viewer in self.viewers:
            viewer.forget()
            viewer.drop()
        await asyncio.sleep(0.15)
        self.servers[0].kill()

    async def with_the_host_away(self) -> None:
        """Every server after the host has dropped and before it is back: what it held goes with them."""
        self.host.drop()
        for server in self.servers:
            server.kill()
        await asyncio.gather(*map(self.start_again, self.servers))


Blow = Callable[[Scene], Awaitable[None]]
BLOWS: dict[str, Blow] = {
    "a server": Scene.first_server,
    "the other server": Scene.second_server,
    "Redis": Scene.redis,
    "both servers": Scene.both_servers,
    "a server that sends snapshots": Scene.during_snapshots,
    "both servers with the host away": Scene.with_the_host_away,
}
SHORT = ("a server", "Redis", "both servers with the host away")
ROUNDS = 2


async def run(seed: int, *, short: bool = False) -> Report:
    """Somebody types all the time; whatever is killed, everybody has to follow again."""
    chance = random.Random(seed)
    wanted = 6 if short else 20
    blows = list(SHORT) if short else list(BLOWS) * ROUNDS
    took: dict[str, float] = {}
    with ValkeyServer() as valkey, Stage() as stage:
        person = await stage.person()
        servers = [stage.server(f"server-{number}", REDIS_URL=valkey.url) for number in (1, 2)]
        for server in servers:
            await asyncio.to_thread(server.wait_ready)
        door = LiveDoor([server.base_url for server in servers], person.token, person.project_id)
        await door.start()
        host = ReplayHost(door, "src/a.rs", "// begin\n" * (TEXT_CHARS // 9), 64)
        await host.attach()
        viewers = [FollowingViewer(door, host, await door.guest(number), number) for number in range(wanted)]
        tasks = [asyncio.create_task(viewer.run()) for viewer in viewers]
        typing = asyncio.create_task(_type(host, chance))
        scene, lost, apart = Scene(servers, valkey, host, viewers), [], 0
        for name in blows:
            apart += await scene.spread()
            await BLOWS[name](scene)
            began = time.monotonic()
            if not await scene.follows():
                lost.append(name)
            took[name] = max(took.get(name, 0.0), time.monotonic() - began)
            for server in servers:
                if not server.runs:
                    await scene.start_again(server)
        typing.cancel()
        await host.finish()
        await asyncio.gather(*(viewer.until(host.document.version, FOLLOW_WAIT_S) for viewer in viewers))
        differ = sum(v.document is None or v.document.text != host.document.text for v in viewers)
        for viewer in viewers:
            await viewer.stop()
        await host.close()
        await asyncio.gather(*tasks)
        await door.close()
        errors = sum(server.log().count("_failed") for server in servers)
    claims: list[Claim] = [
        at_least("kills with viewers at both servers", apart, len(blows)),
        none_of("kills after which somebody did not follow again", len(lost)),
        *(
            within(
                f"{name}: until host and every viewer followed again, longest", seconds, RESUME_WITHIN_S, short=short
            )
            for name, seconds in took.items()
        ),
        none_of(f"viewers of {wanted} whose text is not the host's", differ),
        none_of("sampled versions that differ from the host's", sum(viewer.differed for viewer in viewers)),
        none_of("errors in the servers' logs", errors),
    ]
    figures = [Figure("changes typed", host.document.version, ""), Figure("kills", len(blows), "")]
    return Report(claims, figures, [f"not all followed after: {name}" for name in lost])


async def _type(host: ReplayHost, chance: random.Random) -> None:
    """Type without end, in a text that does not grow without end."""
    while True:
        length = len(host.document.text)
        at = chance.randint(0, length)
        deleted = min(chance.randint(0, 30), length - at) if length > TEXT_CHARS else 0
        await host.type([(at, deleted, chance.choice(WORDS))], 20)
        await asyncio.sleep(PACE_S)
