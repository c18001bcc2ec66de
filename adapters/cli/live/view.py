"""`hivesync live view`: watches a session in the terminal, writes its files to a folder, or tells a program of it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, Protocol

from adapters.cli.console import CommandFailed
from adapters.cli.ending import Exit
from adapters.cli.live.folder import Folder
from adapters.cli.live.host import on_interrupt
from adapters.cli.live.picture import Doubt, Picture, facts
from adapters.cli.live.screen import Screen
from adapters.cli.live.server import Server
from adapters.cli.live.speech import Speech
from adapters.cli.live.talk import Heard, Lost, Over, Talk
from shared.socket import live
from shared.socket.close_codes import CloseCode

WRITE_EVERY_S: Final = 0.1

_NEW_TOKEN: Final = "Make another personal access token with the scope `read`, and join again."
REMEDIES: Final[dict[int, str]] = {
    CloseCode.NO_SESSION: "Join again with your link.",
    CloseCode.NOT_AUTHENTICATED: _NEW_TOKEN,
    CloseCode.EXPIRED: _NEW_TOKEN,
    CloseCode.REVOKED: _NEW_TOKEN,
}


class Shows(Protocol):
    """Where a session is shown."""

    def told(self, said: live.Said) -> None:
        """Something changed."""

    def lost(self, lost: Lost) -> None:
        """There is no connection for now."""


class View:
    """A viewer: hears, keeps the picture right, and hands it on."""

    def __init__(self, talk: Talk, viewer_token: str, token: str | None, picture: Picture, shows: list[Shows]) -> None:
        self._talk, self._picture, self._shows = talk, picture, shows
        self._first = {"viewer_token": viewer_token} | ({} if token is None else {"token": token})
        self._up_to: int | None = None
        self.whole = asyncio.Event()

    async def run(self) -> int:
        """Watch until it is over; the exit code. Raises ``CommandFailed``."""
        try:
            async with contextlib.aclosing(self._talk.messages()) as messages:
                async for heard in messages:
                    if heard is None:
                        await self._talk.say("live.view", self._first | self._picture.place)
                    elif isinstance(heard, Lost):
                        self._picture.interrupted()
                        for shows in self._shows:
                            shows.lost(heard)
                    else:
                        try:
                            said = self._picture.hear(heard)
                        except Doubt:
                            await self._talk.say("live.resync", {})
                            continue
                        if said is not None:
                            self._take(said)
                        await self._ask_whether_whole(heard)
        except Over as over:
            return self._over(over)
        raise AssertionError("messages come until the server says that it is over")

    async def _ask_whether_whole(self, heard: Heard) -> None:
        """A snapshot may be of a little while ago, with what came after it behind: ask up to where it goes now."""
        if heard.event_type == live.SnapshotEnd.event_type and not self.whole.is_set():
            await self._talk.say("live.ping", {})
        elif heard.event_type == live.Pong.event_type:
            self._up_to = heard.seq
        if self._up_to is not None and self._picture.seq >= self._up_to:
            self.whole.set()

    async def leave(self) -> None:
        """Go for good."""
        await self._talk.say("live.leave", {})

    def _take(self, said: live.Said) -> None:
        if isinstance(said, live.Viewing):
            self._talk.heartbeat_s = said.heartbeat_s
            self._talk.is_well()
        for shows in self._shows:
            shows.told(said)

    def _over(self, over: Over) -> int:
        if over.code == CloseCode.SESSION_ENDED or over.code == CloseCode.NORMAL:
            return Exit.DONE
        if over.code == CloseCode.REMOVED:
            raise CommandFailed(f"you may not watch any more: {over}", "Ask the host for another invite.")
        raise CommandFailed(f"it cannot be watched any more: {over}", REMEDIES.get(over.code, "")) from over


class ToldInLines:
    """Tells what happens, a line each; a program is told everything."""

    def __init__(self, picture: Picture, speech: Speech, *, once: bool) -> None:
        self._picture, self._speech, self._once = picture, speech, once
        self._file: str | None = None
        self._is_offline = False

    def told(self, said: live.Said) -> None:
        """Tell of a message."""
        scene, speech = self._picture.now, self._speech
        match said:
            case live.Viewing():
                if not self._is_offline:
                    title = f"“{said.title}”, " if said.title else ""
                    speech.tell("viewing", f"Watching {title}shown by {said.host_name}.", **facts(said))
                self._is_offline = False
            case live.Ended():
                speech.tell("ended", f"The session has ended. {live.END_REASONS[said.reason]}", reason=said.reason)
            case _ if self._once:
                pass
            case live.SnapshotEnd():
                self.tell_snapshot()
            case live.File():
                text = scene.files[said.file].document.text
                speech.tell("opened", f"{said.file} is open", file=said.file, version=said.version, text=text)
            case live.Patched():
                speech.tell("changed", None, **facts(said))
            case live.Closed():
                speech.tell("closed", f"{said.file} is closed", file=said.file)
            case live.Renamed():
                speech.tell("renamed", f"{said.file} is {said.to} now", file=said.file, to=said.to)
            case live.Focus():
                moved = said.file is not None and said.file != self._file
                self._file = said.file
                speech.tell("focus", f"The host is in {said.file}" if moved else None, **facts(said))
            case live.HostStatus():
                is_away = said.status == "away"
                speech.tell(
                    "host", "The host is away; the session waits." if is_away else "The host is here.", **facts(said)
                )

    def tell_snapshot(self) -> None:
        """Tell of all files, with their texts."""
        shown = self._picture.now.files
        files = [
            {"file": name, "version": file.document.version, "language": file.language, "text": file.document.text}
            for name, file in shown.items()
        ]
        names = ", ".join(shown) or "nothing yet"
        facts = {"files": files, "seq": self._picture.seq} if self._speech.as_json else {}
        self._speech.tell("snapshot", f"There is: {names}", **facts)

    def lost(self, lost: Lost) -> None:
        """Tell once that there is no connection."""
        if not self._is_offline:
            self._speech.note("offline", f"no connection ({lost.cause}); trying again", cause=lost.cause)
        self._is_offline = True


class WrittenToFolder:
    """Writes the files soon after they have changed."""

    def __init__(self, picture: Picture, folder: Folder, speech: Speech) -> None:
        self._picture, self._folder, self._speech = picture, folder, speech
        self._changed = asyncio.Event()

    def told(self, said: live.Said) -> None:
        """Something changed."""
        self._changed.set()

    def lost(self, lost: Lost) -> None:
        """What is there stays."""

    async def run(self) -> None:
        """Write, for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self.write()
            await asyncio.sleep(WRITE_EVERY_S)

    def write(self) -> None:
        """Write what has changed."""
        for name in self._folder.write(self._picture.now):
            self._speech.note("not_written", f"{name} cannot be a file here", file=name)


