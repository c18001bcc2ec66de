"""Reading tasks: the board, one task, the help queue, what changed between two moments, and why a task is as it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import QueryParameter

from adapters.http.access import member_of, reach_task
from adapters.http.answers import JsonAnswer
from adapters.http.conditional import etag, is_known
from adapters.http.failures import QueryInvalid
from adapters.http.limits import FILTER_VALUES_MAX, PAGE, SEARCH_TEXT_MAX
from adapters.http.reading import (
    AsOf,
    Cursor,
    From,
    Limit,
    MinPosition,
    MinPositionHeader,
    To,
    as_of_position,
    moment,
    page_body,
    query_text,
    shown_at,
    shown_now,
    time_at,
)
from adapters.http.request import ApiRequest, PathId
from hivesync_core.kernel.event import Recorded
from hivesync_core.tasks.transitions import Status, allowed_now
from projections.board.queries import (
    SORTINGS,
    TaskFilter,
    TaskUnknown,
    task_changes,
    task_comments,
    task_detail,
    task_page,
)
from projections.engine.queries import decode_cursor, encode_cursor
from projections.help_queue.queries import queue
from shared.api.tasks import (
    LABEL_MAX,
    ChangesPage,
    CommentPage,
    HelpQueueAnswer,
    HistoryEntry,
    HistoryPage,
    StateName,
    TaskDetail,
    TaskPage,
)

TAGS = ["Tasks"]

States = Annotated[
    list[StateName] | None,
    QueryParameter(name="state", max_items=FILTER_VALUES_MAX, description="Tasks in one of these states."),
]
Labels = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=LABEL_MAX)]] | None,
    QueryParameter(name="label", max_items=FILTER_VALUES_MAX, description="Tasks that have all of these labels."),
]
Assignee = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^(none|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
        description="Tasks of this account, or `none` for tasks of nobody.",
    ),
]
Words = Annotated[
    str | None,
    QueryParameter(name="q", max_length=SEARCH_TEXT_MAX, description="Words of title and description."),
]
Sort = Annotated[
    str,
    QueryParameter(
        pattern=f"^-?({'|'.join(SORTINGS)})$", description=f"One of {', '.join(SORTINGS)}; a minus turns it round."
    ),
]


def _reads(answer: type) -> dict[str, Any]:
    return {"access": "read", "answer": answer}


@get("/projects/{project_id:uuid}/tasks", tags=TAGS, opt=_reads(TaskPage), summary="The board: search, filter, sort")
async def list_tasks(
    request: ApiRequest,
    project_id: PathId,
    states: States = None,
    assignee: Assignee = None,
    labels: Labels = None,
    words: Words = None,
    sort: Sort = "-updated",
    cursor: Cursor = None,
    limit: Limit = PAGE,
    as_of: AsOf = None,
    min_position: MinPosition = 0,
    min_position_header: MinPositionHeader = 0,
) -> JsonAnswer:
    """A project's tasks, as they are or as they stood at `as_of`."""
    services = request.services
    await member_of(services, request.user, project_id)
    at = await as_of_position(services, as_of)
    position = await shown_at(services, "board", at, min_position, min_position_header)
    wanted = TaskFilter(
        states=tuple(states or ()),
        assignee=None if assignee in (None, "none") else UUID(assignee),
        unassigned=assignee == "none",
        labels=tuple(query_text("label", each) for each in labels or ()),
        text=query_text("q", words or ""),
    )

    async def read() -> bytes:
        page = await task_page(services.database, project_id, wanted, sort=sort, cursor=cursor, limit=limit, as_of=at)
        return page_body(page, position if at is None else at)

    if not services.follower.in_sight:
        return JsonAnswer(await read())
    return JsonAnswer(await services.board_pages.get((project_id, wanted, sort, cursor, limit, at), position, read))


@get("/tasks/{task_id:uuid}", tags=TAGS, opt={**_reads(TaskDetail), "has_etag": True}, summary="One task")
async def show_task(
    request: ApiRequest,
    task_id: PathId,
    as_of: AsOf = None,
    min_position: MinPosition = 0,
    min_position_header: MinPositionHeader = 0,
) -> JsonAnswer:
    """Its card, its text, its comments and the transitions that its state allows, now or as of a moment."""
    services = request.services
    await reach_task(services, request.user, task_id)
    at = await as_of_position(services, as_of)
    position = await shown_at(services, "board", at, min_position, min_position_header)
    try:
        detail = await task_detail(services.database, task_id, as_of=at)
    except TaskUnknown:
        if at is not None:
            raise
        # The log has it, and the board not yet.
        position = await shown_now(services, "board")
        detail = await task_detail(services.database, task_id)
    card = msgspec.json.decode(detail.task, type=_CardHead)
    tag = (b"etag", etag(card.version).encode())
    if is_known(request.scope, card.version):
        return JsonAnswer(b"", tag, status_code=304)
    body = {
        "task": detail.task,
        "text": detail.text,
        "comments": detail.comments,
        "next_comments": detail.next_comments,
        "allowed": allowed_now(Status(card.state)),
        "position": position if at is None else at,
    }
    return JsonAnswer(body, tag)


