"""The terminal of `hivesync docs`: coloured diffs, and a question for each comment."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.text import Text

QUESTION = "[a]pprove  [e]dit  [d]iscard  approve [A]ll the rest  [D]iscard the rest  [q]uit"

Preview = Callable[[int, str], Awaitable[bytes | str]]
"""The diff of one comment in these words, or the reason why it is refused."""


class Stopped(Exception):
    """The person wants no more."""


class Terminal:
    """Says what happens on standard error, shows diffs on standard output, and asks; silent where ``quiet``."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._shown = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._said = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Say something."""
        if not self._quiet:
            self._said.print(text, markup=False)

    def waiting(self, path: str, number: int, of: int) -> None:
        """Say which file is waited for."""
        self.note(f"[{number}/{of}] {path}")

    def told(self, path: str, status: str, message: str | None, inserted: int) -> None:
        """Say what came of a file."""
        what = f"{status}, {inserted} comments" if status in ("written", "shown") else status
        self.note(f"      {what}" + (f": {message}" if message else ""))

    def diff(self, diff: bytes) -> None:
        """Show a diff in colours where the terminal has them."""
        if self._quiet:
            return
        for line in diff.decode(errors="replace").splitlines():
            self._shown.print(Text(_visible(line), style=_style(line)))

    async def decide(self, name: str, suggested: dict[int, str], preview: Preview) -> dict[int, str]:
        """Ask about each comment; the words of those that are to be inserted. Raises ``Stopped``."""
        wanted: dict[int, str] = {}
        indexes = sorted(suggested)
        for number, index in enumerate(indexes):
            rest = indexes[number:]
            answer, content = await self._ask(
                f"{name}: comment {number + 1} of {len(indexes)}", suggested[index], index, preview
            )
            if answer == "q":
                raise Stopped
            if answer == "D":
                return wanted
            if answer == "A":
                return wanted | {each: suggested[each] for each in rest}
            if answer != "d":
                wanted[index] = content
        return wanted

    async def _ask(self, title: str, content: str, index: int, preview: Preview) -> tuple[str, str]:
        shown = await preview(index, content)
        self._shown.print(Text(title, style="bold"))
        assert isinstance(shown, bytes), "what is suggested has passed the check"
        self.diff(shown)
        while True:
            answer = (await asyncio.to_thread(_read_line, f"{QUESTION} > ")).strip()
            if answer == "e":
                content = (await asyncio.to_thread(_read_line, "new words > ")).strip()
                shown = await preview(index, content)
                if isinstance(shown, str):
                    self._shown.print(Text(f"refused: {shown}", style="yellow"))
                    continue
                self.diff(shown)
                continue
            if answer in ("a", "d", "A", "D", "q"):
                return answer, content


def _read_line(question: str) -> str:
    """A line from the person; the end of their input is a wish to stop."""
    try:
        return input(question)
    except EOFError:
        return "q"


def _style(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "bold"
    if line.startswith("@@"):
        return "cyan"
    return {"+": "green", "-": "red"}.get(line[:1], "")


def _visible(line: str) -> str:
    """The line with nothing in it that a terminal would obey: a file may hold escapes."""
    return "".join(one if one == "\t" or one.isprintable() else f"\\x{ord(one):02x}" for one in line)
