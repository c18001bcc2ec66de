"""The promise of the socket: what was read at N, and the events after it, are together what is read at M.

Histories are random; somebody watches them who comes, goes, loses projects and gets them back. They connect before or
after the first reading, resume in the middle, on one process or on another, and end with the picture that the API gives.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.gateway.news import event_message
from adapters.ids import now, uuid7
from hivesync_core.eventstore.events import the_catalogue
from hivesync_core.eventstore.mapper import MsgspecMapper
from hivesync_core.eventstore.records import Append
from hivesync_core.kernel.event import Event, Meta, Recorded
from projections.engine.entries import Entry
from tests.core.strategies import PEOPLE, histories
from tests.gateway.client import Client, client
from tests.gateway.picture import Picture, decoded, read_snapshot
from tests.gateway.server import Server

GOLDEN = Path(__file__).parents[1] / "golden" / "events.jsonl"

History = list[tuple[UUID, Event]]


class Story:
    """A random history, told to the log of a real server piece by piece, with one of its people being real."""

    def __init__(self, server: Server, history: History, watcher: UUID) -> None:
        self._server = server
        self._mapper = MsgspecMapper(the_catalogue())
        self._names = {PEOPLE[0]: watcher}
        self._versions: dict[UUID, int] = {}
        self._untold = [(self._real(stream_id), self._with_real_names(event)) for stream_id, event in history]
        self.position = 0

    async def tell(self, events: int) -> None:
        """Let so many events more happen."""
        happening, self._untold = self._untold[:events], self._untold[events:]
        for stream_id, event in happening:
            version = self._versions[stream_id] = self._versions.get(stream_id, 0) + 1
            command_id = uuid7()
            meta = Meta(
                event_id=uuid7(), recorded_at=now(), actor="system", correlation_id=command_id, command_id=command_id
            )
            appended = await self._server.commit.append(
                Append((self._mapper.to_new_event(stream_id, version, event, meta),))
            )
            self.position = appended.last_position
        assert await self._server.positions.wait("board", self.position, 10)
        assert await self._server.positions.wait("projects", self.position, 10)

    async def tell_the_rest(self) -> None:
        """Let everything happen that has not."""
        await self.tell(len(self._untold))

    def _real(self, made_up: UUID) -> UUID:
        return self._names.setdefault(made_up, uuid7())

    def _with_real_names(self, event: Event) -> Event:
        """The event with ids that no other example has."""
        return msgspec.convert(self._renamed(msgspec.to_builtins(event)), type(event))

    def _renamed(self, value: Any) -> Any:
        match value:
            case dict():
                return {key: self._renamed(item) for key, item in value.items()}
            case list() | tuple():
                return [self._renamed(item) for item in value]
            case str() if len(value) == 36 and value.count("-") == 4:
                return str(self._real(UUID(value)))
        return value


async def _hear_all(one: Client, picture: Picture, position: int) -> int:
    """Take in everything up to a position; the last position that the socket spoke of."""
    await one.send("ping", nonce="that was all")
    reached = 0
    while True:
        message = await one.receive()
        reached = max(reached, message["position"])
        if message["event_type"] == "pong" and message["position"] >= position:
            return reached
        if message["event_type"] == "pong":
            await one.send("ping", nonce="that was all")
        elif "event_id" in message:
            await picture.hear(message)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=histories(turns_max=12), first=st.integers(0, 15), second=st.integers(0, 15), early=st.booleans())
async def test_a_reading_and_the_events_after_it_are_a_later_reading(
    server: Server, other_server: Server, history: History, first: int, second: int, early: bool
) -> None:
    watcher = await server.member(f"{uuid7().hex}@example.org")
    story, picture = Story(server, history, watcher.account_id), Picture(server.database, watcher.account_id)

    # Before or after the first reading, there is a socket; what it sends of the time before the reading changes nothing.
    if not early:
        await story.tell(first)
    async with client(server) as one:
        accepted = await one.authenticate(watcher.access_token)
        if early:
            await story.tell(first)
        read_at = max(accepted["position"], story.position)
        for project in accepted["payload"]["projects"]:
            await picture.read(UUID(project), read_at)
        await story.tell(second)
        reached = await _hear_all(one, picture, story.position)

    # Away, while more happens; back on another process, from the last position.
    await story.tell_the_rest()
    async with client(other_server) as one:
        accepted = await one.authenticate(watcher.access_token, after=reached)
        await _hear_all(one, picture, story.position)

    assert picture.projects == {UUID(project) for project in accepted["payload"]["projects"]}
    for project_id in picture.projects:
        assert picture.of(project_id) == await read_snapshot(server.database, project_id, story.position)


@pytest.mark.parametrize("line", GOLDEN.read_text(encoding="utf-8").splitlines())
def test_every_event_that_can_be_stored_can_be_sent_and_read_again(line: str) -> None:
    topic = msgspec.json.decode(line)["type"]
    if topic not in the_catalogue().classes:
        pytest.fail(f"{topic} is stored and not known")
    event = the_catalogue().decode(topic, line)
    command_id = uuid7()
    meta = Meta(event_id=uuid7(), recorded_at=now(), actor="system", correlation_id=command_id, command_id=command_id)
    entry = Entry(Recorded(7, uuid7(), 3, event, meta), topic, bytes(32))

    message = msgspec.json.decode(msgspec.json.encode(event_message(entry, project=5)))

    again = decoded(message)
    assert again.event == event
    assert (again.position, again.stream_id, again.version) == (7, entry.recorded.stream_id, 3)
    assert again.meta.recorded_at == meta.recorded_at
    assert f"{message['event_type']}.v{message['schema_version']}" == topic
