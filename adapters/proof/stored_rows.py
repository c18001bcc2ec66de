"""Stored events in text form as what the chain and the tree are computed over."""

from __future__ import annotations

import re
from datetime import datetime

from hivesync_core.eventstore.records import epoch_microseconds
from hivesync_core.proof.evidence import Row
from hivesync_core.proof.tree import HASH_BYTES
from projections.engine.stored_text import StoredText

_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:", re.ASCII)
_LINE_ENDS = re.compile("[\0-\x1f\x7f]")
_KNOWN_MAX = 20_000

_minutes: dict[str, int] = {}
"""Minutes seen lately, by their text, as microseconds since 1970: most events share theirs with others."""

_one_line: set[str] = set()
"""Types and actors seen lately that have no line end in them."""


class NotStored(Exception):
    """A field that no stored event has; the message says which and why."""


def microseconds_of(time: str) -> int:
    """Microseconds since 1970 of a time in the one form that stored times have; raises ``NotStored``."""
    minute = _minutes.get(time[:17])
    if minute is None:
        minute = _learn_minute(time)
    second, fraction = time[17:19], time[20:]
    digits = second + fraction[:6]
    if (
        len(time) != 27
        or time[19] != "."
        or time[26] != "Z"
        or not digits.isdigit()
        or not digits.isascii()
        or second > "59"
    ):
        raise NotStored(f"its time reads {time[:40]!r}")
    return minute + int(digits)


def _learn_minute(time: str) -> int:
    if not _MINUTE.fullmatch(time[:17]):
        raise NotStored(f"its time reads {time[:40]!r}")
    try:
        minute = epoch_microseconds(datetime.fromisoformat(f"{time[:17]}00+00:00"))
    except ValueError as error:
        raise NotStored(f"there is no time {time!r}") from error
    if len(_minutes) >= _KNOWN_MAX:
        _minutes.clear()
    _minutes[time[:17]] = minute
    return minute


def text_of(row: StoredText) -> bytes:
    """The canonical text of a stored event; raises ``NotStored`` where a field cannot be one."""
    position, at, topic, stream, version, actor, event_id, correlation, causation, command, _, state = row
    try:
        return (
            f"{position}\n{stream}\n{version}\n{topic}\n{event_id}\n{microseconds_of(at)}\n{actor}\n{correlation}\n"
            f"{causation or ''}\n{command}\n{state}"
        ).encode()
    except UnicodeEncodeError as error:
        raise NotStored("it holds bytes that are not UTF-8") from error


def row_of(stored: StoredText, place: int) -> Row:
    """The row that an audit reads; with a flaw where a field cannot be that of a stored event."""
    try:
        text = text_of(stored)
        _must_be_one_line(stored[2])
        _must_be_one_line(stored[5])
        link = bytes.fromhex(stored[10])
        if len(link) != HASH_BYTES or link.hex() != stored[10]:
            raise NotStored("its hash is not 64 hexadecimal digits")
    except NotStored as flaw:
        return flawed(place, str(flaw), stored[0])
    except ValueError:
        return flawed(place, "its hash is not hexadecimal", stored[0])
    except TypeError:
        return flawed(place, "one of its fields is empty", stored[0] or 0)
    return Row(stored[0], text, link, place)


def _must_be_one_line(text: str) -> None:
    """A line end in a type or an actor would let two different events have one canonical text."""
    if text in _one_line:
        return
    if _LINE_ENDS.search(text):
        raise NotStored("a line end stands in its type or its actor")
    if len(_one_line) >= _KNOWN_MAX:
        _one_line.clear()
    _one_line.add(text)


def flawed(place: int, flaw: str, position: int = 0) -> Row:
    """A row that cannot be read as an event."""
    return Row(position, b"", None, place, flaw)