class _CardHead(msgspec.Struct):
    """What the door needs to know of a card that it passes on as it is."""

    version: int
    state: str


@get("/tasks/{task_id:uuid}/comments", tags=TAGS, opt=_reads(CommentPage), summary="What was said about a task")
async def list_comments(
    request: ApiRequest,
    task_id: PathId,
    cursor: Cursor = None,
    limit: Limit = PAGE,
    as_of: AsOf = None,
    min_position: MinPosition = 0,
    min_position_header: MinPositionHeader = 0,
) -> JsonAnswer:
    """The oldest first. Go on after a task's detail with its `next_comments` as the cursor."""
    services = request.services
    await reach_task(services, request.user, task_id)
    at = await as_of_position(services, as_of)
    position = await shown_at(services, "board", at, min_position, min_position_header)
    page = await task_comments(services.database, task_id, cursor=cursor, limit=limit, as_of=at)
    return JsonAnswer(page_body(page, position if at is None else at))


@get(
    "/projects/{project_id:uuid}/help-queue",
    tags=TAGS,
    opt=_reads(HelpQueueAnswer),
    summary="Who waits for help, since when, at which place",
)
async def help_queue(
    request: ApiRequest,
    project_id: PathId,
    as_of: AsOf = None,
    min_position: MinPosition = 0,
    min_position_header: MinPositionHeader = 0,
) -> JsonAnswer:
    """The calls for help that stand, the longest waiting first."""
    services = request.services
    await member_of(services, request.user, project_id)
    at = await as_of_position(services, as_of)
    position = await shown_at(services, "help_queue", at, min_position, min_position_header)
    calls = await queue(services.database, project_id, as_of=at)
    then = datetime.now(UTC) if at is None else await time_at(services, at)
    items = [{"place": entry.place, "waiting_s": _waited_s(entry.call, then), "call": entry.call} for entry in calls]
    return JsonAnswer({"items": items, "position": position if at is None else at})


class _CallHead(msgspec.Struct):
    """Since when a call waits."""

    waiting_since: datetime


def _waited_s(call: msgspec.Raw, then: datetime) -> int:
    waiting_since = msgspec.json.decode(call, type=_CallHead).waiting_since
    return max(0, int((then - waiting_since).total_seconds()))


@get(
    "/projects/{project_id:uuid}/changes",
    tags=TAGS,
    opt=_reads(ChangesPage),
    summary="The difference of two moments",
)
async def list_changes(
    request: ApiRequest,
    project_id: PathId,
    from_moment: From,
    to_moment: To = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> JsonAnswer:
    """The tasks that differ, each as it stood at `from` and at `to` (now, where it is left out)."""
    services = request.services
    await member_of(services, request.user, project_id)
    low = await moment(services, "from", from_moment)
    high = services.positions.reached("board") if to_moment is None else await moment(services, "to", to_moment)
    if low > high:
        raise QueryInvalid("from", "it lies after `to`")
    await shown_at(services, "board", high)
    changes, next_cursor = await task_changes(
        services.database, project_id, from_position=low, to_position=high, cursor=cursor, limit=limit
    )
    return JsonAnswer({"from_position": low, "to_position": high, "items": changes, "next_cursor": next_cursor})


@get("/tasks/{task_id:uuid}/history", tags=TAGS, opt=_reads(HistoryPage), summary="Why is it in this state?")
async def task_history(request: ApiRequest, task_id: PathId, cursor: Cursor = None, limit: Limit = PAGE) -> JsonAnswer:
    """The task's events in order: what happened, by whose command, when, because of what."""
    services = request.services
    await reach_task(services, request.user, task_id)
    after = decode_cursor(cursor, int)[0] if cursor is not None else 0
    recorded = await services.streams.read_stream(task_id, after_version=after)
    page = HistoryPage(
        items=[_entry(each) for each in recorded[:limit]],
        next_cursor=encode_cursor(recorded[limit - 1].version) if len(recorded) > limit else None,
    )
    return JsonAnswer(page)


def _entry(recorded: Recorded) -> HistoryEntry:
    data = msgspec.to_builtins(recorded.event)
    kind, meta = data.pop("type"), recorded.meta
    return HistoryEntry(
        position=recorded.position,
        version=recorded.version,
        event_id=meta.event_id,
        type=kind,
        data=data,
        recorded_at=meta.recorded_at,
        actor=meta.actor,
        command_id=meta.command_id,
        correlation_id=meta.correlation_id,
        causation_id=meta.causation_id,
    )


HANDLERS = (list_tasks, show_task, list_comments, help_queue, list_changes, task_history)
