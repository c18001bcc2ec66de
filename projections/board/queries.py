"""What can be asked of the board: pages of tasks, one task, and the difference between two moments.

Every question can be asked of the present or of any earlier position of the log. The present is answered from columns
and indexes; a former moment from the versions of each task, by the same filters over the same documents. Lists come
from the database as the bytes of one JSON array: nothing is done for each row here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from hivesync_core.kernel.refusal import Invalid, NotFound
from hivesync_core.kernel.text import many_lines
from projections.board.model import WORDS
from projections.engine.queries import (
    PAGE_ROWS,
    UNBOUNDED,
    CursorInvalid,
    Page,
    QueryDatabase,
    as_of_document,
    as_of_documents,
    decode_cursor,
    encode_cursor,
    json_array,
)

COMMENTS_MAX = 200
"""Comments that a task's detail holds; the rest come in pages."""

FILTER_TEXT_MAX = 1_000
"""Characters of a text that is searched for, and of a label."""


class Sorting(NamedTuple):
    """How a list is sorted: by an expression over ``t``, whose values a cursor holds as ``type``."""

    key: str
    type: type


SORTINGS = {
    "updated": Sorting("t.updated_at", datetime),
    "created": Sorting("t.created_at", datetime),
    "title": Sorting("t.title", str),
    "priority": Sorting("array_position(ARRAY['none','low','medium','high','urgent'], t.priority)", int),
    "due": Sorting("coalesce(t.due, '9999-12-31'::date)", date),
}
"""What a list can be sorted by; a minus before the name turns it round."""

_FORMER = """
    v.task_id, v.doc, v.doc::json->>'title' AS title, v.doc::json->>'state' AS state,
    (v.doc::json->>'assignee_id')::uuid AS assignee_id, v.doc::json->>'priority' AS priority,
    ARRAY(SELECT json_array_elements_text(v.doc::json->'labels')) AS labels, (v.doc::json->>'due')::date AS due,
    (v.doc::json->>'created_at')::timestamptz AS created_at, (v.doc::json->>'updated_at')::timestamptz AS updated_at
"""
"""The columns of a former version. The planner takes those that a query names, and a document is read for each of them:
three are read in a third of the time that it takes to make a record of all."""


class TaskFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks: those that meet every condition that is set; ``labels`` are all there, ``text`` as web searches."""

    states: tuple[str, ...] = ()
    assignee: UUID | None = None
    unassigned: bool = False
    labels: tuple[str, ...] = ()
    text: str = ""


class Change(msgspec.Struct, frozen=True):
    """A task that differs between two moments; JSON as it stood at each, none where it did not exist."""

    task_id: UUID
    before: msgspec.Raw | None
    after: msgspec.Raw | None


class TaskDetail(msgspec.Struct, frozen=True):
    """A task's card, its text and its first comments, as JSON; a cursor for ``task_comments`` where there are more."""

    task: msgspec.Raw
    text: msgspec.Raw
    comments: msgspec.Raw
    next_comments: str | None = None


class SortingUnknown(Invalid):
    """A sorting that there is not."""

    code = "paging.sorting_unknown"
    title = "There is no such sorting"


class TaskUnknown(NotFound):
    """No such task, or none at that moment, or none that the asker may see."""

    code = "task.unknown"
    title = "There is no such task"


async def task_page(
    database: QueryDatabase,
    project_id: UUID,
    wanted: TaskFilter,
    *,
    sort: str = "-updated",
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
    as_of: int | None = None,
) -> Page:
    """A page of a project's tasks, as they are or as they stood at position ``as_of``.

    Raises ``SortingUnknown``, ``CursorInvalid`` and ``TextRefused``.
    """
    sorting = SORTINGS.get(sort.removeprefix("-"))
    if sorting is None:
        raise SortingUnknown(f"sort by one of {', '.join(SORTINGS)}, with a minus before it to turn it round")
    params: dict[str, Any] = {"project": project_id, "as_of": as_of, "limit": limit, **_filter_params(wanted)}
    if cursor is not None:
        value, last_id, cursor_sort = decode_cursor(cursor, sorting.type, UUID, str)
        if cursor_sort != sort or (isinstance(value, str) and "\0" in value):
            raise CursorInvalid("take cursors from next_cursor as they are, with the same filters and sorting")
        params |= {"value": value, "last": last_id}
    shape = (
        bool(wanted.states),
        wanted.assignee is not None,
        wanted.unassigned,
        bool(wanted.labels),
        bool(wanted.text),
    )
    row = await database.fetch_one(_page_query(shape, sort, cursor is not None, as_of is not None), params)
    assert row is not None, "an aggregate always has one row"
    items, rows, value, last_id = row
    return Page(items, encode_cursor(value, last_id, sort) if rows > limit else None)


