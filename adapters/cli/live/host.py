"""`hivesync live host`: shows files of this machine to whoever has the link, as they are saved or as an editor says."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from adapters.cli.console import CommandFailed
from adapters.cli.ending import Exit
from adapters.cli.live.differences import changes_between
from adapters.cli.live.files import Named, Unreadable, Watcher, ignore_files, named, read, refused, root_of
from adapters.cli.live.hosting import Hosting
from adapters.cli.live.patches import take_patches
from adapters.cli.live.server import Server
from adapters.cli.live.speech import Speech
from adapters.cli.live.talk import Lost, Over, Talk
from hivesync_core.live.document import Document
from shared.socket.close_codes import CloseCode
from shared.socket.live import END_REASONS, Ended, IgnoreFile, Range

END_WAIT_S: Final = 5.0
TOLD_AFTER_S: Final = 1.0
"""Pauses in the connection that are shorter are nobody's concern."""


async def host(asked: argparse.Namespace, server: Server, speech: Speech) -> int:
    """Start a session, show the files, and end the session when interrupted; the exit code."""
    files, ignore = _shown(asked, speech)
    texts = {file.name: _text(file) for file in files}
    assert server.token is not None, "the command line asks for it"
    session_id = asked.session or await server.start(await server.project(asked.project), asked.title, asked.allow)
    speech.tell("started", f"The session is {session_id}.", session_id=session_id)
    await _tell_invite(server, session_id, speech)
    talk = Talk(server.socket_url)
    hosting = Hosting(session_id, server.token, ignore, speech, talk)
    for name, text in texts.items():
        await hosting.open(name, text)
    work = take_patches(hosting, speech) if asked.stdin_patches else _watch(hosting, files, speech)
    return await _Run(hosting, talk, server, session_id, speech).until_it_ends(work)


def _shown(asked: argparse.Namespace, speech: Speech) -> tuple[list[Named], tuple[IgnoreFile, ...]]:
    """The files that may be shown, and what is ignored where they lie."""
    root = Path(asked.root).resolve() if asked.root else root_of(Path.cwd())
    if not root.is_dir():
        raise CommandFailed(
            f"{asked.root} is no folder", "Give the folder that names are to be relative to.", Exit.USAGE
        )
    files = named(root, asked.files)
    ignore = ignore_files(root, files)
    why = refused(files, root, ignore, asked.allow)
    for name, error in why.items():
        speech.note("refused", f"{name} is not shown: {error}", file=name, code=error.code, rule=error.rule)
    if why and not asked.skip_refused:
        raise CommandFailed(
            f"{len(why)} of the files may not be shown; nothing was started", "Leave them out, or say --skip-refused."
        )
    left = [file for file in files if file.name not in why]
    if not left and not asked.stdin_patches:
        raise CommandFailed("there is no file to show", "Name one.", Exit.USAGE)
    return left, ignore


def _text(file: Named) -> str:
    try:
        return read(file.path)
    except Unreadable as error:
        raise CommandFailed(f"{file.name} cannot be shown: {error}") from error


async def _tell_invite(server: Server, session_id: UUID, speech: Speech) -> None:
    invite = await server.invite(session_id)
    speech.tell(
        "invite",
        f"\nIn the browser:  {invite.web_link}\nIn HiveSync:     {invite.link}\n"
        f"The link lets people in until {_clock(invite.expires_at)}. Ctrl-C ends the session.\n",
        web_link=invite.web_link,
        link=invite.link,
        expires_at=invite.expires_at,
    )


async def _watch(hosting: Hosting, files: Sequence[Named], speech: Speech) -> int:
    """Show each save of the files, for ever."""
    async for file, is_there in Watcher(files).changed():
        if not is_there:
            await hosting.close(file.name)
            speech.note("deleted", f"{file.name} is gone", file=file.name)
            continue
        try:
            text = await asyncio.to_thread(read, file.path)
        except Unreadable as error:
            speech.note("unreadable", f"{file.name} is shown as it was: {error}", file=file.name)
            continue
        known = hosting.files.get(file.name)
        if known is None:
            await hosting.open(file.name, text)
            continue
        changes = await asyncio.to_thread(changes_between, known.document.text, text)
        if changes:
            await hosting.change(file.name, changes, with_digest=True)
            end = _end_of(known.document, changes[-1].range, changes[-1].text)
            await hosting.show(file.name, [end])
            speech.tell("saved", None, file=file.name, version=known.document.version, changes=len(changes))
    return 0


