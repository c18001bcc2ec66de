"""Looks at what stands in the database after a fault, and holds it against what clients were told."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import NamedTuple
from uuid import UUID

import psycopg

from adapters.postgres.connections import Database
from adapters.postgres.reader import COLUMNS
from adapters.postgres.recorder import stored_record
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.records import GENESIS_HASH, StoredRecord, chain_hash
from projections.engine.entries import LogReader
from projections.engine.lease import DIGEST_MODULUS
from projections.engine.readmodel import ReadModel
from projections.engine.rebuild import Rebuild
from projections.registry import READ_MODELS
from tests.faults.orders import TOPICS, Journal
from tests.faults.report import Claim, none_of

CAUGHT_UP_WAIT_S = 60.0
_MARKED = """
    SELECT notification_id, CASE topic
        WHEN 'task.created.v1' THEN state::json->>'title' WHEN 'task.commented.v1' THEN state::json->>'text'
        WHEN 'task.edited.v1' THEN state::json->>'description' WHEN 'task.help_requested.v1' THEN state::json->>'reason'
    END FROM eventlog.events WHERE topic = ANY(%s) ORDER BY notification_id
"""
_PROGRESS = "SELECT name, position, events, digest FROM ops.projections WHERE build = 'live'"


class LogFindings(NamedTuple):
    """What the log itself shows: each is a count of faults, ``events`` and ``head`` aside."""

    events: int
    head: bytes
    chain_errors: int
    gaps: int


class JournalFindings(NamedTuple):
    """Where the log differs from what clients were told: counts of orders."""

    acknowledged: int
    unknown: int
    lost: int
    doubled: int
    refused_but_stored: int
    order_broken: int


class ProjectionFindings(NamedTuple):
    """Where read models differ from a replay of the log from its first event."""

    differing_rows: int
    incomplete: int
    parked: int


def read_log(url: str, upto: int | None = None) -> list[StoredRecord]:
    """The stored events up to a position, as the superuser finds them."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM eventlog.events WHERE notification_id <= %s ORDER BY notification_id".encode(),
            (upto if upto is not None else 2**62,),
        ).fetchall()
    return [stored_record(row) for row in rows]


def audit_log(records: list[StoredRecord]) -> LogFindings:
    """Recompute the chain, and count what is missing or out of order in the log and in each stream."""
    previous, chain_errors, gaps = GENESIS_HASH, 0, 0
    versions: dict[object, int] = {}
    for position, record in enumerate(records, 1):
        gaps += record.id != position
        gaps += record.originator_version != versions.get(record.originator_id, 0) + 1
        versions[record.originator_id] = record.originator_version
        chain_errors += record.hash != chain_hash(previous, record.id, record, record.meta)
        previous = record.hash
    return LogFindings(len(records), previous, chain_errors, gaps)


def audit_journal(url: str, records: list[StoredRecord], journal: Journal) -> JournalFindings:
    """Hold the log against the journal.

    Lost: acknowledged and not where the answer said, or not what was asked. Doubled: its mark stands more than once.
    Broken order: sent after another was acknowledged, and stored before it.
    """
    standing = {record.id: record for record in records}
    with psycopg.connect(url) as connection:
        marks = Counter(mark for _, mark in connection.execute(_MARKED, (list(TOPICS.values()),)).fetchall())
    acknowledged = journal.acknowledged()
    lost = sum(not _stands(entry.order.kind, entry.last.answer, standing) for entry in acknowledged)
    lost += sum(
        entry.order.kind != "withdraw_help" and not marks[entry.order.mark]
        for entry in acknowledged
        if _stands(entry.order.kind, entry.last.answer, standing)
    )
    return JournalFindings(
        acknowledged=len(acknowledged),
        unknown=len(journal.unknown()),
        lost=lost,
        doubled=sum(marks[entry.order.mark] > 1 for entry in journal.entries),
        refused_but_stored=sum(marks[entry.order.mark] > 0 for entry in journal.refused()),
        order_broken=_out_of_order(journal),
    )


def _stands(kind: str, answer: object, standing: dict[int, StoredRecord]) -> bool:
    record = standing.get(answer.position)  # type: ignore[attr-defined]
    return (
        record is not None
        and record.originator_id == answer.task_id  # type: ignore[attr-defined]
        and record.originator_version == answer.version  # type: ignore[attr-defined]
        and record.topic == TOPICS[kind]  # type: ignore[index]
    )