async def task_project(database: QueryDatabase, task_id: UUID) -> UUID | None:
    """The project that a task belongs to, or none where there is no such task."""
    row = await database.fetch_one("SELECT project_id FROM readmodel.board_task WHERE task_id = %s", (task_id,))
    return None if row is None else row[0]


async def task_detail(database: QueryDatabase, task_id: UUID, *, as_of: int | None = None) -> TaskDetail:
    """One task's card, its text and its first ``COMMENTS_MAX`` comments, now or as they stood at position ``as_of``.

    Raises ``TaskUnknown``.
    """
    params = {"task": task_id, "as_of": as_of, "limit": COMMENTS_MAX, "after": 0, "last": _last(as_of)}
    row = await database.fetch_one(_DETAIL if as_of is None else _DETAIL_AS_OF, params)
    assert row is not None, "it has no FROM"
    task, text, comments, rows, last = row
    if task is None or text is None:
        raise TaskUnknown("there is no such task, or there was none at that moment")
    more = encode_cursor(last) if rows > COMMENTS_MAX else None
    return TaskDetail(msgspec.Raw(task), msgspec.Raw(text), msgspec.Raw(comments), more)


async def task_comments(
    database: QueryDatabase,
    task_id: UUID,
    *,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
    as_of: int | None = None,
) -> Page:
    """A page of a task's comments, the oldest first."""
    after = decode_cursor(cursor, int)[0] if cursor is not None else 0
    if not 0 <= after <= UNBOUNDED:
        raise CursorInvalid
    params = {"task": task_id, "limit": limit, "after": after, "last": _last(as_of)}
    row = await database.fetch_one(f"SELECT c.* FROM ({_COMMENTS}) c", params)
    assert row is not None, "an aggregate always has one row"
    items, rows, last = row
    return Page(items, encode_cursor(last) if rows > limit else None)


async def task_changes(
    database: QueryDatabase,
    project_id: UUID,
    *,
    from_position: int,
    to_position: int,
    cursor: str | None = None,
    limit: int = PAGE_ROWS,
) -> tuple[list[Change], str | None]:
    """The tasks of a project that differ between two positions, by id, and the cursor of the page after."""
    after_id = decode_cursor(cursor, UUID)[0] if cursor is not None else UUID(int=0)
    low, high = sorted((from_position, to_position))
    params = {"project": project_id, "low": low, "high": high, "after": after_id, "limit": limit + 1}
    rows: Sequence[tuple[Any, ...]] = await database.fetch_all(
        _CHANGES, {**params, "from": from_position, "to": to_position}
    )
    changes = [Change(task_id, _raw(before), _raw(after)) for task_id, before, after in rows[:limit]]
    return changes, encode_cursor(rows[limit - 1][0]) if len(rows) > limit else None


def _last(as_of: int | None) -> int:
    return UNBOUNDED if as_of is None else as_of


def _raw(document: str | None) -> msgspec.Raw | None:
    return None if document is None else msgspec.Raw(document)


def _filter_params(wanted: TaskFilter) -> dict[str, Any]:
    for text in (wanted.text, *wanted.labels, *wanted.states):
        many_lines(text, "filter", chars_max=FILTER_TEXT_MAX, may_be_blank=True)
    return {
        "states": list(wanted.states),
        "assignee": wanted.assignee,
        "labels": list(wanted.labels),
        "text": wanted.text,
    }


