"""The `hivesync` program as a process of its own, with the JSON Lines that it tells."""

from __future__ import annotations

import asyncio
import codecs
import fcntl
import json
import os
import pty
import re
import signal
import struct
import sys
import termios
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
_PROGRAM = "from adapters.cli.main import main; raise SystemExit(main())"


class Command:
    """A running command; ``events`` are what it has told so far."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.events: list[dict[str, Any]] = []
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, *arguments: object, folder: Path = ROOT, **environment: str) -> Self:
        """Start `hivesync` with these arguments."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _PROGRAM, *map(str, arguments), cwd=folder, stdin=PIPE, stdout=PIPE, stderr=PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, limit=16_000_000,
        )  # fmt: skip
        return cls(process)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line) if line.startswith(b"{") else {"event": "line", "text": line.decode()}
            async with self._news:
                self.events.append(told)
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def event(self, name: str, /, **facts: Any) -> dict[str, Any]:
        """Wait for an event with these facts, the first of all that were told; it is told of once."""

        def found() -> dict[str, Any] | None:
            for event in self.events:
                if event["event"] == name and facts.items() <= event.items():
                    return event
            assert not self._reading.done(), f"it ended without {name}: {self.events}"
            return None

        async with asyncio.timeout(PATIENCE_S), self._news:
            while (event := found()) is None:
                await self._news.wait()
        self.events.remove(event)
        return event

    async def says(self, *lines: Any) -> None:
        """Give it lines on standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(json.dumps(line) + "\n" for line in lines).encode())
        await self._process.stdin.drain()

    def end_input(self) -> None:
        """End its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    async def ends(self) -> tuple[int, str]:
        """Wait for its end: its exit code, and what it said on standard error."""
        assert self._process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            said = await self._process.stderr.read()
            code = await self._process.wait()
            await self._reading
        return code, said.decode()

    async def kill(self) -> None:
        """Make sure that it does not outlive the test."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading


class Terminal:
    """A running command on a terminal of its own; ``said`` is everything that it has written there."""

    def __init__(self, process: Process, master: int) -> None:
        self._process, self._master = process, master
        self.said = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        asyncio.get_running_loop().add_reader(master, self._read)

    @classmethod
    async def start(cls, *arguments: object, **environment: str) -> Self:
        """Start `hivesync` with these arguments on a terminal of 100 columns and 30 lines."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _PROGRAM, *map(str, arguments), cwd=ROOT, stdin=slave, stdout=slave, stderr=slave,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment},
        )  # fmt: skip
        os.close(slave)
        return cls(process, master)

    def _read(self) -> None:
        try:
            self.said += self._decoder.decode(os.read(self._master, 65_536))
        except OSError:
            asyncio.get_running_loop().remove_reader(self._master)

    async def shows(self, text: str) -> None:
        """Wait until this was written; colours in between do not count."""
        async with asyncio.timeout(PATIENCE_S):
            while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.said):
                await asyncio.sleep(0.05)

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._master, key.encode())

    async def ends(self) -> int:
        """Wait for its end: its exit code."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()

    async def kill(self) -> None:
        """Make sure that it does not outlive the test."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
