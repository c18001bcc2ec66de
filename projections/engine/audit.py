"""The completeness audit: proof that a read model was given every event of the log once, or the first one that it was not.

A projection counts the events that it is given and adds up their hashes modulo 2^256. The same is done here over the
log. Where the two sums differ by one event, the difference is its hash: negative where it was skipped, positive where it
was given twice. Marks along the way say between which positions that was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from projections.engine.entries import LogQueries
from projections.engine.lease import DIGEST_MODULUS, Progress

PAGE_HASHES = 50_000

_STANDING = "SELECT name, position, events, digest FROM ops.projections WHERE build = 'live' AND name = ANY(%s)"
_MARKS = """
    SELECT name, position, events, digest FROM ops.projection_marks
    WHERE build = 'live' AND name = ANY(%s) ORDER BY name, position
"""
_HASHES = (
    "SELECT notification_id, hash FROM eventlog.events WHERE notification_id > %s AND notification_id <= %s "
    "ORDER BY notification_id LIMIT %s"
)
_BY_HASH = "SELECT notification_id FROM eventlog.events WHERE hash = %s"


class Flaw(msgspec.Struct, frozen=True):
    """An event that was skipped or doubled; ``position`` is none where there are too many to tell.

    It was between the positions ``after`` and ``up_to``.
    """

    kind: Literal["skipped", "doubled", "unclear"]
    position: int | None
    after: int
    up_to: int


class Audited(msgspec.Struct, frozen=True):
    """What the audit found of one projection, up to its ``position``; complete where there is no flaw."""

    projection: str
    position: int
    events: int
    events_in_log: int
    flaws: list[Flaw]


async def audit(database: LogQueries, projections: Sequence[str]) -> list[Audited]:
    """Compare what these live projections were given with the log; raises ``StoreUnavailable``."""
    names = list(projections)
    # The marks first: what is noted after them is beyond them.
    noted: dict[str, list[Progress]] = {name: [] for name in names}
    for rows in (await database.fetch_all(_MARKS, (names,)), await database.fetch_all(_STANDING, (names,))):
        for name, position, events, digest in rows:
            noted[name].append(Progress(position, events, int.from_bytes(digest, "big")))
    wanted = {progress.position for progresses in noted.values() for progress in progresses}
    log = await _sums(database, sorted(wanted))
    return [await _audit_one(database, name, progresses, log) for name, progresses in noted.items() if progresses]


async def _sums(database: LogQueries, positions: Sequence[int]) -> dict[int, Progress]:
    """Count and sum of the log's events up to each of these positions."""
    sums, events, digest, after = dict[int, Progress](), 0, 0, 0
    for position in positions:
        async for at, link in _hashes(database, after, position):
            events, digest, after = events + 1, digest + link, at
        sums[position] = Progress(position, events, digest % DIGEST_MODULUS)
    return sums


async def _hashes(database: LogQueries, after: int, up_to: int) -> Any:
    while rows := await database.fetch_all(_HASHES, (after, up_to, PAGE_HASHES)):
        for position, link in rows:
            yield position, int.from_bytes(link, "big")
        after = rows[-1][0]


async def _audit_one(database: LogQueries, name: str, noted: Sequence[Progress], log: dict[int, Progress]) -> Audited:
    flaws, before = list[Flaw](), Progress(0, 0, 0)
    events_off = digest_off = 0
    for progress in noted:
        there = log[progress.position]
        events, digest = progress.events - there.events, (progress.digest - there.digest) % DIGEST_MODULUS
        if (events, digest) != (events_off, digest_off):
            missing = (events - events_off, (digest - digest_off) % DIGEST_MODULUS)
            flaws += await _explain(database, before.position, progress.position, *missing)
        events_off, digest_off, before = events, digest, progress
    last = noted[-1]
    return Audited(name, last.position, last.events, log[last.position].events, flaws)


async def _explain(database: LogQueries, after: int, up_to: int, events: int, digest: int) -> Iterable[Flaw]:
    """What happened between two positions, where the count is off by ``events`` and the sum by ``digest``."""
    if events in (-1, 1):
        link = digest if events == 1 else -digest % DIGEST_MODULUS
        row = await database.fetch_all(_BY_HASH, (link.to_bytes(32, "big"),))
        if row:
            return [Flaw("doubled" if events == 1 else "skipped", row[0][0], after, up_to)]
    between = {link: position async for position, link in _hashes(database, after, up_to)}
    if events == 0:
        for link, position in between.items():
            other = between.get((digest + link) % DIGEST_MODULUS)
            if other is not None:
                return [Flaw("skipped", position, after, up_to), Flaw("doubled", other, after, up_to)]
    if events in (-2, 2):
        wanted = digest if events == 2 else -digest % DIGEST_MODULUS
        for link, position in between.items():
            other = between.get((wanted - link) % DIGEST_MODULUS)
            if other is not None and (other > position or events == 2):
                kind: Literal["skipped", "doubled"] = "doubled" if events == 2 else "skipped"
                return [Flaw(kind, at, after, up_to) for at in sorted((position, other))]
    return [Flaw("unclear", None, after, up_to)]
