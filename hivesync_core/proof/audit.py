"""The audit: reads a sequence of events once and finds the first that was changed, dropped, added, moved or cut off.

Three measures, as far as each is at hand: the chain of hashes (each event's hash follows from the one before), the
tree (its root at the size of a signed checkpoint), and known leaves (each event's hash in the tree, itself proven by a
checkpoint). The chain alone can be rewritten by whoever can compute SHA-256; the tree cannot, but says only that
something before a checkpoint differs; known leaves say which event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain, islice
from typing import NamedTuple

from hivesync_core.proof.checkpoint import Checkpoint
from hivesync_core.proof.evidence import Claim, Lookahead, Row, with_buffer
from hivesync_core.proof.finding import Finding, Kind, cut_off, first_difference
from hivesync_core.proof.tree import Peaks

LOOKAHEAD_EVENTS_MAX = 2_000
"""So far an event that is not in its place is looked for; one that was moved further reads as dropped."""


class Audited(NamedTuple):
    """What an audit read.

    ``proven`` is the position up to which a signed checkpoint vouches for the events; those after it hang on the chain
    alone. ``root`` is none where the tree was not computed.
    """

    events: int
    last_position: int
    proven: int
    chain_head: bytes | None
    root: bytes | None
    finding: Finding | None


class Audit:
    """One reading of a sequence of events.

    ``chain_before`` is the hash before the first event, none where the events do not follow each other (a filtered
    export). ``tree`` is the tree before the first event, none where it is not to be computed. ``checkpoints`` are
    genuine ones in ascending order. ``at_least`` is the position that the log must reach.
    """

    def __init__(
        self,
        claims: Iterator[Claim],
        *,
        bounded: bool,
        chain_before: bytes | None,
        tree: Peaks | None,
        checkpoints: Sequence[Checkpoint] = (),
        at_least: int = 0,
    ) -> None:
        self._claims = claims
        self._bounded = bounded
        self._link = chain_before
        self._chained = chain_before is not None
        self._tree = tree
        self._checkpoints = [checkpoint for checkpoint in checkpoints if checkpoint.size]
        self._due = list(self._checkpoints) if tree is not None else []
        self._at_least = at_least
        self._proven = 0
        self._agreed = 0
        self.events = 0
        self._last = 0

    def run(self, batches: Iterable[list[Row]], progress: Callable[[int], None] = lambda _: None) -> Audited:
        """Read all rows; stops at the first finding. ``progress`` is told the number of events read so far."""
        rest = iter(batches)
        for batch in rest:
            claims = list(islice(self._claims, len(batch)))
            leaves = [sha256(b"\0" + row.text).digest() for row in batch]
            good, only_link = self._matching(batch, leaves, claims)
            finding = self._grow(leaves[:good], [row.link for row in batch[:good]])
            self.events += good
            if good:
                self._last = claims[good - 1].position
                if claims[good - 1].leaf is not None:
                    self._proven = self._last
            if finding is None and good < len(batch):
                finding = self._explain(batch[good:], claims[good:], rest, only_link)
            progress(self.events)
            if finding is not None:
                return self._audited(finding)
        return self._audited(self._ending())

    def _matching(self, rows: Sequence[Row], leaves: Sequence[bytes], claims: Sequence[Claim]) -> tuple[int, bool]:
        """How many rows from the first on are right, and whether only the hash of the next one is wrong."""
        link, chained = self._link, self._chained
        good = 0
        for row, leaf, claim in zip(rows, leaves, claims, strict=False):
            if row.position != claim.position or row.flaw or (claim.leaf is not None and claim.leaf != leaf):
                break
            if chained:
                assert link is not None
                following = sha256(link + row.text).digest()
                if row.link is not None and row.link != following:
                    self._link = link
                    return good, True
                link = following
            elif claim.link is not None and row.link != claim.link:
                return good, True
            good += 1
        self._link = link
        return good, False

    def _grow(self, leaves: Sequence[bytes], links: Sequence[bytes | None]) -> Finding | None:
        """Append to the tree, and compare its root wherever a checkpoint was signed."""
        tree = self._tree
        if tree is None:
            return None
        taken = 0
        while self._due and tree.size + len(leaves) - taken >= self._due[0].size:
            upto = taken + self._due[0].size - tree.size
            tree.extend(leaves[taken:upto])
            taken = upto
            signed = [checkpoint for checkpoint in self._due if checkpoint.size == tree.size]
            del self._due[: len(signed)]
            others = [checkpoint for checkpoint in signed if checkpoint.root != tree.root()]
            if others and (len(others) < len(signed) or tree.size <= self._proven):
                return self._two_histories(others[0])
            if others:
                return self._not_as_signed(others[0])
            self._proven = max(self._proven, tree.size)
            self._agreed = tree.size
        tree.extend(leaves[taken:])
        return None

    def _not_as_signed(self, checkpoint: Checkpoint) -> Finding:
        first, last = self._proven + 1, checkpoint.size
        return Finding(
            kind=Kind.CHANGED,
            position=first,
            last_position=last,
            exact=first == last,
            message=f"the first {last} events are not those that were signed at {checkpoint.signed_at:%Y-%m-%d %H:%M:%S} "
            f"UTC: one from {first} to {last} was changed, dropped, added or moved, and the hashes were made to fit"
            + ("" if first == last else "; the copy of the tree's leaves, where one was kept, says which"),
        )

    def _two_histories(self, checkpoint: Checkpoint) -> Finding:
        """Two genuine checkpoints contradict each other, and the events at hand fit one of them."""
        first, last = self._agreed + 1, checkpoint.size
        return Finding(
            kind=Kind.FORGED,
            position=first,
            last_position=last,
            exact=first == last,
            message=f"the key signed two histories that differ from {first} to {last} somewhere: the one at hand, and at "
            f"{checkpoint.signed_at:%Y-%m-%d %H:%M:%S} UTC another; who holds it has shown people different logs",
        )

    def _explain(
        self, rows: Sequence[Row], claims: Sequence[Claim], rest: Iterator[list[Row]], only_link: bool
    ) -> Finding:
        if only_link and claims[0].leaf is not None:
            row = rows[0]
            message = f"the hash that stands beside event {claims[0].position} was changed; the event itself was not"
            return Finding(kind=Kind.CHANGED, position=claims[0].position, place=row.place, message=message)
        ahead = Lookahead(with_buffer(rows, rest), chain(claims, self._claims), LOOKAHEAD_EVENTS_MAX)
        finding = first_difference(ahead)
        known = claims and claims[0].leaf is not None
        if known or not self._chained or finding.position is None or self._proven + 1 >= finding.position:
            return finding
        return Finding(
            kind=finding.kind,
            position=finding.position,
            last_position=finding.last_position,
            place=finding.place,
            message=f"{finding.message} (events up to {self._proven} are proven by a checkpoint; those from there on "
            "only by hashes that can be recomputed)"
            if self._proven
            else finding.message,
        )

    def _ending(self) -> Finding | None:
        """Whether everything was there when the rows ended."""
        if self._bounded:
            first = next(self._claims, None)
            if first is None:
                return None
            last = deque(self._claims, maxlen=1)
            return cut_off(first.position, last[0].position if last else first.position)
        signed = max((checkpoint.size for checkpoint in self._checkpoints), default=0)
        if self._last < max(signed, self._at_least):
            return cut_off(self._last + 1, max(signed, self._at_least))
        return None

    def _audited(self, finding: Finding | None) -> Audited:
        root = self._tree.root() if self._tree is not None and finding is None else None
        return Audited(self.events, self._last, self._proven, self._link, root, finding)
