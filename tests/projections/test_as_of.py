"""What a query answers as of any position is what a fold of the log up to there holds; the present is the last of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.connections import Database
from hivesync_core.kernel.event import Recorded
from projections.board.queries import (
    COMMENTS_MAX,
    SORTINGS,
    TaskFilter,
    TaskUnknown,
    task_changes,
    task_comments,
    task_detail,
    task_page,
)
from projections.engine.queries import Page
from projections.help_queue.queries import queue
from projections.projects.queries import ProjectUnknown, project_detail, project_page
from tests.core.strategies import PEOPLE, recordings
from tests.projections.moments import Moment
from tests.projections.support import build_up, database, run, store, streams, with_database

NOW = None
histories = recordings(turns_max=25, tasks_max=6).filter(lambda log: len(streams(log, "task")) > 1)
_states = st.lists(
    st.sampled_from(("open", "help_requested", "helping", "completed", "archived")), min_size=1, max_size=3
).map(tuple)
_labels = st.lists(st.sampled_from(("bug", "docs", "garden")), min_size=1, max_size=2, unique=True).map(tuple)
_words = st.sampled_from(("gate", "mend gate", "FENCE", "nothing"))
filters = st.one_of(
    st.builds(TaskFilter, states=_states),
    st.builds(TaskFilter, assignee=st.sampled_from(PEOPLE)),
    st.builds(TaskFilter, unassigned=st.just(True)),
    st.builds(TaskFilter, labels=_labels),
    st.builds(TaskFilter, text=_words),
    st.builds(TaskFilter, states=_states, labels=_labels, text=_words),
)
sorts = st.sampled_from([f"{sign}{name}" for name in SORTINGS for sign in ("", "-")])


def _at(log: list[Recorded], positions: list[int]) -> list[int | None]:
    """The positions that lie in the log, its beginning, its end, and now."""
    return [*sorted({0, len(log)} | {at for at in positions if at <= len(log)}), NOW]


async def _all_pages(page_at: Callable[[str | None], Awaitable[Page]]) -> list[Any]:
    items: list[Any] = []
    cursor: str | None = None
    while True:
        page = await page_at(cursor)
        items += msgspec.json.decode(page.items)
        if page.next_cursor is None:
            return items
        cursor = page.next_cursor


positions = st.lists(st.integers(1, 60), max_size=3)


@with_database
@given(log=histories, ats=positions, wanted=filters, sort=sorts, limit=st.integers(1, 4))
def test_a_board_is_what_its_prefix_folds_to_under_every_filter_and_sorting_through_all_pages(
    postgres_url: str, log: list[Recorded], ats: list[int], wanted: TaskFilter, sort: str, limit: int
) -> None:
    async def check(pool: Database) -> None:
        for as_of in _at(log, ats):
            moment = Moment(log, len(log) if as_of is None else as_of)
            for project_id in streams(log, "project"):
                for asked in (wanted, TaskFilter()):
                    shown = await _all_pages(
                        lambda cursor, project_id=project_id, asked=asked, as_of=as_of: task_page(
                            pool, project_id, asked, sort=sort, cursor=cursor, limit=limit, as_of=as_of
                        )
                    )
                    assert shown == moment.board(project_id, asked, sort)

    _projected(postgres_url, log, check)


@with_database
@given(log=histories, ats=positions)
def test_a_task_its_comments_and_the_help_queue_are_what_their_prefix_folds_to(
    postgres_url: str, log: list[Recorded], ats: list[int]
) -> None:
    async def check(pool: Database) -> None:
        for as_of in _at(log, ats):
            moment = Moment(log, len(log) if as_of is None else as_of)
            for task_id in streams(log, "task"):
                expected = moment.task(task_id)
                assert await _shown_task(pool, task_id, as_of) == expected
                comments = await _all_pages(
                    lambda cursor, task_id=task_id, as_of=as_of: task_comments(
                        pool, task_id, cursor=cursor, limit=1, as_of=as_of
                    )
                )
                assert comments == ([] if expected is None else expected["comments"])
            for project_id in streams(log, "project"):
                calls = await queue(pool, project_id, as_of=as_of)
                assert [(each.place, msgspec.json.decode(each.call)) for each in calls] == moment.queue(project_id)

    _projected(postgres_url, log, check)


async def _shown_task(pool: Database, task_id: UUID, as_of: int | None) -> dict[str, Any] | None:
    try:
        detail = await task_detail(pool, task_id, as_of=as_of)
    except TaskUnknown:
        return None
    assert detail.next_comments is None
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(detail))
    del shown["next_comments"]
    return shown


@with_database
@given(log=recordings(turns_max=20, projects_max=4), ats=positions)
def test_projects_are_what_their_prefix_folds_to(postgres_url: str, log: list[Recorded], ats: list[int]) -> None:
    async def check(pool: Database) -> None:
        present = Moment(log, len(log))
        for as_of in _at(log, ats):
            moment = Moment(log, len(log) if as_of is None else as_of)
            for member_id in (None, *PEOPLE):
                shown = await _all_pages(
                    lambda cursor, member_id=member_id, as_of=as_of: project_page(
                        pool, member_id=member_id, cursor=cursor, limit=1, as_of=as_of
                    )
                )
                assert shown == [
                    project
                    for project in moment.projects()
                    if member_id is None or member_id in present.members(UUID(project["project_id"]))
                ]
            for project_id in streams(log, "project"):
                try:
                    document = msgspec.json.decode(await project_detail(pool, project_id, as_of=as_of))
                except ProjectUnknown:
                    document = None
                assert document == moment.project(project_id)

    _projected(postgres_url, log, check)


@with_database
@given(log=histories, first=st.integers(0, 60), second=st.integers(0, 60), limit=st.integers(1, 3))
def test_the_difference_of_two_moments_is_the_difference_of_their_folds(
    postgres_url: str, log: list[Recorded], first: int, second: int, limit: int
) -> None:
    before_at, after_at = min(first, len(log)), min(second, len(log))

    async def check(pool: Database) -> None:
        for project_id in streams(log, "project"):
            before, after = Moment(log, before_at).cards(project_id), Moment(log, after_at).cards(project_id)
            shown: dict[UUID, tuple[Any, Any]] = {}
            cursor: str | None = None
            while True:
                changes, cursor = await task_changes(
                    pool, project_id, from_position=before_at, to_position=after_at, cursor=cursor, limit=limit
                )
                assert len(changes) <= limit
                shown |= {change.task_id: (_decoded(change.before), _decoded(change.after)) for change in changes}
                if cursor is None:
                    break
            assert shown == {
                task_id: (before.get(task_id), after.get(task_id))
                for task_id in before.keys() | after.keys()
                if before.get(task_id) != after.get(task_id)
            }
            assert list(shown) == sorted(shown)

    _projected(postgres_url, log, check)


def _decoded(document: msgspec.Raw | None) -> Any:
    return None if document is None else msgspec.json.decode(document)


def _projected(url: str, log: list[Recorded], check: Callable[[Database], Awaitable[None]]) -> None:
    async def projected() -> None:
        async with database(url) as pool:
            await build_up(pool)
            await check(pool)

    store(url, log)
    run(projected)


async def test_a_task_with_many_comments_shows_the_first_and_a_cursor_to_the_rest(postgres_url: str) -> None:
    from tests.projections.stories import task_with_comments

    log = task_with_comments(COMMENTS_MAX + 3)
    store(postgres_url, log)
    async with database(postgres_url) as pool:
        await build_up(pool)
        (task_id,) = streams(log, "task")
        detail = await task_detail(pool, task_id)
        assert len(msgspec.json.decode(detail.comments)) == COMMENTS_MAX
        rest = await task_comments(pool, task_id, cursor=detail.next_comments)
        texts = [comment["text"] for comment in msgspec.json.decode(detail.comments) + msgspec.json.decode(rest.items)]
    assert texts == [one.event.text for one in log if one.event.topic() == "task.commented.v1"]
