"""A session on a terminal: the file that the host is in, where the host is in it, and keys to look elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.syntax import Syntax
from rich.text import Text

from adapters.cli.live.picture import Picture, ShownFile
from adapters.cli.live.speech import shown
from adapters.cli.live.talk import Lost
from hivesync_core.live.document import split_lines
from shared.socket import live

FRAMES_PER_S: Final = 15
BEFORE_LINES: Final = 60
"""Lines before those on the screen that colours are worked out from."""

KEYS: Final[dict[bytes, str]] = {
    b"q": "leave", b"f": "follow", b"\t": "next", b"n": "next", b"p": "previous", b"\x1b[Z": "previous",
    b"\x1b[C": "next", b"\x1b[D": "previous", b"j": "down", b"\x1b[B": "down", b"k": "up", b"\x1b[A": "up",
    b" ": "page_down", b"\x1b[6~": "page_down", b"b": "page_up", b"\x1b[5~": "page_up",
    b"g": "top", b"\x1b[H": "top", b"G": "end", b"\x1b[F": "end",
}  # fmt: skip


class Screen:
    """Draws the picture again when it has changed, some times a second at most."""

    def __init__(self, picture: Picture, *, follow: bool, first: str | None) -> None:
        self._picture, self._follow, self._file = picture, follow, first
        self._top = 0
        self._offline = ""
        self._changed = asyncio.Event()
        self._leaving = asyncio.Event()
        self._console = Console()

    def told(self, said: live.Said) -> None:
        """Something changed."""
        self._offline = ""
        if isinstance(said, live.Focus | live.SnapshotEnd) and self._follow:
            self._go_to_host()
        self._changed.set()

    def lost(self, lost: Lost) -> None:
        """Say that there is no connection."""
        self._offline = f"no connection ({lost.cause})"
        self._changed.set()

    async def run(self) -> None:
        """Draw until the person leaves."""
        leaving = asyncio.create_task(self._leaving.wait())
        with self._keys(), Live(console=self._console, screen=True, auto_refresh=False) as drawn:
            while not leaving.done():
                drawn.update(self._draw(), refresh=True)
                self._changed.clear()
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait({changed, leaving}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                await asyncio.sleep(1 / FRAMES_PER_S)

    # --- what is drawn -----------------------------------------------------------------------------------------------

    @property
    def _height(self) -> int:
        return max(1, self._console.size.height - 2)

    def _draw(self) -> Group:
        scene = self._picture.now
        if self._file not in scene.files:
            self._file = scene.focus.file if scene.focus.file in scene.files else next(iter(scene.files), None)
            self._top = 0
        file = scene.files.get(self._file) if self._file is not None else None
        body = Text("The host shows no file at the moment.", style="dim") if file is None else self._lines(file)
        return Group(self._head(), body, self._foot())

    def _head(self) -> Text:
        scene, viewing = self._picture.now, self._picture.viewing
        head = Text(no_wrap=True, overflow="ellipsis")
        head.append(f" {shown(viewing.title or 'Live session')} " if viewing else " … ", "bold reverse")
        for name in scene.files:
            style = "bold underline" if name == self._file else "dim"
            head.append(f"  {'● ' if name == scene.focus.file else ''}{shown(name)}", style)
        return head

    def _foot(self) -> Text:
        scene, viewing = self._picture.now, self._picture.viewing
        host = shown(viewing.host_name) if viewing else "the host"
        state = self._offline or (
            f"{host} is away; the session waits" if scene.host.status == "away" else f"live from {host}"
        )
        if self._picture.ended is not None:
            state = "the session has ended"
        following = "following (f stops)" if self._follow else "f follows"
        return Text(
            f" {shown(state)} · {following} · Tab next file · j k scroll · q leaves",
            "reverse",
            no_wrap=True,
            overflow="ellipsis",
        )

    def _lines(self, file: ShownFile) -> Syntax:
        lines = split_lines(file.document.text)
        self._top = max(0, min(self._top, len(lines) - 1))
        first = max(0, self._top - BEFORE_LINES)
        window = "".join(line.rstrip("\r\n") + "\n" for line in lines[first : self._top + self._height])
        lexer = Syntax.guess_lexer(self._file or "", "")
        marked = (
            {place.end.line + 1 for place in self._picture.now.focus.selections}
            if self._picture.now.focus.file == self._file
            else set()
        )
        coloured = Syntax(
            shown(window), lexer, line_numbers=True, start_line=first + 1, highlight_lines=marked, theme="ansi_dark",
            line_range=(self._top - first + 1, self._top - first + self._height), background_color="default",
        )  # fmt: skip
        return coloured

    # --- where one looks ---------------------------------------------------------------------------------------------

    def _go_to_host(self) -> None:
        focus = self._picture.now.focus
        if focus.file is None:
            return
        self._file = focus.file
        head = focus.selections[0].end.line if focus.selections else None
        if focus.visible is not None:
            self._top = focus.visible.start.line
        if head is not None and not self._top <= head < self._top + self._height - 1:
            self._top = max(0, head - self._height // 2)

    def _press(self, key: str) -> None:
        names = list(self._picture.now.files)
        at = names.index(self._file) if self._file in names else 0
        steps = {"down": 1, "up": -1, "page_down": self._height - 1, "page_up": 1 - self._height}
        if key == "leave":
            self._leaving.set()
        elif key == "follow":
            self._follow = not self._follow
            if self._follow:
                self._go_to_host()
        elif key in ("next", "previous") and names:
            self._follow = False
            self._file, self._top = names[(at + (1 if key == "next" else -1)) % len(names)], 0
        elif key in ("top", "end"):
            self._follow, self._top = False, 0 if key == "top" else sys.maxsize
        elif key in steps:
            self._follow, self._top = False, max(0, self._top + steps[key])
        self._changed.set()

    @contextlib.contextmanager
    def _keys(self) -> Iterator[None]:
        """Hear keys while the block lasts."""
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        loop = asyncio.get_running_loop()

        def pressed() -> None:
            key = KEYS.get(os.read(descriptor, 16))
            if key is not None:
                self._press(key)

        tty.setcbreak(descriptor)
        loop.add_reader(descriptor, pressed)
        try:
            yield
        finally:
            loop.remove_reader(descriptor)
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
