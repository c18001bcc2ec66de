"""The library's own tests of recorders, run against ours on every PostgreSQL here, and against the one in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, StoredEvent
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
)

from adapters.postgres.recorder import HiveSyncDatastore, HiveSyncRecorder
from tests.servers.postgres import PostgresServers, versions


class AsAggregateRecorder(AggregateRecorder):
    """What the library asks of a recorder for single streams: no positions, no envelope. Ours answers with more."""

    def __init__(self, recorder: ApplicationRecorder) -> None:
        self._recorder = recorder

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        """Store, and say nothing of positions."""
        self._recorder.insert_events(stored_events, **kwargs)

    def select_events(self, originator_id: UUID | str, **kwargs: Any) -> Sequence[StoredEvent]:
        """The bare events."""
        found = self._recorder.select_events(originator_id, **kwargs)
        return [StoredEvent(e.originator_id, e.originator_version, e.topic, e.state) for e in found]


class OnPostgres:
    """Gives each test a recorder on a fresh database of one version."""

    version: str

    @pytest.fixture(autouse=True)
    def _fresh_database(self, postgres_servers: PostgresServers) -> Iterator[None]:
        with postgres_servers.get(self.version).database() as url, HiveSyncDatastore(url) as datastore:
            self.datastore = datastore
            yield

    def create_recorder(self) -> HiveSyncRecorder:
        """Ours, as the server makes it."""
        return HiveSyncRecorder(self.datastore)


class OfStreams(OnPostgres, AggregateRecorderTestCase):
    """Single streams."""

    def create_recorder(self) -> AggregateRecorder:  # type: ignore[override]
        """Ours, seen as a recorder of single streams."""
        return AsAggregateRecorder(super().create_recorder())


class OfApplications(OnPostgres, ApplicationRecorderTestCase[HiveSyncRecorder]):
    """The whole log, and subscriptions to it."""

    def test_insert_subscribe(self) -> None:
        """The test that the library leaves to those who offer subscriptions."""
        self.optional_test_insert_subscribe()


class OfPositions(OnPostgres, NonInterleavingNotificationIDsBaseCase):
    """Two writers at once: the events of one append stand together."""


def _on_every_version() -> Iterator[tuple[str, type]]:
    for version in versions():
        for case in (OfStreams, OfApplications, OfPositions):
            name = f"Test{case.__name__}OnPostgres{version}"
            yield name, type(name, (case,), {"version": version, "__test__": True, "__doc__": case.__doc__})


globals().update(_on_every_version())
for _case in (
    OfStreams,
    OfApplications,
    OfPositions,
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
):
    setattr(_case, "__test__", False)  # noqa: B010 - pytest's mark, of which the classes' types know nothing
