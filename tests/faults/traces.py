"""Recorded editing sessions: read from files of the editing-traces form, checked, or made up."""

from __future__ import annotations

import gzip
import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hivesync_core.live.document import utf8_length
from shared.socket.live_limits import CHANGES_MAX, FILE_BYTES_MAX

NEEDLES = 300
NEEDLE_CHARS = 24

Patches = list[tuple[int, int, str]]


class BadTrace(Exception):
    """A file is no editing session that can be played; the message says why."""


class Trace(NamedTuple):
    """One editing session: patches of position, characters to delete and text to insert, counted in code points."""

    name: str
    start: str
    transactions: list[Patches]
    end: str


class _Transaction(msgspec.Struct):
    patches: list[tuple[int, int, str]]


class _File(msgspec.Struct, rename="camel"):
    start_content: str
    end_content: str
    txns: list[_Transaction]
    kind: Any = None


def read_trace(path: Path) -> Trace:
    """The trace in a file of JSON, packed with gzip or not. Raises ``BadTrace``."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadTrace(f"{path} cannot be read: {error.strerror}") from error
    try:
        data = msgspec.json.decode(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw, type=_File)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadTrace(f"{path} is cut off or damaged: {error}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        wanted = "JSON with startContent, endContent and txns, each with patches of [position, deleted, inserted]"
        raise BadTrace(f"{path} is no editing session ({error}); it has to be {wanted}") from error
    if data.kind == "concurrent":
        raise BadTrace(f"{path} is of several people at once; only sessions of one host are played")
    transactions = [part for txn in data.txns for part in _in_parts(txn.patches)]
    trace = Trace(path.name.split(".")[0], data.start_content, transactions, data.end_content)
    _check(path, trace)
    return trace


def _in_parts(patches: Patches) -> Iterator[Patches]:
    """As many patches at a time as a change may have; none where there are none."""
    for start in range(0, len(patches), CHANGES_MAX):
        yield patches[start : start + CHANGES_MAX]


def _check(path: Path, trace: Trace) -> None:
    """Play it on a text; raises ``BadTrace`` where it does not come to its end, or is larger than a session may be."""
    text, largest = trace.start, utf8_length(trace.start)
    for number, patches in enumerate(trace.transactions, 1):
        for at, deleted, inserted in patches:
            if at < 0 or deleted < 0 or at + deleted > len(text):
                raise BadTrace(f"{path}: transaction {number} changes {at} to {at + deleted} of {len(text)} characters")
            text = text[:at] + inserted + text[at + deleted :]
        if len(text) * 4 > FILE_BYTES_MAX:
            largest = max(largest, utf8_length(text))
    if text != trace.end:
        raise BadTrace(f"{path}: its transactions do not lead from startContent to endContent")
    if largest > FILE_BYTES_MAX:
        raise BadTrace(f"{path}: the text grows to {largest:,} bytes; a session shows files of {FILE_BYTES_MAX:,}")


WORDS = ("quince", "grüßt", "😀👩‍👩‍👧", "e\u0301a\u0300", "\r\n", "\n", "\t", "fn main()", "漢字", "\u2028", "x", " ")


def made_up(chance: random.Random, transactions: int, number: int) -> Trace:
    """A session that somebody might have typed: mostly at one place, now and then elsewhere, several edits at times."""
    text, at, made = f"// session {number}\n", 0, []
    start = text
    for _ in range(transactions):
        patches = []
        for _ in range(1 if chance.random() < 0.9 else chance.randint(2, 6)):
            if chance.random() < 0.05:
                at = chance.randint(0, len(text))
            at = min(at, len(text))
            deleted = min(chance.choice((0, 0, 0, 0, 1, 3, 40)), len(text) - at) if chance.random() < 0.5 else 0
            inserted = chance.choice(WORDS) if chance.random() < 0.8 else f"needle-{chance.randrange(10**12):012d} "
            patches.append((at, deleted, inserted))
            text = text[:at] + inserted + text[at + deleted :]
            at += len(inserted)
        made.append(patches)
    return Trace(f"made up {number}", start, made, text)


def needles_of(trace: Trace, chance: random.Random) -> list[bytes]:
    """Pieces of the text that nothing else would hold: from its end, and from what was typed."""
    lines = [line.strip() for line in trace.end.splitlines() if len(line.strip()) >= NEEDLE_CHARS]
    typed = [patch[2].strip() for txn in trace.transactions for patch in txn if len(patch[2].strip()) >= 19]
    pieces = {piece[:NEEDLE_CHARS] for piece in chance.sample(lines, min(NEEDLES, len(lines)))}
    pieces |= {piece[:NEEDLE_CHARS] for piece in chance.sample(typed, min(NEEDLES, len(typed)))}
    return [piece.encode() for piece in pieces if re.search(r"\w{4}", piece)]
