"""Several processes append at once, and readers follow: no gap, no event passed over, one chain."""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import threading
import time
from contextlib import ExitStack

import psycopg

from adapters.ids import uuid7
from adapters.postgres.appender import GroupCommit
from adapters.postgres.connections import Database
from adapters.postgres.reader import PostgresStreamReader
from adapters.postgres.recorder import HiveSyncDatastore, HiveSyncRecorder
from hivesync_core.eventstore.errors import VersionConflict
from hivesync_core.eventstore.log import Log
from hivesync_core.eventstore.records import Append
from hivesync_core.kernel.refusal import Refusal
from tests.eventstore import stored
from tests.eventstore.tally import CATALOGUE, LIMIT, MAPPER, Add, added, context, one, tally

PROCESSES, SENDERS, COMMANDS = 3, 8, 40
WRITERS = 6
_SPAWN = multiprocessing.get_context("spawn")


def test_several_processes_make_one_log_without_a_gap(postgres_url: str) -> None:
    with ExitStack() as ends:
        results = []
        for _ in range(PROCESSES):
            receiver, sender = _SPAWN.Pipe(duplex=False)
            process = _SPAWN.Process(target=_write, args=(postgres_url, sender))
            process.start()
            ends.callback(process.join)
            results.append(receiver)
        positions = [position for receiver in results for position in receiver.recv()]
    log = stored.whole_log(postgres_url)
    assert sorted(positions) == [record.id for record in log]
    assert len(positions) == PROCESSES * SENDERS * COMMANDS


def _write(url: str, result: multiprocessing.connection.Connection) -> None:
    """One process: senders that append to streams of their own."""

    async def write() -> list[int]:
        commit = GroupCommit(Database(url))
        await commit.start()
        positions = []

        async def sender() -> None:
            stream = uuid7()
            for version in range(1, COMMANDS + 1):
                positions.append((await commit.append(one(stream, version))).first_position)

        await asyncio.gather(*(sender() for _ in range(SENDERS)))
        await commit.stop()
        return positions

    result.send(asyncio.run(write()))


async def test_two_processes_that_add_to_one_tally_never_pass_its_limit(database: Database, postgres_url: str) -> None:
    commits = [GroupCommit(database), GroupCommit(database)]
    for commit in commits:
        await commit.start()
    logs = [Log(commit, PostgresStreamReader(database, CATALOGUE), MAPPER, uuid7) for commit in commits]
    streams = [uuid7() for _ in range(4)]

    async def add(number: int) -> bool:
        try:
            await logs[number % 2].execute(tally, streams[number % 4], Add(), context())
        except (Refusal, VersionConflict):
            return False
        return True

    taken = await asyncio.gather(*(add(number) for number in range(4 * (LIMIT + 5))))
    for commit in commits:
        await commit.stop()
    assert len(stored.whole_log(postgres_url)) == sum(taken) <= 4 * LIMIT
    for stream in streams:
        assert all([(await log.state(tally, stream, fresh=True)).state.total <= LIMIT for log in logs])


def test_a_reader_that_follows_six_writers_passes_no_event_over(postgres_url: str) -> None:
    writing = threading.Event()
    writing.set()
    followed: list[int] = []
    with HiveSyncDatastore(postgres_url, pool_size=WRITERS + 1) as datastore:
        recorder = HiveSyncRecorder(datastore)
        threads = [threading.Thread(target=_write_on, args=(recorder, writing, number)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 3  # And longer where that is not enough.
        with psycopg.connect(postgres_url, autocommit=True) as reader:
            last = 0
            while threads:
                threads = [thread for thread in threads if thread.is_alive()]
                if time.monotonic() > until and len(followed) > 300:
                    writing.clear()
                rows = reader.execute(
                    "SELECT notification_id FROM eventlog.events WHERE notification_id > %s ORDER BY 1", (last,)
                ).fetchall()
                followed += [position for (position,) in rows]
                last = followed[-1] if followed else 0
    assert followed == [record.id for record in stored.whole_log(postgres_url)]
    assert len(followed) > 300


def _write_on(recorder: HiveSyncRecorder, writing: threading.Event, number: int) -> None:
    while writing.is_set():
        stream = uuid7()
        recorder.insert_events([added(stream, version) for version in range(1, 2 + number)])


async def test_the_librarys_recorder_and_the_group_commit_append_to_one_log(
    commit: GroupCommit, postgres_url: str
) -> None:
    with HiveSyncDatastore(postgres_url) as datastore:
        recorder = HiveSyncRecorder(datastore)
        beside = [asyncio.to_thread(recorder.insert_events, [added(), added()]) for _ in range(30)]
        appended = [commit.append(Append((added(),))) for _ in range(200)]
        await asyncio.gather(*beside, *appended)
    assert len(stored.whole_log(postgres_url)) == 260
