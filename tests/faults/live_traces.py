"""Editing sessions keystroke by keystroke through real sockets: every viewer has the host's text, and nothing is kept of it.

A trace is JSON (packed with gzip or not): ``startContent``, ``txns`` with ``patches`` of ``[position, deleted, inserted]``
in code points, ``endContent``. Without ``--trace`` sessions are made up, with letters of every kind.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import redis.asyncio

from tests.faults.live_people import FollowingViewer, LiveDoor, ReplayHost
from tests.faults.report import Claim, Figure, Report, at_least, none_of
from tests.faults.stage import Stage
from tests.faults.traces import Trace, made_up, needles_of, read_trace
from tests.servers.valkey import ValkeyServer

WINDOW = 64
"""Changes that the host is ahead of what the server has acknowledged."""

DIGEST_EVERY_MAX = 50
SAMPLES_LEAST = 20
"""Versions of a session that are compared at least, where it has as many."""

FILE = "src/lib.rs"
END_WAIT_S = 60.0


async def run(seed: int, *, short: bool = False, traces: Iterable[str] = (), viewers: int = 0) -> Report:
    """Two servers with a Redis between them; viewers drop, lag and join late; then the text is looked for everywhere."""
    chance = random.Random(seed)
    wanted = viewers or (6 if short else 50)
    played = [read_trace(Path(path)) for path in traces] or [
        made_up(chance, 300 if short else 3_000, number) for number in range(1 if short else 2)
    ]
    claims: list[Claim] = []
    figures: list[Figure] = []
    with ValkeyServer() as valkey, Stage() as stage:
        person = await stage.person()
        servers = [stage.server(f"server-{number}", REDIS_URL=valkey.url) for number in (1, 2)]
        for server in servers:
            await asyncio.to_thread(server.wait_ready)
        urls = [server.base_url for server in servers]
        bodies = []
        for trace in played:
            door = LiveDoor(urls, person.token, person.project_id)
            try:
                more_claims, more_figures = await _play(door, trace, wanted, chance)
                bodies.append(await door.read(f"/live-sessions/{door.session_id}/exposure"))
                bodies.append(await door.read("/history?limit=200"))
            finally:
                await door.close()
            claims += more_claims
            figures += more_figures
        async with redis.asyncio.Redis.from_url(valkey.url) as client:
            await client.save()
            kept = [await client.config_get("dir"), await client.keys("*")]
            folder = Path(kept[0]["dir"])
        needles = [needle for trace in played for needle in needles_of(trace, chance)]
        found = search([stage.folder, folder], bodies, needles)
        exposed = sum(body.count(b"\n") for body in bodies[::2])
    claims += [
        none_of(f"places that hold the text ({len(needles)} pieces looked for)", len(found)),
        at_least("lines in the ledgers of exposure", exposed, wanted * len(played)),
    ]
    notes = ["searched: every file of the database with its log, of the servers, of Redis; the ledger; the history"]
    return Report(claims, figures, notes + found[:5])


async def _play(door: LiveDoor, trace: Trace, wanted: int, chance: random.Random) -> tuple[list[Claim], list[Figure]]:
    await door.start()
    host = ReplayHost(door, FILE, trace.start, WINDOW)
    await host.attach()
    viewers = [FollowingViewer(door, host, await door.guest(number), number) for number in range(wanted)]
    early = viewers[: (wanted + 1) // 2]
    joins_at = range(len(trace.transactions))
    late = {chance.choice(joins_at): viewer for viewer in viewers[len(early) :] if joins_at}
    waiting = [viewer for viewer in viewers[len(early) :] if viewer not in late.values()]
    tasks = [asyncio.create_task(viewer.run()) for viewer in early + waiting]
    following, began = early + waiting, time.monotonic()
    digest_every = min(DIGEST_EVERY_MAX, max(1, len(trace.transactions) // SAMPLES_LEAST))
    every = max(1, len(trace.transactions) // (3 * wanted))
    for number, patches in enumerate(trace.transactions):
        if number in late:
            tasks.append(asyncio.create_task(late[number].run()))
            following.append(late[number])
        if number % every == every - 1:
            viewer = chance.choice(following)
            if chance.random() < 0.5:
                viewer.drop()
            else:
                viewer.sleep(chance.uniform(0.2, 2.0))
        if number and number % (len(trace.transactions) // 3 + 1) == 0:
            host.drop()
        await host.type(patches, digest_every)
    await host.finish()
    elapsed_s = time.monotonic() - began
    arrived = await asyncio.gather(*(viewer.until(host.document.version, END_WAIT_S) for viewer in viewers))
    equal = sum(viewer.document is not None and viewer.document.text == trace.end for viewer in viewers)
    for viewer in viewers:
        await viewer.stop()
    await host.close()
    await asyncio.gather(*tasks)
    counts = sum((viewer.counts for viewer in viewers), Counter[str]())
    name, changes = trace.name, len(trace.transactions)
    claims = [
        none_of(f"{name}: host's texts that are not the session's end", int(host.document.text != trace.end)),
        none_of(f"{name}: viewers of {wanted} that did not arrive", arrived.count(False)),
        none_of(f"{name}: viewers whose text is not the session's end", wanted - equal),
        none_of(f"{name}: sampled versions that differ from the host's", sum(v.differed for v in viewers)),
        at_least(f"{name}: versions compared", sum(viewer.compared for viewer in viewers), wanted),
    ]
    figures = [
        Figure(f"{name}: changes", changes, ""),
        Figure(f"{name}: changes a second, every viewer following", changes / elapsed_s, "/s"),
        Figure(f"{name}: host attached", host.attached, "times"),
        *(Figure(f"{name}: viewers, {what}", count, "times") for what, count in sorted(counts.items())),
    ]
    return claims, figures


def search(folders: Iterable[Path], bodies: Iterable[bytes], needles: Iterable[bytes]) -> list[str]:
    """Where one of the needles is: in a file below these folders, or in one of these answers."""
    pieces = [re.escape(needle) for needle in needles]
    if not pieces:
        return []
    wanted = re.compile(b"|".join(pieces))
    found = [f"answer {number}" for number, body in enumerate(bodies) if wanted.search(body)]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and wanted.search(path.read_bytes()):
                found.append(str(path.relative_to(folder)))
    return found
