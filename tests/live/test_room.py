"""What a viewer has: a snapshot and what came after it are the snapshot of later, whatever was edited."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.gateway.live.copying import Copy, frames_of
from adapters.gateway.live.room import Picture, Room
from adapters.ids import uuid7
from shared.socket.live import Focus, Patch
from tests.live.people import ViewerClient

NAMES = ("a.py", "b/c.ts", "d")
TEXTS = st.text(
    alphabet=st.one_of(st.sampled_from("\r\n\nab\U0001f600e\u0301\u2028"), st.characters(exclude_categories=["Cs"])),
    max_size=30,
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "change", "change", "change", "close", "rename", "show"]),
        st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 60), st.integers(0, 60), TEXTS,
    ),
    max_size=25,
)  # fmt: skip


def step(room: Room, kind: str, name: str, other: str, at: int, deleted: int, text: str) -> None:
    """Let a host do something, if it can."""
    file = room.files.get(name)
    if kind == "open":
        room.open(name, at, text, "python")
    elif file is None:
        return
    elif kind == "close":
        room.close(name)
    elif kind == "rename" and other not in room.files:
        room.rename(name, other)
    elif kind == "show":
        room.show(Focus(file=name))
    elif kind == "change":
        length, version = len(file.document.text), file.document.version
        at = min(at, length)
        change = file.document.change_at(at, min(deleted, length - at), text)
        room.change(Patch(file=name, base_version=version, version=version + 1, changes=(change,)))


async def seen(room: Room, picture: Picture, more: bytes = b"") -> dict[str, Any]:
    """What a viewer has after a snapshot and some messages."""
    viewer = ViewerClient("http://nowhere", "token")
    frames = b"".join([room.snapshot_head(picture, "joined"), *picture.frames, more])
    for _, text in frames_of(frames):
        await viewer.hear(json.loads(text))
    return {
        "files": {name: (document.text, document.version) for name, document in viewer.files.items()},
        "focus": viewer.focus and viewer.focus["file"],
        "host": viewer.host_status,
    }


@settings(max_examples=60, deadline=None)
@given(STEPS, st.data())
def test_a_snapshot_and_what_came_after_it_are_the_snapshot_of_later(steps: list[Any], data: st.DataObject) -> None:
    async def tried() -> None:
        room = Room(uuid7())
        room.begin(1)
        early = data.draw(st.integers(0, len(steps)))
        for one in steps[:early]:
            step(room, *one)
        before = room._new_picture()
        for one in steps[early:]:
            step(room, *one)
        missed = room.missed(before.epoch, before.seq)
        assert missed is not None
        assert await seen(room, before, missed.frames) == await seen(room, room._new_picture())

    asyncio.run(tried())


@settings(max_examples=40, deadline=None)
@given(STEPS, st.data())
def test_a_copy_in_another_process_is_the_room(steps: list[Any], data: st.DataObject) -> None:
    async def tried() -> None:
        room, other = Room(uuid7()), Room(uuid7())
        room.begin(3)
        early = data.draw(st.integers(0, len(steps)))
        for one in steps[:early]:
            step(room, *one)
        copy, before = Copy(other), room.picture()
        copy.picture(before.epoch, before.seq, b"".join(before.frames))
        room.fan_out.settle()
        fed: list[tuple[int, int, bytes]] = []
        room.on_written = lambda first, last, frames: fed.append((first, last, frames))
        for one in steps[early:]:
            step(room, *one)
            room.fan_out.settle()
        for first, last, frames in fed:
            copy.frames(3, first, last, frames)
        assert (other.epoch, other.seq) == (room.epoch, room.seq)
        assert await seen(other, other.picture()) == await seen(room, room._new_picture())

    asyncio.run(tried())
