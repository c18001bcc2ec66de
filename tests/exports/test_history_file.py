"""The history log is the stream, line by line, whatever ended the process that wrote it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest

from adapters.postgres.connections import Database
from hivesync_core.exports.events import ExportFormat
from hivesync_core.exports.selection import Selection
from hivesync_core.kernel.ids import ProjectId
from projections.exports.writer import Job, Writing, write_stream
from projections.history_file.file import HistoryFile, HistoryFileBusy, HistoryFileRefused
from projections.history_file.keeper import HistoryKeeper
from projections.history_file.recovery import recover
from tests.exports.logs import Writer, project_created, reader, write_nasty_log, write_small_log

ROOT = Path(__file__).parents[2]


def stream_of(url: str) -> bytes:
    """What the history log of a database must be: the whole log as JSON Lines, with nobody's erasure considered."""
    with closing(reader(url)) as source:
        text = BytesIO()
        job = Job(format=ExportFormat.JSONL, selection=Selection(), through=source.head(), erasures_through=0)
        write_stream(source, job, text, "history.jsonl", Writing())
        return text.getvalue()


PATIENCE_S = 120.0


class Polled:
    """News for tests: the log is looked at every few milliseconds."""

    async def wait_beyond(self, position: int, timeout_s: float) -> bool:
        await asyncio.sleep(0.01)
        return True


@asynccontextmanager
async def kept(url: str, folder: Path) -> AsyncIterator[HistoryKeeper]:
    """A keeper at work."""
    database = Database(url, size=2)
    await database.open()
    keeper = HistoryKeeper(database, Polled(), folder)
    await keeper.start()
    try:
        yield keeper
    finally:
        await keeper.stop()
        await database.close()


async def until(keeper: HistoryKeeper, position: int) -> None:
    """Wait until the keeper has come that far."""
    async with asyncio.timeout(PATIENCE_S):
        while keeper.position < position:
            await asyncio.sleep(0.005)


async def until_problem(keeper: HistoryKeeper) -> str:
    """Wait until the keeper says what is wrong."""
    async with asyncio.timeout(PATIENCE_S):
        while keeper.problem is None:
            await asyncio.sleep(0.005)
    return keeper.problem


async def resumed(path: Path, lines: Sequence[bytes], checked_bytes: int = 1 << 20) -> int:
    """Recover the file and write the rest of the lines, as the keeper does; the position that it was recovered at."""

    async def lines_of(after: int, through: int) -> Sequence[bytes]:
        return lines[after:through]

    file = HistoryFile(path)
    try:
        position = await recover(file, lines_of, checked_bytes=checked_bytes)
        file.append(b"".join(lines[position:]))
        return position
    finally:
        file.close()


@pytest.fixture
def lines(postgres_url: str) -> list[bytes]:
    """The lines of a small log."""
    write_small_log(postgres_url)
    return stream_of(postgres_url).splitlines(keepends=True)


async def test_cut_off_at_any_byte_it_resumes_to_the_same_file(lines: list[bytes], tmp_path: Path) -> None:
    whole, path = b"".join(lines), tmp_path / "history.jsonl"
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        position = await resumed(path, lines)
        assert path.read_bytes() == whole, f"cut off at byte {size}"
        assert ends[position] <= size < [*ends, size + 1][position + 1]


@pytest.mark.parametrize("hole", [1, 512, 4096])
@pytest.mark.parametrize("followed", [True, False], ids=["lines after it", "at the end"])
async def test_blocks_that_the_disk_never_received_are_written_again(
    lines: list[bytes], tmp_path: Path, hole: int, *, followed: bool
) -> None:
    whole, path = b"".join(lines), tmp_path / "history.jsonl"
    for start in range(len(lines[0]), len(whole) - hole, 97):
        after = whole[start + hole :] if followed else b""
        path.write_bytes(whole[:start] + b"\0" * hole + after)
        # At the end, the part that is looked at may lie in the hole as a whole: the search goes on before it.
        await resumed(path, lines, checked_bytes=len(whole) if followed else 600)
        assert path.read_bytes() == whole, f"a hole at byte {start}"