async def view(asked: argparse.Namespace, server: Server, speech: Speech) -> int:
    """Join, and watch until the session ends or the person leaves; the exit code."""
    folder = Folder(Path(asked.write_to)) if asked.write_to else None
    joined = await server.join(asked.link, None if asked.account else asked.name)
    picture, talk = Picture(), Talk(server.socket_url)
    writing = None if folder is None else WrittenToFolder(picture, folder, speech)
    screen = Screen(picture, follow=asked.follow, first=asked.file) if asked.on_screen else None
    lines = ToldInLines(picture, speech, once=asked.once)
    shows: list[Shows] = [each for each in (writing, screen or lines) if each is not None]
    viewing = View(talk, joined.viewer_token, server.token if asked.account else None, picture, shows)
    code = await _until_it_ends(viewing, talk, writing, screen, once=asked.once)
    if asked.once and viewing.whole.is_set():
        lines.tell_snapshot()
    return code


async def _until_it_ends(
    viewing: View, talk: Talk, writing: WrittenToFolder | None, screen: Screen | None, *, once: bool
) -> int:
    stopped = asyncio.Event()
    with on_interrupt(stopped.set):
        watching = asyncio.create_task(viewing.run())
        others: list[Coroutine[Any, Any, Any]] = [stopped.wait()] + [
            each.run() for each in (writing, screen) if each is not None
        ]
        if once:
            others.append(viewing.whole.wait())
        tasks: set[asyncio.Task[Any]] = {watching, *map(asyncio.create_task, others)}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if writing is not None:
                writing.write()
            if watching in done:
                return watching.result()
            for task in done:
                task.result()
            await viewing.leave()
            return Exit.DONE
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await talk.close()