_COMMENTS = (
    f"SELECT {json_array('c.doc', 'n <= %(limit)s')} AS items, count(*) AS rows, "
    "max(c.position) FILTER (WHERE n <= %(limit)s) AS last FROM ("
    "SELECT doc, position, row_number() OVER (ORDER BY position) AS n FROM readmodel.board_comment "
    "WHERE task_id = %(task)s AND position > %(after)s AND position <= %(last)s "
    "ORDER BY position LIMIT %(limit)s + 1) c"
)

_DETAIL = (
    "SELECT (SELECT doc FROM readmodel.board_task WHERE task_id = %(task)s), "
    "(SELECT doc FROM readmodel.board_text WHERE task_id = %(task)s), c.* "
    f"FROM ({_COMMENTS}) c"
)
_DETAIL_AS_OF = (
    f"SELECT ({as_of_document('board_task', 'task_id', '%(task)s', '%(as_of)s')}), "
    f"({as_of_document('board_text', 'task_id', '%(task)s', '%(as_of)s')}), c.* FROM ({_COMMENTS}) c"
)

_OF_PROJECT = "n.project_id = %(project)s"
_FORMER_TASKS = as_of_documents("board_task", "task_id", _OF_PROJECT, "%(as_of)s")
_FORMER_TEXTS = as_of_documents("board_text", "task_id", _OF_PROJECT, "%(as_of)s")

# A task was touched between two positions where what stood at the later one began after the earlier one.
_CHANGES = f"""
    WITH changed AS (
        SELECT v.task_id FROM ({as_of_documents("board_task", "task_id", _OF_PROJECT, "%(high)s")}) v
        WHERE v.valid_from > %(low)s AND v.task_id > %(after)s ORDER BY v.task_id LIMIT %(limit)s
    )
    SELECT c.task_id, ({as_of_document("board_task", "task_id", "c.task_id", "%(from)s")}),
           ({as_of_document("board_task", "task_id", "c.task_id", "%(to)s")})
    FROM changed c ORDER BY c.task_id
"""


@lru_cache(maxsize=2_000)
def _page_query(shape: tuple[bool, ...], sort: str, has_cursor: bool, is_past: bool) -> str:
    """The query for a page: its rows in order as a JSON array, their number and one, and where the page ends."""
    key, descending = SORTINGS[sort.removeprefix("-")].key, sort.startswith("-")
    direction = "DESC" if descending else "ASC"
    conditions = _conditions(shape, is_past)
    if has_cursor:
        conditions.append(f"({key}, t.task_id) {'<' if descending else '>'} (%(value)s, %(last)s)")
    source = "readmodel.board_task t"
    if is_past:
        source = f"(SELECT {_FORMER} FROM ({_FORMER_TASKS}) v) t"
    order = f"ORDER BY {key} {direction}, t.task_id {direction}"
    return (
        f"SELECT {json_array('p.doc', 'p.n <= %(limit)s')}, count(*), "
        "(array_agg(p.value) FILTER (WHERE p.n = %(limit)s))[1], (array_agg(p.task_id) FILTER (WHERE p.n = %(limit)s))[1] "
        f"FROM (SELECT t.doc, t.task_id, {key} AS value, row_number() OVER ({order}) AS n "
        f"FROM {source} WHERE {' AND '.join(conditions)} {order} LIMIT %(limit)s + 1) p"
    )


def _conditions(shape: tuple[bool, ...], is_past: bool) -> list[str]:
    """The conditions of a filter over ``t``."""
    by_state, by_assignee, unassigned, by_labels, by_text = shape
    conditions = ["true" if is_past else "t.project_id = %(project)s"]
    if by_state:
        conditions.append("t.state = ANY(%(states)s)")
    if by_assignee:
        conditions.append("t.assignee_id = %(assignee)s")
    if unassigned:
        conditions.append("t.assignee_id IS NULL")
    if by_labels:
        conditions.append("t.labels @> %(labels)s")
    if by_text:
        texts, words = "SELECT task_id, words FROM readmodel.board_text WHERE project_id = %(project)s", "x.words"
        if is_past:
            texts, words = _FORMER_TEXTS, WORDS
        conditions.append(
            f"t.task_id IN (SELECT x.task_id FROM ({texts}) x WHERE {words} @@ websearch_to_tsquery('simple', %(text)s))"
        )
    return conditions
