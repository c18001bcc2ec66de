"""Imports over the API: how far one is, and what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from shared.api.base import Answer

IMPORT_FORMATS = ("github", "csv")
ImportFormat = Literal["github", "csv"]

BAD_ROWS_MAX = 1_000
UNKNOWN_PEOPLE_MAX = 200


class BadRow(Answer, frozen=True, kw_only=True):
    """A piece of the file that was not imported."""

    line: Annotated[int, Meta(ge=1, description="Where it begins in the file, counted from 1.")]
    field: Annotated[str | None, Meta(description="The column, or the path in the JSON object.")] = None
    cause: str


class ImportProgress(Answer, frozen=True, kw_only=True):
    """How far an import is."""

    read: Annotated[int, Meta(description="Tasks found in the file so far.")]
    created: int
    existing: Annotated[int, Meta(description="Were imported before and stay as they are.")]
    skipped: Annotated[int, Meta(description="Pull requests that were not asked for.")]
    bad: Annotated[int, Meta(description="Pieces that were not imported.")]
    fraction: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None, Meta(description="Of the file; null where its size is not known.")
    ]
    elapsed_s: float
    tasks_per_s: float
    time_left_s: float | None


class ImportReport(Answer, frozen=True, kw_only=True):
    """What came of an import. Importing the same file again adds what is missing and doubles nothing."""

    read: int
    created: Annotated[int, Meta(description="In a dry run: would be created.")]
    existing: int
    skipped: int
    bad: int
    bad_rows: Annotated[list[BadRow], Meta(description=f"The first {BAD_ROWS_MAX} of them.")]
    shortened: Annotated[int, Meta(description="Tasks with a text that did not fit and was cut.")]
    unknown_people: Annotated[
        list[str], Meta(description=f"Assignees that are no members here, {UNKNOWN_PEOPLE_MAX} at most; kept by name.")
    ]
    dry_run: bool
    complete: Annotated[bool, Meta(description="Whether the file was read to its end.")]
    stopped_by: Annotated[str | None, Meta(description="Why not.")]
    go_on_from_line: Annotated[
        int | None, Meta(description="Everything before this line was read; send the file again from there, or whole.")
    ]
    position: Annotated[int, Meta(ge=0, description="Read with `HiveSync-Min-Position` of this to see the tasks.")]
    elapsed_s: float
    tasks_per_s: float


class ImportLine(Answer, frozen=True, kw_only=True):
    """A line of the answer as `application/x-ndjson`: progress again and again, and the report as the last line."""

    progress: ImportProgress | None = None
    report: ImportReport | None = None
