"""Every member gets every frame once and in order, and the number that goes with it, whoever comes and goes between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.gateway.live.fan_out import COHORT_MAX, PENDING_BYTES_MAX, FanOut
from adapters.gateway.live.pace import CORE_SHARE, EVERY_S_MAX, EVERY_S_MIN, Pace
from tests.gateway.wire import Wire


class Member:
    """A viewer, with the number of the first frame that is for it."""

    def __init__(self, since: int = 1) -> None:
        self.wire = Wire()
        self.since = since
        self.lag = 0

    def lagged(self) -> None:
        """Count."""
        self.lag += 1

    @property
    def has(self) -> bytes:
        """Everything that was written to it."""
        return b"".join(self.wire.writes)


class Stand:
    """A fan-out with frames that say their number, and a listener that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, int, bytes]] = []
        self.fan_out = FanOut(lambda first, last, data: self.heard.append((first, last, data)), Pace())
        self.seq = 0

    def push(self, length: int = 8) -> None:
        """Send the next frame."""
        self.seq += 1
        self.fan_out.push(frame(self.seq, length), self.seq)

    def join(self) -> Member:
        """A member that has everything so far."""
        member = Member(self.seq + 1)
        self.fan_out.join(member)
        return member


def frame(seq: int, length: int = 8) -> bytes:
    """The frame of a number."""
    return f"{seq} ".encode().ljust(length, b".")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["push", "push", "push", "join", "leave", "pause", "settle", "turn"]), st.integers(0, 999)
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_each_member_has_every_frame_since_it_came_and_knows_up_to_which(steps: list[tuple[str, int]]) -> None:
    async def tried() -> None:
        stand, members, gone = Stand(), [Member()], []
        stand.fan_out.join(members[0])
        for kind, number in steps:
            await carry_out(stand, members, gone, kind, number)
        stand.fan_out.settle()
        for member in members:
            assert member.lag or stand.fan_out.written_to(member) == stand.seq
        gone += [(member, stand.seq) for member in members if not member.lag]
        for member, up_to in gone:
            assert member.has == b"".join(frame(seq) for seq in range(member.since, up_to + 1))
        assert b"".join(data for _, _, data in stand.heard) == b"".join(frame(seq + 1) for seq in range(stand.seq))
        assert [first for first, _, _ in stand.heard] == [1, *(last + 1 for _, last, _ in stand.heard[:-1])][
            : len(stand.heard)
        ]

    asyncio.run(tried())


async def carry_out(stand: Stand, members: list[Member], gone: list[Any], kind: str, number: int) -> None:
    """One step of the property."""
    member = members[number % len(members)] if members else None
    match kind:
        case "push":
            stand.push()
        case "join":
            members.append(stand.join())
        case "settle":
            stand.fan_out.settle()
        case "turn":
            await asyncio.sleep(0 if number % 2 else EVERY_S_MIN)
        case "pause" if member is not None:
            member.wire.paused = True
        case "leave" if member is not None:
            members.remove(member)
            up_to = stand.fan_out.leave(member)
            if not member.lag:
                assert up_to is not None
                gone.append((member, up_to))


async def test_the_first_frame_after_a_pause_leaves_at_once_and_later_ones_together() -> None:
    stand = Stand()
    member = stand.join()
    stand.push()
    await asyncio.sleep(0.001)
    assert member.wire.writes == [frame(1)]
    stand.push()
    stand.push()
    assert len(member.wire.writes) == 1
    await asyncio.sleep(EVERY_S_MAX * 2)
    assert member.wire.writes[1:] == [frame(2) + frame(3)]


async def test_a_cohort_that_is_written_later_gets_what_came_meanwhile() -> None:
    stand = Stand()
    members = [stand.join() for _ in range(COHORT_MAX * 2)]
    stand.push()
    while not any(member.wire.writes for member in members):
        await asyncio.sleep(0)
    late = [member for member in members if not member.wire.writes]
    stand.push()
    while not all(member.wire.writes for member in members):
        await asyncio.sleep(0)
    assert len(late) == COHORT_MAX
    assert {member.wire.writes[0] for member in late} == {frame(1) + frame(2)}


async def test_a_member_that_takes_no_more_is_left_out_and_told() -> None:
    stand = Stand()
    slow, quick = stand.join(), stand.join()
    slow.wire.paused = True
    stand.push()
    stand.fan_out.settle()
    assert (slow.lag, slow.wire.writes, slow in stand.fan_out) == (1, [], False)
    assert quick.wire.writes == [frame(1)]


async def test_what_waits_is_bounded() -> None:
    stand = Stand()
    members = [stand.join() for _ in range(COHORT_MAX + 1)]
    for _ in range(100):
        stand.push(PENDING_BYTES_MAX // 10)
        assert stand.fan_out._size <= PENDING_BYTES_MAX
    stand.fan_out.settle()
    assert not stand.fan_out._frames
    assert all(len(member.has) == 100 * (PENDING_BYTES_MAX // 10) for member in members)


@pytest.mark.parametrize(
    ("viewers", "every_s"), [(0, EVERY_S_MIN), (50, EVERY_S_MIN), (1_000, 0.007 / CORE_SHARE), (12_000, EVERY_S_MAX)]
)
def test_the_pace_is_what_the_cost_of_a_round_allows(viewers: int, every_s: float) -> None:
    pace = Pace()
    for _ in range(500):
        pace.cost(7e-6 * COHORT_MAX, COHORT_MAX)
    pace.count(viewers)
    assert pace.every_s == pytest.approx(every_s)
    pace.count(-viewers)
    assert pace.every_s == EVERY_S_MIN


async def test_only_rooms_in_which_something_is_to_be_written_count_for_the_pace() -> None:
    pace = Pace()
    rooms = [FanOut(lambda first, last, data: None, pace) for _ in range(2)]
    members = [Member() for _ in range(COHORT_MAX * 2)]
    for member in members:
        rooms[0].join(member)
    rooms[1].join(Member())
    for seq in (1, 2):
        rooms[0].push(frame(seq), seq)
        assert pace._viewers == len(members)
        while any(len(member.wire.writes) < seq for member in members):
            await asyncio.sleep(0.001)
    await asyncio.sleep(EVERY_S_MAX)
    assert pace._viewers == 0
    rooms[1].push(frame(1), 1)
    assert pace._viewers == 1
