"""What holds in every history: folding, storing, and the histories themselves reaching all there is."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.kernel.event import Event, Recorded
from hivesync_core.projects.decider import project
from hivesync_core.projects.events import EVENTS as PROJECT_EVENTS
from hivesync_core.projects.events import ProjectCreated
from hivesync_core.tasks.decider import task
from hivesync_core.tasks.events import EVENTS as TASK_EVENTS
from tests.core.strategies import histories, recordings

CATALOGUE = Catalogue((*PROJECT_EVENTS, *TASK_EVENTS))


@settings(max_examples=30, deadline=None)
@given(histories())
def test_stored_and_read_again_every_history_folds_to_the_same_state(history: list[tuple[UUID, Event]]) -> None:
    streams: dict[UUID, list[Event]] = defaultdict(list)
    for stream_id, event in history:
        streams[stream_id].append(event)
    for events in streams.values():
        decider = project if isinstance(events[0], ProjectCreated) else task
        read = [CATALOGUE.decode(event.topic(), CATALOGUE.encode(event)) for event in events]
        assert read == events
        assert decider.fold(read) == decider.fold(events)


@settings(max_examples=30, deadline=None)
@given(recordings())
def test_positions_and_versions_have_no_gaps_and_time_does_not_go_back(log: list[Recorded]) -> None:
    versions: dict[UUID, int] = defaultdict(int)
    for position, recorded in enumerate(log, 1):
        versions[recorded.stream_id] += 1
        assert (recorded.position, recorded.version) == (position, versions[recorded.stream_id])
    times = [recorded.meta.recorded_at for recorded in log]
    assert times == sorted(times)
    assert len({recorded.meta.event_id for recorded in log}) == len(log)


class AllSeen(Exception):
    """There is nothing more to look for."""


def test_histories_reach_every_event_there_is() -> None:
    """Otherwise a test that draws histories would pass for want of cases."""
    missing: set[type[Event]] = {*PROJECT_EVENTS, *TASK_EVENTS}

    @settings(max_examples=1000, deadline=None, phases=[Phase.generate], database=None)
    @given(histories(turns_max=30))
    def look(history: list[tuple[UUID, Event]]) -> None:
        missing.difference_update(type(event) for _, event in history)
        if not missing:
            raise AllSeen

    with pytest.raises(AllSeen):
        look()
