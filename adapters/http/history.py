"""The history: every event that the caller may see, by page or streamed (HIST-1)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from litestar import get
from litestar.params import QueryParameter

from adapters.http.access import reach_project
from adapters.http.answers import JsonAnswer
from adapters.http.failures import QueryInvalid
from adapters.http.limits import FILTER_VALUES_MAX, PAGE
from adapters.http.reading import Cursor, Limit, MinPosition, MinPositionHeader, page_body, shown_at
from adapters.http.request import ApiRequest
from adapters.http.services import Services
from adapters.http.streams import NDJSON, LinesAnswer
from adapters.identity.caller import Caller
from hivesync_core.exports.selection import Selection, checked
from hivesync_core.kernel.ids import ProjectId
from hivesync_core.kernel.times import named_time
from projections.history.queries import HistoryFilter, history_page, history_stream
from projections.projects.queries import projects_of
from shared.api.exports import ACTOR_PATTERN, POSITION_MAX, TypeName
from shared.api.history import WholeHistoryPage

Project = Annotated[UUID | None, QueryParameter(name="project_id", description="One project; else all of one's own.")]
Stream = Annotated[UUID | None, QueryParameter(description="One task, project or account.")]
Actor = Annotated[str | None, QueryParameter(pattern=ACTOR_PATTERN, description="By this account, or by `system`.")]
Types = Annotated[
    list[TypeName] | None,
    QueryParameter(name="type", max_items=FILTER_VALUES_MAX, description="Of one of these types, or below one."),
]
_TIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
Since = Annotated[str | None, QueryParameter(pattern=_TIME, description="Recorded at this time (RFC 3339) or later.")]
Until = Annotated[str | None, QueryParameter(pattern=_TIME, description="Recorded before this time (RFC 3339).")]
After = Annotated[int, QueryParameter(ge=0, le=POSITION_MAX, description="Positions after this one.")]
Through = Annotated[int | None, QueryParameter(ge=0, le=POSITION_MAX, description="Positions up to this one.")]
Order = Annotated[Literal["newest", "oldest"], QueryParameter(description="Which events come first.")]


_HISTORY = {"access": "read", "answer": WholeHistoryPage, "line": "one event each", "statuses": (404,)}


@get("/history", tags=["History"], opt=_HISTORY, summary="What happened")
async def list_history(
    request: ApiRequest,
    project_id: Project = None,
    actor: Actor = None,
    types: Types = None,
    stream_id: Stream = None,
    since: Since = None,
    until: Until = None,
    after: After = 0,
    through: Through = None,
    order: Order = "newest",
    cursor: Cursor = None,
    limit: Limit = PAGE,
    min_position: MinPosition = 0,
    min_position_header: MinPositionHeader = 0,
) -> JsonAnswer:
    """The events of one's projects; for an admin's token with the scope `admin`, of everything.

    With `Accept: application/x-ndjson` all of them are streamed, the oldest first, one a line.
    """
    services = request.services
    projects = await _reached(services, request.user, project_id)
    selection = checked(
        Selection(
            actor=actor,
            types=tuple(types or ()),
            stream_id=stream_id,
            since=_time("since", since),
            until=_time("until", until),
            after=after,
            through=through,
        )
    )
    wanted = HistoryFilter(
        projects=projects,
        actor=selection.actor,
        types=selection.types,
        stream_id=selection.stream_id,
        since=selection.since,
        until=selection.until,
        after=selection.after,
        through=selection.through,
    )
    position = await shown_at(services, "history", min_position, min_position_header)
    if NDJSON in request.headers.get("accept", ""):
        return LinesAnswer(history_stream(services.database, wanted, position))
    page = await history_page(services.database, wanted, newest_first=order == "newest", cursor=cursor, limit=limit)
    return JsonAnswer(page_body(page, position))


async def _reached(services: Services, caller: Caller, project_id: UUID | None) -> tuple[UUID, ...] | None:
    """The projects whose events the caller may see, none for all; raises ``ProjectNotFound``."""
    if project_id is not None:
        await reach_project(services, caller, project_id, as_admin=True)
        return (ProjectId(project_id),)
    if caller.acts_as_admin:
        return None
    await shown_at(services, "projects", services.follower.head)
    return tuple(await projects_of(services.database, caller.account_id))


def _time(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return named_time(text)
    except ValueError as error:
        raise QueryInvalid(name, "it is no time such as 2026-11-23T12:00:00Z") from error


HANDLERS = (list_history,)
