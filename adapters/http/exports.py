"""Exports: asked for, watched, fetched with manifest and proof, cancelled, removed (HIST-2, HIST-3)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import msgspec
from litestar import delete, get, post
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody

from adapters.exports.progress import find_progress
from adapters.http.access import reach_project
from adapters.http.answers import JsonAnswer
from adapters.http.commanding import command_context, refuse_body
from adapters.http.conditional import etag, expected_version
from adapters.http.failures import PreconditionFailed, RangeNotSatisfiable
from adapters.http.limits import PAGE
from adapters.http.reading import Cursor, Limit, MinPosition, MinPositionHeader, page_body, shown_at
from adapters.http.request import ApiRequest, PathId
from adapters.http.services import Services
from adapters.http.streams import FileAnswer
from adapters.identity.caller import Caller
from hivesync_core.exports.commands import CancelExport, RemoveExport, RequestExport
from hivesync_core.exports.decider import export, may_export
from hivesync_core.exports.events import ExportFormat
from hivesync_core.exports.refusals import ExportNotFound, TooManyExports
from hivesync_core.exports.selection import Selection
from hivesync_core.kernel.ids import ProjectId
from hivesync_core.kernel.refusal import Conflict, NotFound
from hivesync_core.kernel.roles import Role
from hivesync_core.projects.refusals import ProjectNotFound
from projections.export_jobs.model import ExportRow
from projections.export_jobs.queries import export_of, export_page, waiting_of
from projections.exports.formats import media_type_of
from projections.projects.queries import projects_of
from shared.api.exports import ExportPage, ExportRequest, ShownExport

TAGS = ["Exports"]
EXPORTS_PATH = "/api/v1/exports/"

EXPORTS_WAITING_MAX = 20
"""Exports of one account that are still to be written."""

_SHOWN = {"access": "read", "answer": ShownExport}
_COMMAND = {"access": "read", "answer": ShownExport, "is_command": True}
_FILE = {"access": "read", "statuses": (304, 409, 412, 416)}
_PART = {206: ResponseSpec(data_container=bytes, media_type="application/octet-stream", generate_examples=False)}


class ExportNotReady(Conflict):
    """The export is still being written, or came to nothing; the facts name its ``status``."""

    code = "export.not_ready"
    title = "There is no file of this export"


class ExportFileGone(NotFound):
    """The file was deleted behind the server's back. The same export, asked for again, gives the same bytes."""

    code = "export.file_gone"
    title = "The file of this export is gone"


@post("/exports", status_code=202, tags=TAGS, opt={**_COMMAND, "statuses": (404,)}, summary="Ask for an export")
async def request_export(request: ApiRequest, data: JSONBody[ExportRequest]) -> JsonAnswer:
    """By an owner or an auditor of the project; of everything by an admin. It is written in the background."""
    services, caller = request.services, request.user
    context = await command_context(request)
    if await waiting_of(services.database, caller.account_id) >= EXPORTS_WAITING_MAX:
        raise TooManyExports("Wait until some are written, or cancel one.", exports_max=EXPORTS_WAITING_MAX)
    project_id = None if data.project_id is None else ProjectId(data.project_id)
    command = RequestExport(
        by=caller.account_id,
        role=await _role(services, caller, data.project_id),
        is_admin=caller.acts_as_admin,
        export_id=context.command_id,
        format=ExportFormat(data.format),
        selection=Selection(
            project_id=project_id,
            actor=data.actor,
            types=data.types,
            stream_id=data.stream_id,
            since=data.since,
            until=data.until,
            after=data.after,
            through=data.through,
        ),
    )
    expected = expected_version(request.scope)
    outcome = await services.log.execute(export, context.command_id, command, context, expected_version=expected)
    location = f"{EXPORTS_PATH}{outcome.stream_id}".encode()
    row = await _row(services, outcome.stream_id)
    headers = (_tag(row), (b"location", location), (b"retry-after", b"1"))
    return await _shown(services, row, *headers, status_code=202)


@get("/exports", tags=TAGS, opt={"access": "read", "answer": ExportPage}, summary="Exports, the newest first")
async def list_exports(
    request: ApiRequest,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = 0,
    min_position_header: MinPositionHeader = 0,
) -> JsonAnswer:
    """Those of the projects that one may export; for an admin's token with the scope `admin`, all of them."""
    services, caller = request.services, request.user
    projects: list[UUID] | None = None
    if not caller.acts_as_admin:
        await shown_at(services, "projects", services.follower.head)
        roles = (str(Role.OWNER), str(Role.AUDITOR))
        projects = await projects_of(services.database, caller.account_id, roles=roles)
    position = await shown_at(services, "export_jobs", min_position, min_position_header)
    page = await export_page(services.database, projects=projects, cursor=cursor, limit=limit)
    return JsonAnswer(page_body(page, position))


@get("/exports/{export_id:uuid}", tags=TAGS, opt=_SHOWN, summary="How far an export is, and what came of it")
async def show_export(request: ApiRequest, export_id: PathId) -> JsonAnswer:
    """With progress while it is being written."""
    services = request.services
    return await _shown(services, (await _reached(services, request.user, export_id))[0])


