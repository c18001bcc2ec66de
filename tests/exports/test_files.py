"""Export files from a real log: the same range gives the same bytes, and a selection is a part of the whole."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hivesync_core.eventstore.records import GENESIS_HASH
from hivesync_core.exports.events import ExportFormat
from hivesync_core.exports.selection import Selection
from projections.engine.stored_text import StoredText
from projections.exports.manifest import read_manifest
from projections.exports.source import LogReader
from projections.exports.writer import Cancelled, Job, Progress, Writing, plan, write_export, write_stream
from tests.exports.logs import GARDEN, HOUSE, START, reader, write_nasty_log, write_small_log
from tests.exports.reading import READERS
from tests.servers.postgres import PostgresServers

EVERYTHING = Selection()


@pytest.fixture(scope="module")
def nasty_url(postgres_servers: PostgresServers) -> Iterator[str]:
    """A database whose log holds nasty texts; nobody adds to it."""
    with postgres_servers.get("18").database() as url:
        write_nasty_log(url)
        yield url


@pytest.fixture
def small_url(postgres_url: str) -> str:
    """A database with the small log."""
    write_small_log(postgres_url)
    return postgres_url


def bytes_of(url: str, job: Job, **limits: int) -> bytes:
    """The bytes of an export."""
    with closing(reader(url, **limits)) as source:
        stream = io.BytesIO()
        manifest = write_stream(source, job, stream, "export", Writing())
        data = stream.getvalue()
        assert (manifest.size_bytes, manifest.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        return data


def events_in(data: bytes, format_: ExportFormat) -> list[StoredText]:
    """The events that a file holds."""
    return list(READERS[format_](io.StringIO(data.decode(), newline="")))


def planned(url: str, selection: Selection, format_: ExportFormat = ExportFormat.CSV) -> Job:
    """The job for a selection as the log stands."""
    with closing(reader(url)) as source:
        return plan(source, format_, selection)


moments = st.integers(-20, 160).map(lambda number: START + timedelta(seconds=17 * number))
selections = st.builds(
    Selection,
    project_id=st.sampled_from([None, None, GARDEN, HOUSE]),
    actor=st.sampled_from([None, None, "system", str(UUID(int=(0xA << 112) + 1)), str(UUID(int=5))]),
    types=st.sampled_from([(), (), ("task",), ("task.created.v1", "account"), ("task.created",), ("tas",)]),
    stream_id=st.sampled_from([None, None, None, UUID(int=(0x7 << 112) + 3)]),
    since=st.none() | moments,
    until=st.none() | moments,
    after=st.integers(0, 140),
    through=st.none() | st.integers(0, 150),
)


def meets(one: StoredText, selection: Selection, project_of: dict[str, str | None]) -> bool:
    """Whether an event meets a selection, by the words of its definition."""
    position, at, topic, stream, _, actor, *_ = one
    time = datetime.fromisoformat(at)
    conditions = [
        position > selection.after,
        selection.through is None or position <= selection.through,
        selection.project_id is None or project_of[stream] == str(selection.project_id),
        selection.actor is None or actor == selection.actor,
        selection.stream_id is None or stream == str(selection.stream_id),
        not selection.types or any(topic == wanted or topic.startswith(f"{wanted}.") for wanted in selection.types),
        selection.since is None or time >= selection.since,
        selection.until is None or time < selection.until,
    ]
    return all(conditions)


@settings(max_examples=60, deadline=None)
@given(selection=selections, format_=st.sampled_from(list(READERS)), page_rows=st.integers(1, 50))
def test_a_selection_holds_exactly_the_events_that_meet_it(
    nasty_url: str, selection: Selection, format_: ExportFormat, page_rows: int
) -> None:
    whole = events_in(bytes_of(nasty_url, planned(nasty_url, EVERYTHING, format_)), format_)
    project_of: dict[str, str | None] = {}
    for one in whole:
        project_of.setdefault(one[3], msgspec.json.decode(one[11]).get("project_id"))
    data = bytes_of(nasty_url, planned(nasty_url, selection, format_), page_rows=page_rows)
    assert events_in(data, format_) == [one for one in whole if meets(one, selection, project_of)]


@settings(max_examples=40, deadline=None)
@given(
    selection=selections,
    format_=st.sampled_from(list(ExportFormat)),
    page_rows=st.integers(1, 40),
    window_rows=st.integers(1, 100),
)
def test_the_same_range_gives_the_same_bytes_however_it_is_read(
    nasty_url: str, selection: Selection, format_: ExportFormat, page_rows: int, window_rows: int
) -> None:
    job = planned(nasty_url, selection, format_)
    once = bytes_of(nasty_url, job)
    assert bytes_of(nasty_url, job, page_rows=page_rows, window_rows=window_rows) == once


@pytest.mark.parametrize("format_", [ExportFormat.CSV, ExportFormat.TXT, ExportFormat.JSONL])
def test_two_halves_are_the_whole(nasty_url: str, format_: ExportFormat) -> None:
    job = planned(nasty_url, EVERYTHING, format_)
    header = len(bytes_of(nasty_url, msgspec.structs.replace(job, through=0)))
    for middle in (1, 60, job.through):
        first = msgspec.structs.replace(job, through=middle)
        second = msgspec.structs.replace(job, selection=Selection(after=middle))
        both = bytes_of(nasty_url, first) + bytes_of(nasty_url, second)[header:]
        assert both == bytes_of(nasty_url, job)


def test_what_was_appended_since_does_not_change_an_earlier_range(small_url: str) -> None:
    job = planned(small_url, EVERYTHING, ExportFormat.JSONL)
    before = bytes_of(small_url, job)
    with psycopg.connect(small_url) as connection:
        connection.execute(
            "INSERT INTO eventlog.events SELECT notification_id + 1, gen_random_uuid(), 1, 'account.erased.v1', '{}', "
            "gen_random_uuid(), recorded_at, actor, correlation_id, NULL, command_id, hash FROM eventlog.events "
            "ORDER BY notification_id DESC LIMIT 1"
        )
    assert bytes_of(small_url, job) == before


def test_an_erased_account_is_marked_from_its_erasure_on(small_url: str) -> None:
    job = planned(small_url, EVERYTHING)
    erased = bytes_of(small_url, job).decode()
    shown = {line[5] for line in csv.reader(io.StringIO(erased, newline=""))}
    assert shown == {
        "actor",
        "system",
        "0195515c-0000-7000-8000-000000000001",
        "erased-0195515c-0000-7000-8000-000000000002",
    }
    assert '""completed_by"":""erased-0195515c-0000-7000-8000-000000000002""' in erased
    earlier = msgspec.structs.replace(job, erasures_through=job.through - 1)
    assert b"erased-" not in bytes_of(small_url, earlier)


def test_the_manifest_says_what_the_file_holds_and_its_place_in_the_chain(small_url: str, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    job = planned(small_url, Selection(project_id=GARDEN, after=2))
    with closing(reader(small_url)) as source:
        manifest = write_export(source, job, path)
    kept = read_manifest((tmp_path / "export.csv.manifest.json").read_bytes())
    assert kept == manifest
    assert (kept.first_position, kept.last_position, kept.rows) == (3, 12, 8)
    assert kept.size_bytes == path.stat().st_size
    digest = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
    assert kept.sha256 == digest
    with psycopg.connect(small_url) as connection:
        query = "SELECT notification_id, encode(hash, 'hex') FROM eventlog.events"
        links: dict[int, str] = dict(connection.execute(query).fetchall())
    assert (kept.range.link_before, kept.range.link) == (links[2], links[13])
    assert (kept.defused.cells, kept.erasures.through, kept.erasures.accounts) == (2, 13, 1)


def test_an_empty_log_gives_an_empty_file_with_its_columns(postgres_url: str, tmp_path: Path) -> None:
    job = planned(postgres_url, EVERYTHING)
    with closing(reader(postgres_url)) as source:
        manifest = write_export(source, job, tmp_path / "export.csv")
    assert (tmp_path / "export.csv").read_bytes().count(b"\r\n") == 1
    assert (manifest.rows, manifest.first_position, manifest.range.link) == (0, None, GENESIS_HASH.hex())


def test_a_broken_connection_costs_neither_a_row_nor_doubles_one(nasty_url: str, tmp_path: Path) -> None:
    job = planned(nasty_url, EVERYTHING)
    undisturbed = bytes_of(nasty_url, job)
    connections: list[psycopg.Connection[tuple[object, ...]]] = []

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        connections.append(psycopg.connect(nasty_url, autocommit=True))
        return connections[-1]

    def end_the_connection() -> bool:
        with psycopg.connect(nasty_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (connections[-1].info.backend_pid,))
        return False

    disturbing = Writing(is_cancelled=end_the_connection)
    with closing(LogReader(connect, page_rows=50, window_rows=100)) as source:
        write_export(source, job, tmp_path / "disturbed.csv", disturbing)
    assert len(connections) > 2
    assert (tmp_path / "disturbed.csv").read_bytes() == undisturbed


def test_a_cancelled_export_leaves_nothing(nasty_url: str, tmp_path: Path) -> None:
    job = planned(nasty_url, EVERYTHING)
    with closing(reader(nasty_url, page_rows=10)) as source, pytest.raises(Cancelled):
        write_export(source, job, tmp_path / "x.csv", Writing(is_cancelled=lambda: True))
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_at_the_whole(nasty_url: str, tmp_path: Path) -> None:
    told: list[Progress] = []
    job = planned(nasty_url, EVERYTHING)
    with closing(reader(nasty_url)) as source:
        manifest = write_export(source, job, tmp_path / "x.csv", Writing(on_progress=told.append))
    assert (told[-1].fraction, told[-1].rows, told[-1].position) == (1.0, manifest.rows, job.through)
    assert told[-1].size_bytes == manifest.size_bytes


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from hivesync_core.exports.events import ExportFormat
from hivesync_core.exports.selection import Selection
from projections.exports.writer import plan, write_export
from tests.exports.logs import reader
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
source = reader(sys.argv[1])
try:
    write_export(source, plan(source, ExportFormat.CSV, Selection()), Path(sys.argv[2]) / "x.csv")
except OSError as error:
    sys.exit(f"refused: {error}")
"""


def test_a_disk_that_takes_no_more_is_an_error_and_leaves_nothing(nasty_url: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, nasty_url, str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ran.returncode == 1, ran.stderr
    assert ran.stderr.startswith("refused:"), ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format_", list(ExportFormat))
def test_the_bytes_do_not_depend_on_the_version_of_postgresql(
    any_postgres_url: str, tmp_path: Path, format_: ExportFormat
) -> None:
    write_small_log(any_postgres_url)
    golden = Path(__file__).parents[1] / "golden" / "exports"
    job = planned(any_postgres_url, EVERYTHING, format_)
    name = f"history.{format_}"
    with closing(reader(any_postgres_url)) as source:
        write_export(source, job, tmp_path / name)
    for file in (name, f"{name}.manifest.json"):
        if os.environ.get("HIVESYNC_WRITE_GOLDEN"):
            (golden / file).write_bytes((tmp_path / file).read_bytes())
        assert (tmp_path / file).read_bytes() == (golden / file).read_bytes()
