"""What an editor says on standard input to host a session: one JSON object a line, as its change events have it.

    {"file": "a.py", "text": "…"}                                the whole text: opens the file, or replaces it
    {"file": "a.py", "changes": [{"range": {"start": {"line": 0, "character": 3}, "end": {…}}, "text": "x"}]}
    {"file": "a.py", "selections": [{"start": {…}, "end": {…}}], "visible": {"start": {…}, "end": {…}}}
    {"file": "a.py", "rename": "b.py"}
    {"file": "a.py", "close": true}

Positions are those of the Language Server Protocol: from zero, in UTF-16 code units.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import sys
import threading
from collections.abc import AsyncGenerator
from typing import Annotated, Final

import msgspec

from adapters.cli.console import CommandFailed
from adapters.cli.live.hosting import Hosting
from adapters.cli.live.speech import Speech
from hivesync_core.live.document import DoesNotFit, utf8_length
from shared.socket.live import Change, Range
from shared.socket.live_limits import (
    CHANGES_MAX,
    FILE_BYTES_MAX,
    HOST_MESSAGE_BYTES_MAX,
    NAME_CHARS_MAX,
    SELECTIONS_MAX,
)

LINE_BYTES_MAX: Final = HOST_MESSAGE_BYTES_MAX * 2
WAITING_MAX: Final = 256
"""Lines that are read ahead."""

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_CHARS_MAX)]


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line from the editor."""

    file: _Name
    text: str | None = None
    changes: Annotated[tuple[Change, ...], msgspec.Meta(max_length=CHANGES_MAX)] | None = None
    selections: Annotated[tuple[Range, ...], msgspec.Meta(max_length=SELECTIONS_MAX)] = ()
    visible: Range | None = None
    rename: _Name | None = None
    close: bool = False


class BadLine(Exception):
    """A line says nothing that can be done."""


async def take_patches(hosting: Hosting, speech: Speech) -> int:
    """Do what the lines on standard input say, until they end; how many were bad. A bad line is told and passed by."""
    bad = 0
    number = 0
    async for line in _lines():
        number += 1
        try:
            await _do(hosting, line)
        except BadLine as error:
            bad += 1
            speech.note("bad_line", f"line {number}: {error}", line=number)
    return bad


async def _do(hosting: Hosting, line: bytes) -> None:
    try:
        said = msgspec.json.decode(line, type=Said)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadLine(str(error)) from error
    try:
        if said.text is not None:
            if utf8_length(said.text) > FILE_BYTES_MAX:
                raise BadLine(f"{said.file} would have more than {FILE_BYTES_MAX:,} bytes")
            await hosting.open(said.file, said.text)
        if said.changes:
            await hosting.change(said.file, said.changes, with_digest=False)
        if said.rename is not None:
            await hosting.rename(said.file, said.rename)
        if said.close:
            await hosting.close(said.file)
        if said.selections or said.visible is not None:
            await hosting.show(said.file, said.selections, said.visible)
    except KeyError as error:
        raise BadLine(f"{said.file} is not open: give its text first") from error
    except DoesNotFit as error:
        raise BadLine(f"{said.file}: {error}") from error


async def _lines() -> AsyncGenerator[bytes, None]:
    """The lines of standard input, whatever it is: a pipe, a file or a terminal."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue(WAITING_MAX)

    def read() -> None:
        # A thread that nobody waits for: a read of standard input cannot be interrupted.
        with contextlib.suppress(RuntimeError, concurrent.futures.CancelledError):
            while True:
                line = sys.stdin.buffer.readline(LINE_BYTES_MAX + 1)
                asyncio.run_coroutine_threadsafe(lines.put(line), loop).result()
                if not line:
                    return

    threading.Thread(target=read, daemon=True).start()
    while line := await lines.get():
        if len(line) > LINE_BYTES_MAX:
            raise CommandFailed(f"a line of standard input has more than {LINE_BYTES_MAX:,} bytes")
        if line.strip():
            yield line