def _out_of_order(journal: Journal) -> int:
    """Orders that stand before one that had been acknowledged when they were sent for the first time."""
    acknowledged = journal.acknowledged()
    moments = [(entry.last.done, 1, entry.last.answer.position) for entry in acknowledged]
    moments += [(entry.first_sent, 0, entry.last.answer.position) for entry in acknowledged]
    broken = highest = 0
    for _, is_done, position in sorted(moments):
        if is_done:
            highest = max(highest, position)
        elif position <= highest:
            broken += 1
    return broken


async def wait_until_projected(url: str, timeout_s: float = CAUGHT_UP_WAIT_S) -> bool:
    """Wait until every read model has reached the head of the log; false when the time runs out first."""
    async with (
        asyncio.timeout(timeout_s + 10),
        await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
    ):
        for _ in range(int(timeout_s / 0.1)):
            head = await (
                await connection.execute("SELECT coalesce(max(notification_id), 0) FROM eventlog.events")
            ).fetchone()
            rows = await (await connection.execute(_PROGRESS)).fetchall()
            if head is not None and len(rows) == len(READ_MODELS) and all(row[1] >= head[0] for row in rows):
                return True
            await asyncio.sleep(0.1)
    return False


async def audit_projections(
    url: str, records: list[StoredRecord], models: tuple[ReadModel, ...] = READ_MODELS
) -> ProjectionFindings:
    """Replay every read model from zero beside the live one, and count rows that one has and the other has not."""
    differing = 0
    database = Database(url, size=2)
    await database.open()
    try:
        async with database.direct("faults-replay") as connection:
            for model in models:
                rebuild = Rebuild(connection, LogReader(database, the_catalogue()), model, "faults")
                await rebuild.begin(anew=True)
                await rebuild.run(len(records))
                for table in model.tables:
                    for name in table.names:
                        differing += await _differing_rows(connection, name)
                await rebuild.discard()
    finally:
        await database.close()
    return ProjectionFindings(differing, *_audit_completeness(url, records, models))


async def _differing_rows(connection: psycopg.AsyncConnection[object], name: str) -> int:
    live, replayed = f"SELECT * FROM readmodel.{name}", f"SELECT * FROM rebuild.{name}"
    query = (
        f"SELECT (SELECT count(*) FROM ({live} EXCEPT ALL {replayed}) more) "
        f"+ (SELECT count(*) FROM ({replayed} EXCEPT ALL {live}) less)"
    )
    row = await (await connection.execute(query.encode())).fetchone()
    assert isinstance(row, tuple)
    return int(row[0])


def _audit_completeness(url: str, records: list[StoredRecord], models: tuple[ReadModel, ...]) -> tuple[int, int]:
    """How many read models did not process each event exactly once, by their own count and digest; parked streams."""
    digest = sum(int.from_bytes(record.hash, "big") for record in records) % DIGEST_MODULUS
    with psycopg.connect(url) as connection:
        progress = {row[0]: row[1:] for row in connection.execute(_PROGRESS).fetchall()}
        parked = connection.execute("SELECT count(*) FROM ops.parked_streams WHERE build = 'live'").fetchone()
    wanted = (len(records), len(records), digest.to_bytes(32, "big"))
    incomplete = sum(progress.get(model.name) != wanted for model in models)
    return incomplete, 0 if parked is None else int(parked[0])


async def audit(url: str, journal: Journal) -> list[Claim]:
    """Everything at once, after the load has stopped and the projector runs: the claims that every fault must keep."""
    caught_up = await wait_until_projected(url)
    records = read_log(url)
    log = audit_log(records)
    told = audit_journal(url, records, journal)
    projected = await audit_projections(url, records)
    return [
        Claim("orders acknowledged", told.acknowledged, 1, float("inf")),
        none_of("acknowledged orders lost", told.lost),
        none_of("orders doubled", told.doubled),
        none_of("refused orders that are stored all the same", told.refused_but_stored),
        none_of("orders stored before one acknowledged earlier", told.order_broken),
        none_of("clients who asked for their own write and were shown less", journal.own_writes_missed),
        none_of("gaps in the log or in a stream", log.gaps),
        none_of("links of the chain that do not follow", log.chain_errors),
        none_of("read models that do not catch up", int(not caught_up)),
        none_of("rows that differ from a replay from zero", projected.differing_rows),
        none_of("read models that skipped or doubled an event", projected.incomplete),
        none_of("streams parked", projected.parked),
    ]


def stream_of(record: StoredRecord) -> UUID:
    """The stream of a stored event."""
    assert isinstance(record.originator_id, UUID)
    return record.originator_id
