"""Whom an event concerns: the members of the project that its stream belongs to, or one account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from hivesync_core.accounts.events import AccountRegistered
from hivesync_core.eventstore.catalogue import Catalogue
from hivesync_core.eventstore.errors import Undecodable, UnknownTopic
from hivesync_core.projects.events import MemberAdded, MemberRemoved, MemberRoleChanged
from projections.engine.entries import Entry, LogQueries

STREAMS_REMEMBERED_MAX: Final = 200_000

_FIRST_EVENTS = (
    "SELECT originator_id, topic, state FROM eventlog.events WHERE originator_id = ANY(%s) AND originator_version = 1"
)


class Audience(NamedTuple):
    """A project, an account, both or neither, as integers.

    An account beside a project is the member whom the event is about: they hear of it though they belong no more.
    """

    project: int | None = None
    account: int | None = None


NOBODY: Final = Audience()


class Audiences:
    """Knows for each event whom it concerns; asks the log for the first event of a stream that it does not know."""

    def __init__(self, database: LogQueries, catalogue: Catalogue) -> None:
        self._database = database
        self._catalogue = catalogue
        self._known: dict[int, Audience] = {}

    async def of(self, entries: Sequence[Entry]) -> list[Audience]:
        """The audience of each entry, in order; raises ``StoreUnavailable``."""
        if len(self._known) > STREAMS_REMEMBERED_MAX:
            # Another memory, not the same one emptied: who looks something up in it at the moment still finds it there.
            self._known = {}
        known = self._known
        unknown = set()
        for entry in entries:
            recorded = entry.recorded
            if recorded.stream_id.int not in known:
                if recorded.version == 1:
                    known[recorded.stream_id.int] = _of_stream(recorded.event)
                else:
                    unknown.add(recorded.stream_id)
        if unknown:
            known.update(await self._look_up(unknown))
        return [_of_event(entry.recorded.event, known[entry.recorded.stream_id.int]) for entry in entries]

    async def _look_up(self, streams: Iterable[UUID]) -> dict[int, Audience]:
        """The audiences of streams, all of them or none: what was not answered must not be taken for nobody's."""
        wanted = list(streams)
        found = {stream_id.int: NOBODY for stream_id in wanted}
        for stream_id, topic, state in await self._database.fetch_all(_FIRST_EVENTS, (wanted,)):
            try:
                found[stream_id.int] = _of_stream(self._catalogue.decode(topic, state))
            except (UnknownTopic, Undecodable):
                # A newer version's stream: nobody hears of it from a process that cannot tell whose it is.
                continue
        return found


def _of_stream(first: Any) -> Audience:
    """Whom the events of a stream concern, by its first: it names the project, or is an account's own."""
    if isinstance(first, AccountRegistered):
        return Audience(account=first.account_id.int)
    project_id = getattr(first, "project_id", None)
    return NOBODY if project_id is None else Audience(project=project_id.int)


def _of_event(event: Any, audience: Audience) -> Audience:
    if isinstance(event, MemberAdded | MemberRemoved | MemberRoleChanged):
        return audience._replace(account=event.account_id.int)
    return audience
