"""How answers leave: head and body in one piece, a head alone where its body takes its time."""

from __future__ import annotations

import asyncio

from adapters.http.guarded import _Answer


class Wire:
    """A transport that notes each piece it is given."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        """One piece."""
        assert not self.closed
        self.pieces.append(data)

    def writelines(self, parts: tuple[bytes, ...]) -> None:
        """Several parts, one piece."""
        self.write(b"".join(parts))

    def close(self) -> None:
        """No more."""
        self.closed = True

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closed


def _answer() -> tuple[Wire, _Answer]:
    wire = Wire()
    return wire, _Answer(wire, asyncio.get_running_loop())  # type: ignore[arg-type]


async def test_head_and_body_leave_in_one_piece_and_further_parts_at_once() -> None:
    wire, answer = _answer()
    answer.write(b"head ")
    assert wire.pieces == []
    answer.write(b"body")
    answer.write(b"more")
    assert wire.pieces == [b"head body", b"more"]
    await asyncio.sleep(0)
    assert wire.pieces == [b"head body", b"more"]


async def test_a_head_whose_body_takes_its_time_goes_alone() -> None:
    wire, answer = _answer()
    answer.write(b"head ")
    await asyncio.sleep(0)
    assert wire.pieces == [b"head "]
    answer.write(b"body")
    assert wire.pieces == [b"head ", b"body"]


async def test_a_head_without_a_body_goes_when_that_is_said_or_the_connection_ends() -> None:
    wire, answer = _answer()
    answer.write(b"head")
    answer.write(b"")
    assert wire.pieces == [b"head"]
    wire, answer = _answer()
    answer.write(b"head")
    answer.close()
    assert (wire.pieces, wire.closed, answer.is_closing()) == ([b"head"], True, True)
    await asyncio.sleep(0)
    assert wire.pieces == [b"head"]
