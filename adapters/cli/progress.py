"""How far a long command is: a bar with rate and time left on a terminal, a line now and then where there is none."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

LINE_EVERY_S = 10.0
"""How often a line is written where a bar cannot be drawn, as in a log."""


class ProgressBar:
    """Shows the progress of one thing on standard error; silent where ``shown`` is false."""

    def __init__(self, what: str, unit: str, *, shown: bool = True) -> None:
        self._what, self._unit = what, unit
        self._bar: Progress | None = None
        self._lines = shown and not sys.stderr.isatty()
        self._line_at = time.monotonic()
        if shown and not self._lines:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                TaskProgressColumn(),
                TextColumn("{task.fields[told]}"),
                console=Console(file=sys.stderr),
                transient=True,
                expand=True,
            )
            self._task = self._bar.add_task(what, total=1.0, told="")

    def tell(self, done: int, fraction: float | None, per_s: float, time_left_s: float | None) -> None:
        """Show how much is done; ``fraction`` is none where nobody knows the whole."""
        told = f"{done:,} {self._unit}, {per_s:,.0f}/s{_left(time_left_s)}"
        if self._bar is not None:
            self._bar.update(self._task, completed=fraction or 0.0, total=None if fraction is None else 1.0, told=told)
        elif self._lines and time.monotonic() - self._line_at >= LINE_EVERY_S:
            self._line_at = time.monotonic()
            share = "" if fraction is None else f"{fraction:.0%}, "
            print(f"{self._what}: {share}{told}", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f", {hours}:{minutes:02}:{rest:02} left" if hours else f", {minutes}:{rest:02} left"
