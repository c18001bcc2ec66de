"""`hivesync docs FILE…`: comments for files, decided on in the terminal, and written only with the proof that nothing else changes."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from adapters.cli.docs_backends import (
    Backend,
    Decided,
    DocsFailed,
    FileAtHand,
    LocalBackend,
    Proposal,
    ServerBackend,
)
from adapters.cli.docs_terminal import Stopped, Terminal
from adapters.cli.docs_writing import FileChanged, write_proven
from adapters.cli.ending import Exit
from adapters.safety.checker import SafetyChecker, SafetyError
from hivesync_core.comments import FileRefused, Report, language_of, unified_diff
from hivesync_core.kernel.refusal import Refusal
from hivesync_core.reviews.events import Detail, Style
from hivesync_core.reviews.refusals import NO_DOCSTRINGS
from hivesync_core.settings.decider import AiSettings, ChangeAiSettings, settings

EXAMPLES = """\
examples:
  hivesync docs src/app.py                         ask the model from here (OPENAI_API_KEY, OPENAI_BASE_URL)
  hivesync docs --dry-run *.py                     show the diffs, write nothing
  hivesync docs --server https://hivemind.hivesync.net --project Garden src/app.py
  hivesync docs --yes --json $(git ls-files '*.go') > told.json

environment:
  HIVESYNC_API_BASE_URL, HIVESYNC_TOKEN, HIVESYNC_PROJECT   as --server, --project; the token only here
  OPENAI_API_KEY, OPENAI_BASE_URL                           the model, where no server is given

exit codes:
  0  every file is documented, or needed nothing
  1  no file could be documented
  2  the command line or a setting is wrong
  3  some files could not be documented
"""

DESCRIPTION = """\
Suggests comments for source files and inserts those that you approve. A comment is refused unless it is proven, by parsing
the file before and after, that it changes nothing but comments; the proof is run here again before a file is written.
With a server the decisions are in its history; without one the model is asked from here and nothing is kept.
"""

AT_ONCE = 6
"""Files that are asked about while a person decides on the first of them."""
AT_ONCE_MAX = 50


class Told(msgspec.Struct, kw_only=True):
    """What came of one file. ``own_ms`` is HiveSync's own work: not the model's, not the person's."""

    path: str
    status: str
    language: str | None = None
    inserted: int = 0
    discarded: int = 0
    refused: list[dict[str, Any]] = []
    base_sha256: str | None = None
    after_sha256: str | None = None
    tokens_sha256_before: str | None = None
    tokens_sha256_after: str | None = None
    grammar: str | None = None
    review_id: str | None = None
    usage: dict[str, Any] | None = None
    own_ms: float = 0.0
    message: str | None = None


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        return asyncio.run(_run(asked))
    except DocsFailed as failure:
        print(f"hivesync docs: {failure}", file=sys.stderr)
        return Exit.USAGE
    except KeyboardInterrupt:
        print("\nhivesync docs: stopped; files that were written stay so", file=sys.stderr)
        return Exit.INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hivesync docs",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--yes", action="store_true", help="approve everything that passes the checks")
    parser.add_argument("--dry-run", action="store_true", help="show the diff of everything that passes; write nothing")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object; needs --yes or --dry-run")
    parser.add_argument("--language", metavar="NAME", help="of all files, else by their names")
    parser.add_argument(
        "--at-once", type=_at_once, default=AT_ONCE, metavar="N", help=f"files asked about ahead, {AT_ONCE} by default"
    )
    style = parser.add_argument_group("how the comments are written")
    style.add_argument("--detail", choices=[str(one) for one in Detail], default="normal")
    style.add_argument("--tongue", default="en", metavar="TAG", help="the language that people read, such as en or de")
    style.add_argument("--no-header", action="store_true", help="no comment at the top of the file")
    style.add_argument(
        "--docstrings", action="store_true", help="refused, with the reason: a docstring is code, no comment"
    )
    style.add_argument("--comments-max", type=int, default=50, metavar="N")
    server = parser.add_argument_group("with a HiveSync server")
    server.add_argument("--server", default=os.environ.get("HIVESYNC_API_BASE_URL"), metavar="URL")
    server.add_argument("--project", default=os.environ.get("HIVESYNC_PROJECT"), metavar="NAME")
    local = parser.add_argument_group("without one")
    local.add_argument("--base-url", default=os.environ.get("OPENAI_BASE_URL"), metavar="URL", help="of the model")
    local.add_argument("--model", default=AiSettings().model)
    local.add_argument("--timeout", type=int, default=AiSettings().timeout_s, metavar="SECONDS")
    return parser


