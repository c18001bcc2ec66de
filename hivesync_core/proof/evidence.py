"""What an audit measures events against: which positions are expected, and which hashes are known of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, count, islice
from typing import NamedTuple

from hivesync_core.proof.tree import leaf_hash


class Claim(NamedTuple):
    """What is claimed of the event at a position; ``leaf`` and ``link`` are none where nothing but the place is known.

    ``leaf`` is its hash in the tree, proven by a signed checkpoint; ``link`` its hash in the chain.
    """

    position: int
    leaf: bytes | None = None
    link: bytes | None = None


class Row(NamedTuple):
    """An event as it was found in a file or a database.

    ``text`` is its canonical text, built from what stands there; ``link`` its hash in the chain, none where the form
    has none; ``place`` says where it was found (a line number); ``flaw`` why it cannot be read, empty where it can.
    """

    position: int
    text: bytes
    link: bytes | None
    place: int
    flaw: str = ""


def open_ended(known: Iterable[Claim], first: int = 1) -> Iterator[Claim]:
    """Claims on the whole log: the known ones from position ``first`` on, then every position after them."""
    position = first
    for claim in known:
        yield claim
        position = claim.position + 1
    for later in count(position):
        yield Claim(later)


def renumbered(text: bytes, position: int) -> bytes:
    """An event's canonical text at another position."""
    return b"%d%s" % (position, text[text.find(b"\n") :])


def is_event(row: Row, claim: Claim) -> bool:
    """Whether the row is the event that is claimed, wherever in the log it says it stands."""
    if row.flaw:
        return False
    if claim.leaf is None:
        return row.position == claim.position
    return leaf_hash(renumbered(row.text, claim.position)) == claim.leaf


class Lookahead:
    """What stands ahead of the first mismatch in the rows and in the claims, as far as the audit looks."""

    def __init__(self, rows: Iterable[Row], claims: Iterable[Claim], events_max: int) -> None:
        self.rows = list(islice(rows, events_max))
        self.claims = list(islice(claims, events_max))

    def row_is(self, row: int, claim: int) -> bool:
        """Whether the row so far ahead is the event claimed so far ahead; true where both have ended."""
        if row >= len(self.rows) or claim >= len(self.claims):
            return row >= len(self.rows) and claim >= len(self.claims)
        return is_event(self.rows[row], self.claims[claim])

    def find_claim(self, row: int) -> int | None:
        """How far ahead the event of a row is claimed; none where it is not, or is claimed here."""
        ahead = range(1, len(self.claims))
        return next((at for at in ahead if row < len(self.rows) and is_event(self.rows[row], self.claims[at])), None)

    def find_row(self, claim: int, start: int = 1) -> int | None:
        """How far ahead a row is the claimed event, from ``start`` on; none where none is."""
        ahead = range(start, len(self.rows))
        return next(
            (at for at in ahead if claim < len(self.claims) and is_event(self.rows[at], self.claims[claim])), None
        )


def with_buffer(taken: Iterable[Row], batches: Iterable[list[Row]]) -> Iterator[Row]:
    """Rows already taken, then those of the batches still to come."""
    return chain(taken, chain.from_iterable(batches))
