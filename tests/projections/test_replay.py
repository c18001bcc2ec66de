"""A read model is a function of the log alone: live, replayed, in any batches, interrupted or not, it is the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.kernel.event import Recorded
from projections.board import Board
from projections.engine.entries import LogReader
from projections.engine.rebuild import Rebuild
from projections.engine.rows import fold
from projections.help_queue import HelpQueue
from projections.history import History
from projections.registry import READ_MODELS
from tests.core.strategies import recordings
from tests.projections.support import Contents, build_up, contents, database, in_memory, run, store, with_database

cuts = st.lists(st.integers(0, 999), max_size=6)
"""Where a log is cut, in thousandths of its length."""

histories = recordings(turns_max=25).filter(lambda log: len(log) > 8)

REBUILT = (Board(), HelpQueue(), History())
"""Those with every kind of table."""


def _cut(log: list[Recorded], thousandths: list[int]) -> list[int]:
    return sorted({1 + len(log) * each // 1000 for each in thousandths})


def _folded(log: list[Recorded]) -> list[Contents]:
    return [in_memory(model, fold(model, log)) for model in READ_MODELS]


@with_database
@given(log=histories, batches=cuts, held=st.sampled_from((0, 1, 100)))
def test_batches_of_any_cut_give_what_a_fold_in_memory_gives(
    postgres_url: str, log: list[Recorded], batches: list[int], held: int
) -> None:
    async def projected(url: str) -> list[Contents]:
        async with database(url) as pool:
            await build_up(pool, cuts=_cut(log, batches), held_max=held)
            return [await contents(pool, model) for model in READ_MODELS]

    store(postgres_url, log)
    assert run(lambda: projected(postgres_url)) == _folded(log)


@with_database
@given(log=histories)
def test_event_by_event_gives_what_one_batch_gives(postgres_url: str, log: list[Recorded]) -> None:
    async def projected(**how: Any) -> list[Contents]:
        store(postgres_url, log)
        async with database(postgres_url) as pool:
            await build_up(pool, **how)
            return [await contents(pool, model) for model in READ_MODELS]

    assert run(lambda: projected(cuts=range(len(log)))) == run(projected)


@with_database
@given(log=histories, stops=cuts, live_at=st.integers(0, 999))
def test_a_rebuild_interrupted_anywhere_and_swapped_gives_the_live_read_model(
    postgres_url: str, log: list[Recorded], stops: list[int], live_at: int
) -> None:
    async def rebuilt(url: str) -> list[Contents]:
        async with database(url) as pool:
            reader = LogReader(pool, the_catalogue())
            await build_up(pool, up_to=len(log) * live_at // 1000)
            for model in REBUILT:
                for stop in sorted({*_cut(log, stops), len(log)}):
                    async with pool.direct("hivesync-tests") as connection:
                        rebuild = Rebuild(connection, reader, model, "tests")
                        await rebuild.begin()
                        await rebuild.run(stop)
                        if stop == len(log):
                            await rebuild.finish_indexes()
                            await rebuild.swap()
            return [await contents(pool, model) for model in REBUILT]

    store(postgres_url, log)
    assert run(lambda: rebuilt(postgres_url)) == [in_memory(model, fold(model, log)) for model in REBUILT]
