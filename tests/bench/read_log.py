"""Reading and decoding the whole log of 200,000 events: ours beside the stock library's recorder and mapper."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from eventsourcing.postgres import PostgresDatastore

from adapters.postgres.reader import recorded_from
from adapters.postgres.recorder import HiveSyncDatastore, HiveSyncRecorder
from hivesync_core.eventstore.events import the_catalogue
from tests.bench import library
from tests.bench.report import Figure, Report, Target
from tests.bench.seed import seed
from tests.bench.server import own_server
from tests.bench.story import Story

EVENTS = 200_000
ROUNDS = 5
WANTED = 4.0
PAGES = (100, 1_000, 10_000)
"""What the library is asked for at once; the best counts."""


def run() -> Report:
    """Both in turn on one server, the best of some rounds each: other work on the machine only makes figures worse."""
    with own_server() as url:
        seed(url, EVENTS)
        with HiveSyncDatastore(url) as ours, library.datastore(url) as theirs:
            read_ours = _ours(HiveSyncRecorder(ours))
            read_theirs = {page: _theirs(url, theirs, page) for page in PAGES}
            _fill(url)
            rounds = [(_rate(read_ours), [_rate(read) for read in read_theirs.values()]) for _ in range(ROUNDS)]
    own = max(rate for rate, _ in rounds)
    stock = max(max(rates) for _, rates in rounds)
    return Report(
        figures=[
            Figure("HiveSync: events read and decoded, with envelope", own, "events/s"),
            Figure("library: select_notifications and its mapper", stock, "events/s"),
        ],
        targets=[Target("HiveSync / library", own / stock, WANTED)],
        notes=[
            f"{EVENTS:,} events; the library with the best of pages of 100, 1,000 and 10,000; best of {ROUNDS} rounds"
        ],
    )


def _fill(url: str) -> None:
    mapper = library.mapper()
    library.seed(url, map(mapper.to_stored_event, library.events(Story().happenings(EVENTS))))


def _ours(recorder: HiveSyncRecorder) -> Callable[[], int]:
    catalogue = the_catalogue()
    return lambda: sum(len([recorded_from(row, catalogue) for row in page]) for page in recorder.pages(0))


def _theirs(url: str, store: PostgresDatastore, page: int) -> Callable[[], int]:
    recorder, mapper = library.recorder(store), library.mapper()

    def read() -> int:
        after, events = 0, 0
        while notifications := recorder.select_notifications(after, page, inclusive_of_start=False):
            events += len([mapper.to_domain_event(notification) for notification in notifications])
            after = notifications[-1].id
        return events

    return read


def _rate(read: Callable[[], int]) -> float:
    gc.collect()
    began = time.perf_counter()
    assert read() == EVENTS
    return EVENTS / (time.perf_counter() - began)