async def test_a_changed_event_is_refused_and_the_file_left_as_it_was(lines: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    changed = b"".join(lines).replace(b"and the cat", b"and the dog")
    path.write_bytes(changed)
    with pytest.raises(HistoryFileRefused, match="position 10 is not the one in the log"):
        await resumed(path, lines)
    assert path.read_bytes() == changed


async def test_a_missing_event_is_refused(lines: list[bytes], tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_bytes(b"".join(lines[:5] + lines[6:]))
    with pytest.raises(HistoryFileRefused, match="from position 1 to 13: some are missing"):
        await resumed(tmp_path / "history.jsonl", lines)


async def test_a_doubled_event_is_refused(lines: list[bytes], tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_bytes(b"".join(lines[:6] + lines[5:]))
    with pytest.raises(HistoryFileRefused, match="missing"):
        await resumed(tmp_path / "history.jsonl", lines)


async def test_a_file_that_is_ahead_of_the_log_is_refused(lines: list[bytes], tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(HistoryFileRefused, match="position 13, and the log ends at 9"):
        await resumed(tmp_path / "history.jsonl", lines[:9])


@pytest.mark.parametrize("foreign", [b"dear diary", b"dear diary\n", b'{"specversion":"1.0","id":"x"}\n', b"\0\0x\n"])
async def test_a_file_of_somebody_else_is_refused_and_not_touched(
    lines: list[bytes], tmp_path: Path, foreign: bytes
) -> None:
    (tmp_path / "history.jsonl").write_bytes(foreign)
    with pytest.raises(HistoryFileRefused, match="first line"):
        await resumed(tmp_path / "history.jsonl", lines)
    assert (tmp_path / "history.jsonl").read_bytes() == foreign


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with closing(HistoryFile(tmp_path / "history.jsonl")), pytest.raises(HistoryFileBusy):
        HistoryFile(tmp_path / "history.jsonl")
    HistoryFile(tmp_path / "history.jsonl").close()


async def test_it_follows_the_log_and_resumes_where_it_ended(postgres_url: str, tmp_path: Path) -> None:
    write_small_log(postgres_url)
    async with kept(postgres_url, tmp_path) as keeper:
        await until(keeper, 13)
        with Writer(postgres_url, begin=100) as log:
            log.add(UUID(int=1), project_created(ProjectId(UUID(int=1)), "later"))
        await until(keeper, 14)
    async with kept(postgres_url, tmp_path) as keeper:
        await until(keeper, 14)
    assert (tmp_path / "history.jsonl").read_bytes() == stream_of(postgres_url)


async def test_a_second_process_stands_by_and_takes_over(postgres_url: str, tmp_path: Path) -> None:
    write_small_log(postgres_url)
    async with kept(postgres_url, tmp_path) as first:
        await until(first, 13)
        async with kept(postgres_url, tmp_path) as second:
            assert "another process writes" in await until_problem(second)
            await first.stop()
            await until(second, 13)
    assert (tmp_path / "history.jsonl").read_bytes() == stream_of(postgres_url)


async def test_a_file_that_was_moved_away_is_begun_again(postgres_url: str, tmp_path: Path) -> None:
    write_small_log(postgres_url)
    async with kept(postgres_url, tmp_path) as keeper:
        await until(keeper, 13)
        (tmp_path / "history.jsonl").rename(tmp_path / "old.jsonl")
        async with asyncio.timeout(PATIENCE_S):
            while not (tmp_path / "history.jsonl").exists():
                await asyncio.sleep(0.01)
    async with kept(postgres_url, tmp_path) as keeper:
        await until(keeper, 13)
    assert (tmp_path / "history.jsonl").read_bytes() == (tmp_path / "old.jsonl").read_bytes() == stream_of(postgres_url)


_KEEPER = """
import asyncio, resource, sys
from pathlib import Path
from tests.exports.test_history_file import kept, until, until_problem

async def keep(url, folder, position, limit):
    # The limit of a process's files stands in for a disk of that size: a write ends half way, with an error.
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    async with kept(url, Path(folder)) as keeper:
        if limit:
            print(await until_problem(keeper), flush=True)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await until(keeper, position)

asyncio.run(keep(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


def start_keeper(url: str, folder: Path, position: int, limit: int = 0) -> subprocess.Popen[str]:
    """A process of its own that keeps the file until it has come so far."""
    command = [sys.executable, "-c", _KEEPER, url, str(folder), str(position), str(limit)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_full_disk_takes_no_half_line_and_it_goes_on_when_there_is_room(postgres_url: str, tmp_path: Path) -> None:
    write_nasty_log(postgres_url)
    whole = stream_of(postgres_url)
    process = start_keeper(postgres_url, tmp_path, whole.count(b"\n"), limit=5_000)
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    assert "File too large" in said
    assert (tmp_path / "history.jsonl").read_bytes() == whole


def test_killed_again_and_again_it_neither_tears_nor_doubles_a_line(postgres_url: str, tmp_path: Path) -> None:
    chance = random.Random(11)
    kills = 0
    for number in range(6):
        with Writer(postgres_url, begin=number * 1_000) as log:
            for extra in range(200):
                stream = UUID(int=1 + number * 1_000 + extra)
                log.add(stream, project_created(ProjectId(stream), "x" * chance.randrange(100)))
        whole = stream_of(postgres_url)
        process = start_keeper(postgres_url, tmp_path, whole.count(b"\n"))
        path = tmp_path / "history.jsonl"
        before = path.stat().st_size if path.exists() else 0
        while process.poll() is None:
            if path.exists() and path.stat().st_size > before:
                time.sleep(chance.random() * 0.01)
                break
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.communicate(timeout=PATIENCE_S)
        found = path.read_bytes()
        assert whole.startswith(found)
    process = start_keeper(postgres_url, tmp_path, whole.count(b"\n"))
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    assert path.read_bytes() == whole
    assert kills
