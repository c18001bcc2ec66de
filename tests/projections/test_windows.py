"""However a rebuild cuts the log into pages and transactions, and whatever fails in it, the read model is the same."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.kernel.event import Recorded
from projections.board import Board
from projections.engine import bulk, tables
from projections.engine import rebuild as rebuilding
from projections.engine.audit import audit
from projections.engine.entries import LogReader
from projections.engine.readmodel import ReadModel
from projections.engine.rebuild import Rebuild
from projections.engine.retry import parked_streams
from projections.engine.rows import Rows, fold
from projections.help_queue import HelpQueue
from projections.history import History
from tests.core.strategies import recordings
from tests.projections.support import Contents, build_up, contents, database, in_memory, run, store, with_database


class Sizes(NamedTuple):
    """Events of a page and of a transaction, rows that stay in memory between two, pages that wait to be sent.

    ``early`` are the rows that hardly change any more after which they are written before a transaction ends.
    """

    page: int
    window: int
    held: int
    waiting: int
    early: int


sizes = st.builds(
    Sizes,
    st.integers(1, 9),
    st.sampled_from((1, 4, 10, 1_000)),
    st.sampled_from((0, 2, 100)),
    st.sampled_from((1, 2, 100)),
    st.sampled_from((1, 3, 100)),
)
histories = recordings(turns_max=25).filter(lambda log: len(log) > 8)


class Fragile(Board):
    """A board that cannot bear the events at some positions."""

    fails_at: ClassVar[frozenset[int]] = frozenset()

    def apply(self, recorded: Recorded, rows: Rows) -> None:
        """Change something, then fail."""
        super().apply(recorded, rows)
        if recorded.position in self.fails_at:
            raise RuntimeError("cannot bear it")


def _rebuilt(url: str, model: ReadModel, of: Sizes) -> tuple[Contents, list[tuple[object, int]]]:
    """What is in the tables of a read model after a rebuild and its swap, and which streams are parked where."""

    async def work() -> tuple[Contents, list[tuple[object, int]]]:
        async with database(url) as pool:
            await build_up(pool, [model], up_to=0)
            reader = LogReader(pool, the_catalogue())
            async with pool.direct("hivesync-tests") as connection:
                rebuild = Rebuild(connection, reader, model, "tests")
                await rebuild.begin()
                await rebuild.run(await reader.head())
                await rebuild.finish_indexes()
                await rebuild.swap()
            assert [each.flaws for each in await audit(pool, [model.name])] == [[]]
            parked = [(each.stream_id, each.position) for each in await parked_streams(pool, [model.name])]
            return await contents(pool, model), sorted(parked, key=repr)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuilding, "PAGE_EVENTS", of.page)
        patch.setattr(rebuilding, "HELD_ROWS_MAX", of.held)
        patch.setattr(bulk, "WINDOW_EVENTS", of.window)
        patch.setattr(bulk, "WAITING_PAGES_MAX", of.waiting)
        patch.setattr(tables, "SOON_FINAL_ROWS", of.early)
        patch.setattr(rebuilding, "WINDOW_EVENTS", of.window)
        return run(work)


@with_database
@given(log=histories, of=sizes, model=st.sampled_from((Board(), HelpQueue(), History())))
def test_pages_and_transactions_of_any_size_give_what_a_fold_in_memory_gives(
    postgres_url: str, log: list[Recorded], of: Sizes, model: ReadModel
) -> None:
    store(postgres_url, log)
    assert _rebuilt(postgres_url, model, of) == (in_memory(model, fold(model, log)), [])


@with_database
@given(log=histories, of=sizes, failing=st.frozensets(st.integers(1, 40), min_size=1, max_size=4))
def test_events_that_fail_park_their_streams_and_cost_no_other(
    postgres_url: str, log: list[Recorded], of: Sizes, failing: frozenset[int]
) -> None:
    Fragile.fails_at = failing
    first: dict[object, int] = {}
    for one in log:
        if one.position in failing and type(one.event) in Board.events:
            first.setdefault(one.stream_id, one.position)
    borne = [one for one in log if one.position < first.get(one.stream_id, one.position + 1)]
    store(postgres_url, log)
    rows, parked = _rebuilt(postgres_url, Fragile(), of)
    assert parked == sorted(first.items(), key=repr)
    assert rows == in_memory(Board(), fold(Board(), borne))