@get("/exports/{export_id:uuid}/file", tags=TAGS, opt=_FILE, responses=_PART, summary="The file of an export")
async def export_file(request: ApiRequest, export_id: PathId) -> FileAnswer:
    """Ranges are served, so that a download can be resumed; `ETag` is the file's SHA-256."""
    row = await _completed(request, export_id)
    path = request.services.export_files.path(export_id, row.format)
    return await _file(request, path, media_type=media_type_of(ExportFormat(row.format)), tag=row.sha256 or "")


@get("/exports/{export_id:uuid}/manifest", tags=TAGS, opt=_FILE, responses=_PART, summary="The manifest of an export")
async def export_manifest(request: ApiRequest, export_id: PathId) -> FileAnswer:
    """What the file holds, and what proves it; keep it beside the file, as `hivesync verify` wants it."""
    row = await _completed(request, export_id)
    path = request.services.export_files.manifest(export_id, row.format)
    return await _file(request, path, media_type="application/json", tag=f"{row.sha256}-manifest")


@get("/exports/{export_id:uuid}/proof", tags=TAGS, opt=_FILE, responses=_PART, summary="The proof file of an export")
async def export_proof(request: ApiRequest, export_id: PathId) -> FileAnswer:
    """What leads from the exported events to the signed root; keep it beside the file."""
    row = await _completed(request, export_id)
    path = request.services.export_files.proof(export_id, row.format)
    return await _file(request, path, media_type="application/octet-stream", tag=f"{row.sha256}-proof")


@post("/exports/{export_id:uuid}/cancel", status_code=200, tags=TAGS, opt=_COMMAND, summary="Stop writing an export")
async def cancel_export(request: ApiRequest, export_id: PathId) -> JsonAnswer:
    """By who asked for it, an owner of its project, or an admin."""
    caller = request.user
    await refuse_body(request)
    _, role = await _reached(request.services, caller, export_id)
    return await _give(request, export_id, CancelExport(by=caller.account_id, role=role, is_admin=caller.acts_as_admin))


@delete("/exports/{export_id:uuid}", status_code=200, tags=TAGS, opt=_COMMAND, summary="Delete an export's file")
async def remove_export(request: ApiRequest, export_id: PathId) -> JsonAnswer:
    """By who asked for it, an owner of its project, or an admin. That it was made stays in the history."""
    caller = request.user
    await refuse_body(request)
    _, role = await _reached(request.services, caller, export_id)
    command = RemoveExport(by=caller.account_id, role=role, is_admin=caller.acts_as_admin)
    answer = await _give(request, export_id, command)
    await asyncio.to_thread(request.services.export_files.remove, export_id)
    return answer


async def _give(request: ApiRequest, export_id: UUID, command: CancelExport | RemoveExport) -> JsonAnswer:
    """Give the command, and answer with the export as it is then."""
    expected, context = expected_version(request.scope), await command_context(request)
    await request.services.log.execute(export, export_id, command, context, expected_version=expected)
    row = await _row(request.services, export_id)
    return await _shown(request.services, row, _tag(row))


def _tag(row: ExportRow) -> tuple[bytes, bytes]:
    return (b"etag", etag(row.version).encode())


async def _role(services: Services, caller: Caller, project_id: UUID | None) -> Role | None:
    """The caller's role in the project of an export; raises ``ProjectNotFound`` for one that they may not know of."""
    if project_id is None:
        return None
    return (await reach_project(services, caller, project_id, as_admin=True)).role


async def _row(services: Services, export_id: UUID) -> ExportRow:
    return export_of(await services.streams.read_stream(export_id))


async def _reached(services: Services, caller: Caller, export_id: UUID) -> tuple[ExportRow, Role | None]:
    """An export that the caller may export themselves now; raises ``ExportNotFound`` for every other."""
    row = await _row(services, export_id)
    try:
        role = await _role(services, caller, row.project_id)
    except ProjectNotFound:
        raise ExportNotFound from None
    if not may_export(role, is_admin=caller.acts_as_admin, whole_history=row.project_id is None):
        raise ExportNotFound
    return row, role


async def _completed(request: ApiRequest, export_id: UUID) -> ExportRow:
    row, _ = await _reached(request.services, request.user, export_id)
    if row.status != "completed":
        raise ExportNotReady(f"The export is {row.status}.", status=row.status)
    return row


async def _file(request: ApiRequest, path: Path, *, media_type: str, tag: str) -> FileAnswer:
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError as error:
        raise ExportFileGone("Ask for the same export again: it gives the same bytes.") from error
    try:
        return FileAnswer(request.scope, path, file, media_type=media_type, tag=tag)
    except (PreconditionFailed, RangeNotSatisfiable):
        file.close()
        raise


async def _shown(
    services: Services, row: ExportRow, *headers: tuple[bytes, bytes], status_code: int = 200
) -> JsonAnswer:
    shown = msgspec.to_builtins(row)
    progress = await find_progress(services.database, row.export_id) if row.status == "requested" else None
    return JsonAnswer({**shown, "progress": progress}, *headers, status_code=status_code)


HANDLERS = (
    request_export,
    list_exports,
    show_export,
    export_file,
    export_manifest,
    export_proof,
    cancel_export,
    remove_export,
)