def _at_once(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= AT_ONCE_MAX:
        raise argparse.ArgumentTypeError(f"it must be from 1 to {AT_ONCE_MAX}")
    return int(text)


async def _run(asked: argparse.Namespace) -> int:
    if asked.json and not (asked.yes or asked.dry_run):
        raise DocsFailed("--json asks nothing: say --yes or --dry-run.")
    if not (asked.yes or asked.dry_run) and not sys.stdin.isatty():
        raise DocsFailed("there is no terminal to ask on: say --yes or --dry-run.")
    if asked.docstrings:
        raise DocsFailed(NO_DOCSTRINGS)
    style = Style(
        detail=Detail(asked.detail),
        header=not asked.no_header,
        tongue=asked.tongue,
        comments_max=asked.comments_max,
    )
    async with SafetyChecker() as checker:
        backend = _backend(asked, checker)
        terminal = Terminal(quiet=asked.json)
        told = []
        try:
            async for file, outcome in _proposals(asked, backend, style, terminal):
                told.append(await _documented(asked, checker, backend, terminal, file, outcome))
                terminal.told(told[-1].path, told[-1].status, told[-1].message, told[-1].inserted)
        except Stopped:
            terminal.note("stopped; what was written stays so")
        finally:
            await backend.close()
    if asked.json:
        print(msgspec.json.encode({"files": told}).decode())
    bad = sum(one.status in ("failed", "refused") for one in told)
    return Exit.DONE if not bad else Exit.FAILED if bad == len(told) else Exit.PARTLY


def _backend(asked: argparse.Namespace, checker: SafetyChecker) -> Backend:
    if asked.server:
        token = os.environ.get("HIVESYNC_TOKEN")
        if not token:
            raise DocsFailed("set HIVESYNC_TOKEN to a personal access token with the scopes read and write.")
        if not asked.project:
            raise DocsFailed("say --project NAME, or set HIVESYNC_PROJECT.")
        return ServerBackend(asked.server, token, asked.project)
    nobody: Any = None
    wanted = ChangeAiSettings(by=nobody, base_url=asked.base_url, model=asked.model, timeout_s=asked.timeout)
    try:
        chosen = settings.fold(settings.decide(settings.initial, wanted)).ai
    except Refusal as refusal:
        raise DocsFailed(str(refusal)) from None
    return LocalBackend(checker, chosen, os.environ.get("OPENAI_API_KEY"))


async def _proposals(
    asked: argparse.Namespace, backend: Backend, style: Style, terminal: Terminal
) -> AsyncIterator[tuple[FileAtHand | Path, Proposal | DocsFailed]]:
    """Each file with its comments, in order; the next ones are asked about meanwhile."""
    turn = asyncio.Semaphore(asked.at_once)

    async def propose(path: Path) -> tuple[FileAtHand | Path, Proposal | DocsFailed]:
        async with turn:
            try:
                file = await asyncio.to_thread(_read, path, asked.language)
            except DocsFailed as failure:
                return path, failure
            try:
                return file, await backend.propose(file, style)
            except DocsFailed as failure:
                return file, failure

    tasks = [asyncio.create_task(propose(path)) for path in asked.files]
    try:
        for number, task in enumerate(tasks):
            terminal.waiting(str(asked.files[number]), number + 1, len(tasks))
            yield await task
    finally:
        for task in tasks:
            task.cancel()


def _read(path: Path, named: str | None) -> FileAtHand:
    try:
        source = path.read_bytes()
    except IsADirectoryError:
        raise DocsFailed("It is a folder: name its files.") from None
    except OSError as error:
        raise DocsFailed(f"It cannot be read: {error.strerror}.") from None
    try:
        source.decode()
    except UnicodeDecodeError:
        raise DocsFailed("It is not UTF-8 text.", refused=True) from None
    language = named or language_of(path.name, source)
    if language is None:
        raise DocsFailed("Its language is not supported. Say --language if its name only does not tell.", refused=True)
    folder = Path.cwd()
    whole = path.resolve()
    name = whole.relative_to(folder).as_posix() if whole.is_relative_to(folder) else path.name
    return FileAtHand(path=whole, name=name, language=language, source=source)


async def _documented(
    asked: argparse.Namespace,
    checker: SafetyChecker,
    backend: Backend,
    terminal: Terminal,
    file: FileAtHand | Path,
    outcome: Proposal | DocsFailed,
) -> Told:
    """Decide, prove again, tell the server, write."""
    if isinstance(file, Path) or isinstance(outcome, DocsFailed):
        name = str(file) if isinstance(file, Path) else file.name
        assert isinstance(outcome, DocsFailed), "a file that could not be read has no proposal"
        return Told(path=name, status="refused" if outcome.refused else "failed", message=str(outcome))
    told = Told(
        path=file.name, status="unchanged", language=file.language, refused=outcome.refused,
        usage=outcome.usage, review_id=outcome.review_id, own_ms=outcome.own_s * 1000,
    )  # fmt: skip
    try:
        contents = await _decided(asked, checker, terminal, file, outcome)
        began = time.perf_counter()
        report = await _proven(checker, file, outcome, contents)
        own_s = time.perf_counter() - began
        told.inserted, told.discarded = len(contents), len(outcome.comments) - len(contents)
        if report.proof is not None:
            told.base_sha256, told.after_sha256 = report.proof.file_sha256_before, report.proof.file_sha256_after
            told.tokens_sha256_before = report.proof.tokens_sha256_before
            told.tokens_sha256_after = report.proof.tokens_sha256_after
            told.grammar = report.proof.grammar
        if asked.dry_run:
            terminal.diff(unified_diff(file.name, file.source, report.after))
            told.status = "shown"
            return told
        await backend.tell(file, outcome, _decision(outcome, contents, report))
        began = time.perf_counter()
        if report.proof is not None:
            await asyncio.to_thread(write_proven, file.path, file.source, report)
            told.status = "written"
        told.own_ms += (own_s + time.perf_counter() - began) * 1000
    except (DocsFailed, FileChanged, SafetyError, OSError) as failure:
        told.status, told.message = "failed", str(failure)
    except FileRefused as refusal:
        told.status, told.message = "refused", refusal.reason
    return told


async def _decided(
    asked: argparse.Namespace, checker: SafetyChecker, terminal: Terminal, file: FileAtHand, proposal: Proposal
) -> dict[int, str]:
    """The words of the comments that are to be inserted, by index."""
    suggested = {index: str(comment["content"]) for index, comment in proposal.comments.items()}
    if asked.yes or asked.dry_run:
        return suggested

    async def preview(index: int, content: str) -> bytes | str:
        """The diff of one comment alone, or why it is refused."""
        comment = {**proposal.comments[index], "content": content}
        report = await checker.check(file.source, file.language, [comment])
        if report.refused:
            return report.refused[0].reason
        return unified_diff(file.name, file.source, report.after)

    return await terminal.decide(file.name, suggested, preview)


async def _proven(checker: SafetyChecker, file: FileAtHand, proposal: Proposal, contents: dict[int, str]) -> Report:
    """The file with the comments, proven here; raises ``DocsFailed`` where they cannot all stand."""
    comments = [{**proposal.comments[index], "content": contents[index]} for index in sorted(contents)]
    report = await checker.check(file.source, file.language, comments)
    if report.refused:
        raise DocsFailed("Nothing was written: " + " ".join(one.reason for one in report.refused))
    return report


def _decision(proposal: Proposal, contents: dict[int, str], report: Report) -> Decided:
    same = {index for index, content in contents.items() if content == proposal.comments[index]["content"]}
    return Decided(
        approved=tuple(sorted(same)),
        edited={index: content for index, content in contents.items() if index not in same},
        discarded=tuple(sorted(proposal.comments.keys() - contents.keys())),
        after_sha256=sha256(report.after).hexdigest(),
    )
