"""What an audit can find: the first place where the events are not what they were, and what happened there."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hivesync_core.proof.evidence import Lookahead


class Kind(StrEnum):
    """What was done to the log."""

    CHANGED = "changed"
    DROPPED = "dropped"
    ADDED = "added"
    MOVED = "moved"
    CUT_OFF = "cut_off"
    FORGED = "forged"
    """The events may be right: what should prove them is not what was signed."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The first event that is not what it was.

    ``position`` is its place in the log; ``last_position`` differs where the evidence only says that it is one of a
    range, or where several in a row are gone. ``place`` is the line it was found at, none where there is no line.
    """

    kind: Kind
    position: int | None
    last_position: int | None = None
    exact: bool = True
    place: int | None = None
    message: str


def first_difference(ahead: Lookahead) -> Finding:
    """Say what happened where the first row ahead is not the event that the first claim ahead says."""
    if not ahead.rows:
        return cut_off(ahead.claims[0].position, ahead.claims[-1].position)
    row = ahead.rows[0]
    if not ahead.claims:
        return _finding(ahead, Kind.ADDED, row.position, "was added after the last event")
    position = ahead.claims[0].position
    if row.flaw and not ahead.row_is(1, 0):
        return _finding(ahead, Kind.CHANGED, position, f"was changed: {row.flaw}")
    claimed, found = ahead.find_claim(0), ahead.find_row(0)
    if ahead.row_is(1, 0):
        if claimed is not None and ahead.find_row(claimed) is None:
            moved = ahead.claims[claimed].position
            return _finding(ahead, Kind.MOVED, position, f"has event {moved} in its place: that was moved here")
        return _added(ahead, 1)
    if ahead.row_is(1, 1):
        if claimed is not None and found is not None:
            moved = ahead.claims[claimed].position
            return _finding(ahead, Kind.MOVED, position, f"was moved: it changed places with event {moved}")
        return _finding(ahead, Kind.CHANGED, position, "was changed")
    if claimed is not None and not ahead.row_is(0, 0):
        if found is not None:
            return _finding(ahead, Kind.MOVED, position, "was moved: it stands later")
        return _dropped(ahead, claimed)
    if found is not None:
        return _added(ahead, found)
    return _finding(ahead, Kind.CHANGED, position, "was changed")


def cut_off(first: int, last: int | None = None) -> Finding:
    """The events from ``first`` on are missing at the end."""
    return Finding(
        kind=Kind.CUT_OFF,
        position=first,
        last_position=last,
        message=f"the log is cut off: event {first} and what follows it are missing",
    )


def forged(message: str) -> Finding:
    """What should prove the events is not genuine."""
    return Finding(kind=Kind.FORGED, position=None, message=message)


def _added(ahead: Lookahead, rows: int) -> Finding:
    position = ahead.claims[0].position
    what = "an event was" if rows == 1 else f"{rows} events were"
    return Finding(
        kind=Kind.ADDED,
        position=position,
        place=ahead.rows[0].place,
        message=f"{what} added before event {position}",
    )


def _dropped(ahead: Lookahead, events: int) -> Finding:
    first, last = ahead.claims[0].position, ahead.claims[events - 1].position
    what = f"event {first} was dropped" if events == 1 else f"{events} events were dropped, {first} to {last}"
    return Finding(kind=Kind.DROPPED, position=first, last_position=last, place=ahead.rows[0].place, message=what)


def _finding(ahead: Lookahead, kind: Kind, position: int, what: str) -> Finding:
    return Finding(kind=kind, position=position, place=ahead.rows[0].place, message=f"event {position} {what}")
