"""The eventsourcing library's application over HiveSync's events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import ApplicationRecorder, InfrastructureFactory, Mapper
from eventsourcing.popo import POPOFactory
from eventsourcing.utils import Environment

from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.mapper import MsgspecMapper


class HiveSyncApplication(Application[UUID]):
    """HiveSync's mapper and recorder behind the library's application.

    ``recorder`` is the server's on PostgreSQL, or one of the library's in memory. Nothing is configured by the
    process's environment. What is appended here is not decided by any rules: that is what the ``Log`` is for.
    """

    name = "hivesync"

    def __init__(self, recorder: ApplicationRecorder, catalogue: Catalogue | None = None) -> None:
        self._given_recorder = recorder
        self._catalogue = catalogue or the_catalogue()
        super().__init__()

    def construct_env(self, name: str, env: Mapping[str, str] | None = None) -> Environment:
        """An environment of its own: the library's variables do not reach in from outside."""
        return Environment(name, {})

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """The library's factory in memory; what it would make is given."""
        return POPOFactory(env)

    def construct_mapper(self) -> Mapper[UUID]:
        """The mapper that stores msgspec structs under their tags."""
        return MsgspecMapper(self._catalogue)

    def construct_recorder(self) -> ApplicationRecorder:
        """The recorder that was given."""
        return self._given_recorder
