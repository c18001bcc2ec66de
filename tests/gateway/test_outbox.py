"""Frames leave at once, then in time; each outbox has its bound."""

from __future__ import annotations

import asyncio

import pytest
from websockets.frames import Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from adapters.gateway.frames import text_frame
from adapters.gateway.outbox import FLUSH_EVERY_S, FLUSHED_AT_ONCE_MAX, Flusher, Outbox
from adapters.gateway.rate import RateLimit
from shared.socket.limits import OUTBOX_BYTES_MAX
from tests.gateway.wire import Wire


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_a_frame_is_what_the_library_reads(length: int) -> None:
    client = Protocol(CLIENT, state=OPEN)
    client.receive_data(text_frame(b"x" * length))
    (frame,) = client.events_received()
    assert (frame.opcode, frame.fin, frame.data) == (Opcode.TEXT, True, b"x" * length)


async def test_frames_that_come_together_leave_in_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, clock = asyncio.get_running_loop(), 0.0
    monkeypatch.setattr(loop, "time", lambda: clock)
    wire, flusher = Wire(), Flusher()
    outbox = Outbox(wire, flusher)
    for letter in (b"a", b"b", b"c"):
        assert outbox.push(letter)
    await asyncio.sleep(0)
    assert wire.writes == [b"abc"], "at once after a pause"
    outbox.push(b"d")
    outbox.push(b"e")
    await asyncio.sleep(0)
    assert wire.writes == [b"abc"], "then not before its time"
    clock += FLUSH_EVERY_S * 0.9
    await asyncio.sleep(0)
    assert wire.writes == [b"abc"]
    clock += FLUSH_EVERY_S * 0.2
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert wire.writes == [b"abc", b"de"]


async def test_nothing_is_taken_for_a_client_that_takes_nothing() -> None:
    wire = Wire()
    outbox = Outbox(wire, Flusher())
    wire.paused = True
    assert not outbox.push(b"a")
    wire.paused = False
    assert outbox.push(b"b")
    await asyncio.sleep(0)
    assert wire.writes == [b"b"]


async def test_what_waits_is_bounded() -> None:
    wire = Wire()
    outbox = Outbox(wire, Flusher())
    frame = b"x" * 50_000
    for _ in range(20):
        outbox.push(frame)
    assert sum(map(len, wire.writes)) >= 20 * len(frame) - OUTBOX_BYTES_MAX


async def test_what_waits_can_be_thrown_away() -> None:
    wire = Wire()
    outbox = Outbox(wire, Flusher())
    outbox.push(b"a")
    outbox.discard()
    await asyncio.sleep(FLUSH_EVERY_S * 2)
    assert wire.writes == []


async def test_many_sockets_are_written_to_in_turns_with_others() -> None:
    flusher, wires = Flusher(), [Wire() for _ in range(FLUSHED_AT_ONCE_MAX + 1)]
    for wire in wires:
        Outbox(wire, flusher).push(b"a")
    await asyncio.sleep(0)
    assert [len(wire.writes) for wire in wires] == [1] * FLUSHED_AT_ONCE_MAX + [0]
    await asyncio.sleep(0)
    assert wires[-1].writes == [b"a"]


def test_a_rate_allows_a_burst_and_then_so_many_a_second() -> None:
    rate = RateLimit(per_s=2, burst=3)
    assert [rate.allows(100.0) for _ in range(4)] == [True, True, True, False]
    assert [rate.allows(101.0) for _ in range(3)] == [True, True, False]
    assert [rate.allows(200.0) for _ in range(4)] == [True, True, True, False]
