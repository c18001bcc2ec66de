"""A small pool of worker processes that check comments; one that takes too long is killed and replaced."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from adapters.safety.messages import FRAME_BYTES_MAX, LENGTH, Answer, Question, framed
from hivesync_core.comments import FileRefused, Report

TIMEOUT_S = 20.0
WAITING_MAX = 200
WORKERS = 2
_ROOT = str(Path(__file__).parents[2])


class SafetyError(Exception):
    """The check gave no verdict. Nothing was inserted, and nothing may be: no verdict is a refusal."""


class SafetyTimeout(SafetyError):
    """The check took longer than it may; its process was killed."""


class SafetyCrashed(SafetyError):
    """The process of the check ended without an answer."""


class SafetyBusy(SafetyError):
    """Too many checks wait already."""


class SafetyChecker:
    """Checks comments in worker processes, which start when first needed. An async context manager."""

    def __init__(self, *, workers: int = WORKERS, timeout_s: float = TIMEOUT_S, waiting_max: int = WAITING_MAX) -> None:
        self._timeout_s, self._waiting_max = timeout_s, waiting_max
        self._free: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for _ in range(workers):
            self._free.put_nowait(_Worker())
        self._waiting = 0
        self._workers = workers

    async def check(
        self,
        source: bytes,
        language: str,
        comments: Sequence[object],
        *,
        timeout_s: float | None = None,
    ) -> Report:
        """As `hivesync_core.comments.check`: `FileRefused` for a file that is not handled, `SafetyError` without a verdict."""
        limit = self._timeout_s if timeout_s is None else timeout_s
        named = language.encode(
            "utf-8", "backslashreplace"
        ).decode()  # a lone surrogate names no language, but is a str
        question = framed(Question(source, named, _as_json(comments), limit))
        if len(question) > FRAME_BYTES_MAX:
            raise FileRefused("file.too_large", "The file and its comments are too large to be checked. Split it.")
        if self._waiting >= self._waiting_max:
            raise SafetyBusy(f"{self._waiting} checks wait already. Try again later.")
        self._waiting += 1
        try:
            worker = await self._free.get()
        finally:
            self._waiting -= 1
        try:
            answer = await worker.ask(question, limit)
        finally:
            self._free.put_nowait(worker)
        if answer.report is None:
            raise FileRefused(answer.cause, answer.reason)
        return answer.report

    async def close(self) -> None:
        """Wait for the checks that run, then end all processes; the next check would start one again."""
        workers = [await self._free.get() for _ in range(self._workers)]
        for worker in workers:
            await worker.stop()
            self._free.put_nowait(worker)

    async def __aenter__(self) -> SafetyChecker:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _Worker:
    """One process, started when asked first and after every kill."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, question: bytes, timeout_s: float) -> Answer:
        """The answer; whatever goes wrong, the process is gone before the error is raised."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(question)
        except TimeoutError:
            await self.stop()
            raise SafetyTimeout(
                f"The check took longer than {timeout_s:g} s and was ended. Try a smaller file."
            ) from None
        except (asyncio.IncompleteReadError, BrokenPipeError, ConnectionError):
            await self.stop()
            raise SafetyCrashed("The process of the check ended without an answer. Try a smaller file.") from None
        except BaseException:
            await self.stop()  # a cancelled exchange leaves half an answer in the pipe
            raise

    async def _exchange(self, question: bytes) -> Answer:
        if self._process is None or self._process.returncode is not None:
            self._process = await _start()
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None and writer is not None
        writer.write(question)
        await writer.drain()
        (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        return msgspec.msgpack.decode(await reader.readexactly(length), type=Answer)

    async def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


async def _start() -> asyncio.subprocess.Process:
    environment = {**os.environ, "PYTHONPATH": _ROOT}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapters.safety.child",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip


def _as_json(comments: Sequence[object]) -> bytes:
    """What comes from elsewhere may be no JSON at all; it is refused as a whole, since it never was an answer."""
    plain = [msgspec.to_builtins(one) if isinstance(one, msgspec.Struct) else one for one in comments]
    try:
        return json.dumps(plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FileRefused("comments.not_json", f"The comments are no JSON values: {error}") from error
