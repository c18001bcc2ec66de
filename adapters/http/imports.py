"""Imports over HTTP: a file as the body, a report or its progress as the answer (TASK-7).

The file is taken in first, onto the disk, and imported then: a client that sends slowly holds nothing else up, and a
file that never arrives whole imports nothing. Sending it again is safe, so an import is no job that has to be kept.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import Annotated, Any, BinaryIO, Final, cast
from uuid import UUID

import msgspec
from litestar import post
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import QueryParameter

from adapters.http.access import member_of
from adapters.http.answers import JsonAnswer
from adapters.http.failures import Disconnected, MediaTypeUnknown, QueryInvalid
from adapters.http.limits import FILTER_VALUES_MAX
from adapters.http.request import ApiRequest, PathId
from adapters.http.streams import NDJSON, LinesAnswer
from adapters.imports.columns import FIELDS
from adapters.imports.importer import Destination, Importer, Wishes
from adapters.imports.people import accounts_by_name
from adapters.imports.source import ReadOptions, Source
from adapters.imports.table import ENCODINGS, TableOptions
from hivesync_core.kernel.ids import ProjectId
from hivesync_core.kernel.refusal import Forbidden
from shared.api.imports import ImportFormat, ImportLine, ImportReport

IMPORT_BYTES_MAX: Final = 256 * 1024 * 1024
"""Of a file as it is sent, packed or not; larger ones go through ``hivesync-admin import``."""

UNPACKED_BYTES_MAX: Final = 2 * 1024 * 1024 * 1024
IN_MEMORY_BYTES_MAX: Final = 1024 * 1024
PAIR_CHARS_MAX: Final = 500
PROGRESS_EVERY_S: Final = 0.5

MEDIA_TYPES: Final = (
    "application/json",
    "application/jsonl",
    NDJSON,
    "application/gzip",
    "application/x-gzip",
    "application/octet-stream",
    "text/csv",
)

Pairs = list[Annotated[str, msgspec.Meta(max_length=PAIR_CHARS_MAX, pattern=r"^[^:\u0000]+:[^\u0000]*$")]]
Words = list[Annotated[str, msgspec.Meta(max_length=100)]]
Format = Annotated[ImportFormat | None, QueryParameter(name="format", description="Else by the media type.")]
DryRun = Annotated[bool, QueryParameter(description="Store nothing; name every bad row.")]
FromLine = Annotated[int, QueryParameter(ge=1, le=1 << 53, description="Pass over what is before this line.")]
PullRequests = Annotated[bool, QueryParameter(description="Whether GitHub's pull requests are tasks too.")]
Columns = Annotated[
    Pairs | None,
    QueryParameter(
        name="column", max_items=len(FIELDS), description=f"`field:Column` of a CSV file; fields: {', '.join(FIELDS)}."
    ),
]
Delimiter = Annotated[str | None, QueryParameter(pattern=r"^[,;|\t]$", description="Of a CSV file; else found out.")]
Encoding = Annotated[str, QueryParameter(pattern=f"^({'|'.join(ENCODINGS)})$", description="Of a CSV file.")]
OpenWords = Annotated[
    Words | None, QueryParameter(name="open", max_items=FILTER_VALUES_MAX, description="States that mean open.")
]
ClosedWords = Annotated[
    Words | None, QueryParameter(name="closed", max_items=FILTER_VALUES_MAX, description="States that mean closed.")
]
Persons = Annotated[
    Pairs | None,
    QueryParameter(name="person", max_items=200, description="`name:account id`, for who an assignee is here."),
]


class MayNotImport(Forbidden):
    """Auditors read; owners and members import."""

    code = "import.not_allowed"
    title = "This role may not import tasks"


class FileTypeUnknown(MediaTypeUnknown):
    """The body is of a media type that no import takes."""

    def __init__(self, media_type: str) -> None:
        Exception.__init__(self, f"The body is {media_type[:100]}; one of {', '.join(MEDIA_TYPES)} is wanted.")


@post(
    "/projects/{project_id:uuid}/imports",
    status_code=200,
    tags=["Imports"],
    opt={
        "access": "write",
        "answer": ImportReport,
        "files": MEDIA_TYPES,
        "line": "`progress` again and again, `report` in the last one",
    },
    request_max_body_size=IMPORT_BYTES_MAX,
    summary="Import tasks from GitHub issues or CSV",
)
async def import_tasks(
    request: ApiRequest,
    project_id: PathId,
    format_: Format = None,
    dry_run: DryRun = False,
    from_line: FromLine = 1,
    pull_requests: PullRequests = True,
    columns: Columns = None,
    delimiter: Delimiter = None,
    encoding: Encoding = "utf-8",
    open_words: OpenWords = None,
    closed_words: ClosedWords = None,
    persons: Persons = None,
) -> JsonAnswer:
    """The body is the file, plain or packed with gzip. By an owner or a member.

    Importing a file again adds what is missing and doubles nothing. With `Accept: application/x-ndjson` the answer is
    progress line by line, and the report as the last line.
    """
    services, caller = request.services, request.user
    project, role = await member_of(services, caller, project_id)
    if not role.writes:
        raise MayNotImport
    media_type = _media_type(request)
    options = ReadOptions(
        format=format_ or ("csv" if media_type == "text/csv" else "github"),
        unpacked_bytes_max=UNPACKED_BYTES_MAX,
        pull_requests=pull_requests,
        table=TableOptions(
            columns=_pairs("column", columns),
            delimiter=delimiter,
            encoding=encoding,
            open_words=tuple(open_words or ()),
            closed_words=tuple(closed_words or ()),
        ),
    )
    accounts = await accounts_by_name(services.identity.rows, project.members, _ids("person", persons))
    target = Destination(ProjectId(project_id), caller.account_id, role, accounts, request.correlation_id)
    file = await _taken_in(request)
    importer = Importer(services.log, target, Source(file), options, Wishes(dry_run, from_line))
    try:
        importer.begin()
    except BaseException:
        file.close()
        raise
    if NDJSON in request.headers.get("accept", ""):
        return LinesAnswer(_lines(importer, file, services.import_turns))
    with file:
        async with services.import_turns:
            return JsonAnswer(await importer.run())


async def _lines(importer: Importer, file: BinaryIO, turns: asyncio.Semaphore) -> AsyncIterator[bytes]:
    """Progress as it is told, and the report; given up by the client, the import ends where it is."""
    with file:
        async with turns:
            running = asyncio.create_task(importer.run())
            try:
                while not running.done():
                    await asyncio.wait([running], timeout=PROGRESS_EVERY_S)
                    yield _line(ImportLine(progress=importer.progress()))
                yield _line(ImportLine(report=running.result()))
            finally:
                running.cancel()


def _line(line: ImportLine) -> bytes:
    return msgspec.json.encode(line) + b"\n"


async def _taken_in(request: ApiRequest) -> BinaryIO:
    """The body in a temporary file; raises ``RequestEntityTooLarge`` as soon as it is known to be larger than it may."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > IMPORT_BYTES_MAX:
        raise RequestEntityTooLarge
    file = cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES_MAX))  # noqa: SIM115
    size = 0
    try:
        more = True
        while more:
            message: Any = await request.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            size += len(message["body"])
            if size > IMPORT_BYTES_MAX:
                raise RequestEntityTooLarge
            if size > IN_MEMORY_BYTES_MAX:
                await asyncio.to_thread(file.write, message["body"])
            else:
                file.write(message["body"])
            more = message.get("more_body", False)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _media_type(request: ApiRequest) -> str:
    media_type, _ = request.content_type
    if media_type and media_type not in MEDIA_TYPES:
        raise FileTypeUnknown(media_type)
    return media_type


def _pairs(name: str, given: list[str] | None) -> dict[str, str]:
    pairs = dict(text.split(":", 1) for text in given or ())
    if len(pairs) != len(given or ()):
        raise QueryInvalid(name, "it names something twice")
    return {key.strip(): value.strip() for key, value in pairs.items()}


def _ids(name: str, given: list[str] | None) -> dict[str, str]:
    pairs = _pairs(name, given)
    for value in pairs.values():
        try:
            UUID(value)
        except ValueError as error:
            raise QueryInvalid(name, "after the colon must be an account's id") from error
    return pairs


HANDLERS = (import_tasks,)
