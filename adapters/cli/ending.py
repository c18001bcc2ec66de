"""How a command ends, whatever stops it: the exit codes, and a sentence where another program would show its insides.

It loads next to nothing, so that Ctrl-C is understood while everything else is still being loaded.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from types import FrameType
from typing import Any, Self


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    UNREACHABLE = 4
    INTERRUPTED = 130


def run_to_end(program: str, run: Callable[[], int]) -> int:
    """Run a command; its exit code, also where a person interrupts it or nobody reads the answer any more."""
    if sys.stdin is None:
        # Closed by whoever started the program. What cannot be read is said by whoever wants to; it is no terminal.
        sys.stdin = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    try:
        try:
            return run()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        with suppress(OSError):
            print(f"\n{program}: stopped", file=sys.stderr)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the answer has seen enough; there is nobody to tell.
        no_more_output()
        return Exit.FAILED
    except OSError as error:
        no_more_output()
        where = f"{error.filename}: " if error.filename else ""
        with suppress(OSError):
            print(f"{program}: {where}{error.strerror or error}", file=sys.stderr)
        return Exit.FAILED


def no_more_output() -> None:
    """Let what is left to be written to standard output go nowhere, where the end of the program would fail on it."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Interrupts:
    """Has Ctrl-C end a call that waits, as for a terminal or a pipe, while asyncio runs.

    What asyncio does by itself, to cancel the main task, has no effect before such a call comes back. A program that was
    started with Ctrl-C ignored, as a job in the background is, goes on ignoring it.
    """

    def __init__(self) -> None:
        self._waiting = self._pressed = False
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Call in this block what waits."""
        self._waiting = True
        try:
            if self._pressed:
                raise KeyboardInterrupt
            yield
        finally:
            self._waiting = False

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        self._pressed = True
        if self._waiting or not callable(self._before):
            raise KeyboardInterrupt
        self._before(number, frame)
