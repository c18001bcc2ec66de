"""A working set against a model of it: rows put, changed, dropped and put again, in batches of any cut, on a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hivesync_core.kernel.event import Recorded
from hivesync_core.tasks.events import TaskCommented
from projections.engine.readmodel import ReadModel, Table
from projections.engine.rows import NotLoaded, Rows
from tests.projections.stories import ANNA, log_of, task_id
from tests.projections.support import Contents, build_up, contents, database, run, store, with_database


class ThingRow(msgspec.Struct):
    """A thing that the test is about."""

    thing_id: UUID
    name: str
    tags: list[str]


class NoteRow(msgspec.Struct):
    """One event on a thing."""

    position: int
    thing_id: UUID
    text: str


THINGS = Table("thing", ThingRow, key="thing_id", exposed=("name", "tags"), history=(), indexes=("(name)",))
NOTES = Table("note", NoteRow, key="position", exposed=("thing_id",), append_only=True)


class Things(ReadModel):
    """What is done is told by the text of a comment: ``put x``, ``rename x`` or ``drop``."""

    name = "things"
    tables = (THINGS, NOTES)
    events = (TaskCommented,)

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Do it."""
        things, thing_id = rows.of(THINGS), recorded.stream_id
        what, _, name = recorded.event.text.partition(" ")
        rows.of(NOTES).insert(NoteRow(recorded.position, thing_id, recorded.event.text))
        if what == "put":
            things.insert(
                ThingRow(
                    thing_id,
                    name,
                    [name, "\\N", '"\t{'],
                )
            )
        elif what == "rename" and things.get(thing_id) is not None:
            things.change(thing_id).name = name
        elif what == "drop":
            things.delete(thing_id)


_names = st.sampled_from(("a", "b", "ä\\t\n", "\t"))
_texts = st.one_of(_names.map("put {}".format), _names.map("rename {}".format), st.just("drop"))
doings = st.lists(st.tuples(st.integers(1, 3), _texts), max_size=60)


def _log(done: Sequence[tuple[int, str]]) -> list[Recorded]:
    return log_of(
        (task_id(thing), TaskCommented(comment_id=UUID(int=number), author_id=ANNA, text=text))
        for number, (thing, text) in enumerate(done)
    )


def _wanted(log: Sequence[Recorded]) -> Contents:
    """What must come of it, worked out without a working set: the versions of each thing, one after the other."""
    standing: dict[UUID, tuple[int, ThingRow]] = {}
    history: list[tuple[Any, ...]] = []
    for one in log:
        what, _, name = one.event.text.partition(" ")
        before = standing.get(one.stream_id)
        if what == "put":
            after = ThingRow(one.stream_id, name, [name, "\\N", '"\t{'])
        elif what == "rename" and before is not None:
            after = msgspec.structs.replace(before[1], name=name)
        elif what == "drop":
            standing.pop(one.stream_id, None)
        if before is not None and what in ("put", "rename", "drop"):
            history.append((one.stream_id, before[0], one.position, _doc(before[1])))
        if what == "put" or (what == "rename" and before is not None):
            standing[one.stream_id] = (one.position, after)
    things = [(key, row.name, tuple(row.tags), at, _doc(row)) for key, (at, row) in standing.items()]
    notes = [
        (one.position, one.stream_id, one.position, _doc(NoteRow(one.position, one.stream_id, one.event.text)))
        for one in log
    ]
    return {
        "thing": sorted(things, key=repr),
        "thing_history": sorted(history, key=repr),
        "note": sorted(notes, key=repr),
    }


def _doc(row: Any) -> str:
    return msgspec.json.encode(row).decode()


@with_database
@given(done=doings, cuts=st.lists(st.integers(1, 60), max_size=12))
def test_rows_come_and_go_as_the_events_say_whatever_the_batches(
    postgres_url: str, done: list[tuple[int, str]], cuts: list[int]
) -> None:
    log = _log(done)

    async def projected() -> Contents:
        async with database(postgres_url) as pool:
            await build_up(pool, [Things()], cuts=cuts)
            return await contents(pool, Things())

    store(postgres_url, log)
    assert run(projected) == _wanted(log)


def test_a_row_that_was_dropped_and_put_again_in_one_batch_of_many_is_there_once(postgres_url: str) -> None:
    done = [(thing, "put a") for thing in range(1, 40)]
    again = [(thing, text) for thing in range(1, 40) for text in ("drop", "put b", "drop", "put c")]
    gone = [(thing, text) for thing in range(1, 40) for text in ("rename d", "drop")]
    log = _log([*done, *again, *gone])

    async def projected(up_to: int) -> Contents:
        async with database(postgres_url) as pool:
            await build_up(pool, [Things()], cuts=[len(done), len(done) + len(again)], up_to=up_to)
            return await contents(pool, Things())

    store(postgres_url, log)
    for end in (len(done) + len(again), len(log)):
        assert run(lambda end=end: projected(end)) == _wanted(log[:end])


def test_a_row_that_was_not_asked_for_cannot_be_touched() -> None:
    rows = Rows(Things())
    things = rows.of(THINGS)
    for touch in (things.get, things.delete, things.change):
        with pytest.raises(NotLoaded):
            touch(task_id(1))
    with pytest.raises(NotLoaded):
        things.insert(ThingRow(task_id(1), "a", []))
    things.absent(task_id(1))
    assert things.get(task_id(1)) is None


def test_a_working_set_keeps_the_rows_that_were_touched_last() -> None:
    rows = Rows(Things())
    things = rows.of(THINGS)
    for number in range(10):
        things.absent(task_id(number))
        rows.position = number
        things.insert(ThingRow(task_id(number), "a", []))
    rows.written(20)
    things.change(task_id(0)).name = "again"
    for number in range(10, 20):
        things.absent(task_id(number))
    assert [number for number in range(20) if things.knows(task_id(number))] == list(range(20))
    rows.written(20)
    assert [number for number in range(20) if things.knows(task_id(number))] == [0, *range(10, 20)]
    assert things.changed == {}
    assert things.replaced == []
    rows.written(0)
    assert len(things) == 0
