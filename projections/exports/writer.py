"""Writes one export: the file, its manifest, and word of how far it is."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from hivesync_core.exports.events import ExportFormat
from hivesync_core.exports.selection import Selection
from projections.engine.stored_text import StoredText
from projections.exports.defuse import HOW
from projections.exports.formats import FORMATS
from projections.exports.manifest import MANIFEST_SUFFIX, Defused, Erased, Manifest, Range
from projections.exports.source import LogReader
from projections.exports.whole_file import WholeFile

PROGRESS_EVERY_S = 0.2


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to export. The same job gives the same bytes, whenever and wherever it runs.

    ``through`` is the last position that is looked at, ``erasures_through`` the last one whose erasures are heeded.
    """

    format: ExportFormat
    selection: Selection
    through: int
    erasures_through: int


class Progress(msgspec.Struct, frozen=True):
    """How far an export is; ``time_left_s`` is none as long as there is nothing to tell it from."""

    rows: int
    size_bytes: int
    position: int
    through: int
    fraction: float
    rows_per_s: float
    elapsed_s: float
    time_left_s: float | None


class Cancelled(Exception):
    """The export was not wanted any more; nothing of it is left."""


class Writing(NamedTuple):
    """What the writer tells while it works, and asks: whether to go on."""

    on_progress: Callable[[Progress], None] = lambda progress: None
    is_cancelled: Callable[[], bool] = lambda: False
    on_rows: Callable[[Sequence[StoredText], str], None] = lambda rows, text: None
    """Is handed each page of events and the text that it became, as far as it is written."""

    attest: Callable[[Manifest], Manifest] = lambda manifest: manifest
    """Adds to a finished manifest what proves it: root, checkpoint, proofs."""


def plan(reader: LogReader, format_: ExportFormat, selection: Selection) -> Job:
    """The job for a selection of the log as it stands now."""
    head = reader.head()
    through = head if selection.through is None else min(selection.through, head)
    return Job(format=format_, selection=selection, through=through, erasures_through=head)


def write_export(reader: LogReader, job: Job, path: Path, writing: Writing = Writing()) -> Manifest:  # noqa: B008
    """Write the export to ``path`` and its manifest beside it; both appear whole or not at all.

    Raises ``Cancelled``, ``OSError`` where the disk does not take it, ``psycopg.OperationalError`` where the database
    stays away.
    """
    with WholeFile(path) as file:
        manifest = write_stream(reader, job, file.stream, path.name, writing)
        file.finish()
        manifest = writing.attest(manifest)
        with WholeFile(path.with_name(path.name + MANIFEST_SUFFIX)) as beside:
            beside.stream.write(manifest.to_json())
            beside.keep()
        file.keep()
    return manifest


def write_stream(reader: LogReader, job: Job, stream: BinaryIO, name: str, writing: Writing) -> Manifest:
    """Write the export to a stream of any kind, and give its manifest, which nobody has attested to."""
    selection = msgspec.structs.replace(job.selection, through=job.through)
    after = min(selection.after, job.through)
    erasures = reader.erasures(job.erasures_through)
    encoder = FORMATS[job.format](erasures)
    digest = hashlib.sha256()
    tally = _Tally(job)

    def put(text: str) -> None:
        data = text.encode()
        digest.update(data)
        stream.write(data)
        tally.size_bytes += len(data)

    put(encoder.header)
    # Closed whatever happens: a page may be on its way over the connection, which must not be closed under it.
    with closing(reader.pages(selection, job.through)) as pages:
        for rows in pages:
            text = encoder.encode(rows)
            put(text)
            writing.on_rows(rows, text)
            tally.add(rows[0][0], rows[-1][0], len(rows))
            if writing.is_cancelled():
                raise Cancelled
            tally.tell(writing.on_progress)
    put(encoder.footer())
    manifest = Manifest(
        file=name,
        format=job.format,
        media_type=encoder.media_type,
        selection=selection,
        range=Range(
            after=after,
            through=job.through,
            link_before=reader.link(after).hex(),
            link=reader.link(job.through).hex(),
        ),
        rows=tally.rows,
        first_position=tally.first_position,
        last_position=tally.last_position,
        size_bytes=tally.size_bytes,
        sha256=digest.hexdigest(),
        defused=Defused(cells=encoder.defused, how=HOW),
        erasures=Erased(through=job.erasures_through, accounts=len(erasures)),
    )
    tally.tell(writing.on_progress, done=True)
    return manifest


class _Tally:
    """Counts what was written, and tells of it from time to time."""

    def __init__(self, job: Job) -> None:
        self.rows = self.size_bytes = 0
        self.first_position: int | None = None
        self.last_position: int | None = None
        self._after, self._through = min(job.selection.after, job.through), job.through
        self._began = time.monotonic()
        self._told_at = 0.0

    def add(self, first: int, last: int, rows: int) -> None:
        """Count a page."""
        self.first_position = first if self.first_position is None else self.first_position
        self.last_position = last
        self.rows += rows

    def tell(self, on_progress: Callable[[Progress], None], *, done: bool = False) -> None:
        """Say how far it is, unless that was said just now."""
        now = time.monotonic()
        if done or now - self._told_at >= PROGRESS_EVERY_S:
            self._told_at = now
            on_progress(self._progress(now - self._began, done=done))

    def _progress(self, elapsed_s: float, *, done: bool) -> Progress:
        position = self._through if done else self.last_position or self._after
        whole = self._through - self._after
        fraction = 1.0 if done or not whole else (position - self._after) / whole
        return Progress(
            rows=self.rows,
            size_bytes=self.size_bytes,
            position=position,
            through=self._through,
            fraction=fraction,
            rows_per_s=self.rows / elapsed_s if elapsed_s else 0.0,
            elapsed_s=elapsed_s,
            time_left_s=elapsed_s * (1 - fraction) / fraction if fraction else None,
        )