def _end_of(document: Document, changed: Range, text: str) -> Range:
    """Where the text that was put in last ends, as an empty range."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    line = changed.start.line + len(lines) - 1
    character = len(lines[-1].encode("utf-16-le")) // 2 + (changed.start.character if len(lines) == 1 else 0)
    place = type(changed.start)(min(line, document.line_count - 1), character)
    return Range(place, place)


class _Run:
    """The connection and the work beside it, until one of them, the server or the person ends it."""

    def __init__(self, hosting: Hosting, talk: Talk, server: Server, session_id: UUID, speech: Speech) -> None:
        self._hosting, self._talk, self._server, self._session_id = hosting, talk, server, session_id
        self._speech = speech
        self._ended = asyncio.Event()

    async def until_it_ends(self, work: Awaitable[int]) -> int:
        """Host until it is over; the exit code."""
        stopped = asyncio.Event()
        listening = asyncio.create_task(self._listen())
        working = asyncio.ensure_future(work)
        with on_interrupt(stopped.set):
            waiting = asyncio.create_task(stopped.wait())
            try:
                await asyncio.wait({listening, working, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if listening.done():
                    return listening.result()
                # Standard input has ended, or the person had enough; what was said before is still to be shown.
                try:
                    bad = working.result() if working.done() else 0
                    begun = asyncio.create_task(self._hosting.begun.wait())
                    await asyncio.wait({listening, waiting, begun}, return_when=asyncio.FIRST_COMPLETED)
                    begun.cancel()
                finally:
                    await self._end(listening)
                return Exit.PARTLY if bad or self._hosting.refused else Exit.DONE
            finally:
                for task in (listening, working, waiting):
                    task.cancel()
                await asyncio.gather(listening, working, waiting, return_exceptions=True)
                await self._talk.close()

    async def _listen(self) -> int:
        """Hear the server out; returns when the session has ended."""
        try:
            async with contextlib.aclosing(self._talk.messages()) as messages:
                async for heard in messages:
                    if heard is None:
                        await self._hosting.introduce()
                    elif isinstance(heard, Lost):
                        if heard.again_in_s >= TOLD_AFTER_S or not self._hosting.begun.is_set():
                            self._speech.note(
                                "offline", f"no connection ({heard.cause}); trying again", cause=heard.cause
                            )
                    elif heard.event_type == "live.ended":
                        self._tell_end(msgspec.json.decode(heard.payload, type=Ended))
                    else:
                        await self._hosting.hear(heard)
        except Over as over:
            if over.code == CloseCode.SESSION_ENDED:
                self._ended.set()
                return Exit.DONE
            raise CommandFailed(f"the session cannot be hosted any more: {over}", _remedy(over.code)) from over
        raise AssertionError("messages come until the server says that it is over")

    def _tell_end(self, ended: Ended) -> None:
        self._speech.tell("ended", f"The session has ended. {END_REASONS[ended.reason]}", reason=ended.reason)
        self._ended.set()

    async def _end(self, listening: asyncio.Task[int]) -> None:
        """End the session: by the socket, so that everything before it is shown; else over HTTP."""
        if self._ended.is_set():
            return
        if await self._hosting.end():
            await asyncio.wait({listening}, timeout=END_WAIT_S)
        if not self._ended.is_set():
            await self._server.end(self._session_id)
            self._speech.tell("ended", f"The session has ended. {END_REASONS['host_ended']}", reason="host_ended")


def _remedy(code: int) -> str:
    if code in (CloseCode.NOT_AUTHENTICATED, CloseCode.EXPIRED, CloseCode.REVOKED):
        return "Make another personal access token with the scope `live`, and go on with --session."
    if code == CloseCode.NO_SESSION:
        return "Start another one."
    return ""


@contextlib.contextmanager
def on_interrupt(act: Callable[[], None]) -> Iterator[None]:
    """Call ``act`` instead of being interrupted."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, act)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _clock(time: datetime) -> str:
    return f"{time.astimezone():%H:%M}"
