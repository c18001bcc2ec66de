"""`hivesync verify`: checks an export, a `history.jsonl` or the whole store against what was signed, offline."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from adapters.cli.console import CommandFailed
from adapters.cli.database import database_of
from adapters.cli.ending import no_more_output
from adapters.proof.keys import PUBLIC_KEY_FILE
from adapters.proof.log_evidence import is_file
from adapters.proof.outside import CHECKPOINTS_FILE, FOLDER
from adapters.proof.verdict import CannotVerify, ExitCode, Verdict
from adapters.proof.verify_export import verify_export
from adapters.proof.verify_log import Given, verify_history, verify_store
from hivesync_core.proof.note import KeyRefused, PublicKey
from projections.exports.manifest import MANIFEST_SUFFIX

PROGRESS_EVERY_S = 0.2

DESCRIPTION = """\
Checks that no event was changed, dropped, added, moved or cut off the end, and names the first one that was.
FILE is an export (its manifest and its proof file lie beside it) or a history.jsonl. Without FILE the store itself is
checked: --database-url, or the database of this installation. Nothing is asked of the server: the public key decides.
"""

EPILOG = """\
exit codes: 0 all is genuine, 1 something was tampered with, 2 it cannot be told (a file, the key or the database is
missing or cannot be read)
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="an export, or a history.jsonl")
    parser.add_argument("--database-url", metavar="URL", help="check the log in this PostgreSQL database")
    parser.add_argument(
        "--key",
        metavar="KEY",
        help=f"the public key (name+id+base64), or a file that holds it; else {PUBLIC_KEY_FILE} of the data folder",
    )
    parser.add_argument(
        "--checkpoint", action="append", default=[], type=Path, metavar="FILE",
        help="a file of signed checkpoints that was kept elsewhere; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--leaves",
        type=Path,
        metavar="FILE",
        help="a copy of the tree's leaves (leaves.sha256), to name the very event",
    )
    parser.add_argument(
        "--at-least", type=int, default=0, metavar="N", help="the log is known to have reached this position"
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="the data folder of this installation")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each thing that was checked")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is the worst of all that was checked."""
    parser = argparse.ArgumentParser(prog="hivesync verify")
    configure(parser)
    try:
        return run(parser.parse_args(arguments))
    except AnswerLost as error:
        no_more_output()
        with suppress(OSError):
            print(f"CANNOT TELL: {error}", file=sys.stderr)
        return ExitCode.UNREADABLE


def run(asked: argparse.Namespace) -> int:
    """Run the command with parsed arguments."""
    data_dir = asked.data_dir or Path(os.environ.get("HIVESYNC_DATA_DIR") or "data")
    progress = Progress(sys.stderr, shown=not asked.quiet and sys.stderr.isatty())
    worst = 0
    targets: list[Path | None] = [*asked.files] or [None]
    if asked.files and asked.database_url:
        targets.append(None)
    for target in targets:
        try:
            verdict = _verify(target, asked, data_dir, progress)
        except CannotVerify as error:
            progress.clear()
            _say_unreadable(target, error, as_json=asked.json)
            worst = max(worst, ExitCode.UNREADABLE)
            continue
        progress.clear()
        _say(verdict.to_json() if asked.json else verdict.to_text())
        worst = max(worst, verdict.exit_code)
    return worst


class AnswerLost(Exception):
    """A verdict cannot be written: to end as if something were tampered with would be a verdict too."""


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError as error:
        raise AnswerLost(f"the verdict cannot be written: {error.strerror or error}") from error


class Progress:
    """Shows on one line how many events were checked, and how fast."""

    def __init__(self, out: TextIO, *, shown: bool) -> None:
        self._out = out
        self._shown = shown
        self._began = self._told_at = time.monotonic()
        self._dirty = False

    def __call__(self, events: int) -> None:
        """Tell the number of events so far; seldom enough not to cost anything."""
        now = time.monotonic()
        if self._shown and now - self._told_at >= PROGRESS_EVERY_S:
            self._told_at = now
            rate = events / (now - self._began)
            self._out.write(f"\r\033[K{events:,} events checked, {rate:,.0f} a second")
            self._out.flush()
            self._dirty = True

    def clear(self) -> None:
        """Take the line away, and begin to count anew."""
        if self._dirty:
            self._out.write("\r\033[K")
        self._began = self._told_at = time.monotonic()
        self._dirty = False


def _verify(target: Path | None, asked: argparse.Namespace, data_dir: Path, progress: Progress) -> Verdict:
    given = Given(
        key=_key(asked.key, data_dir),
        checkpoints=tuple(asked.checkpoint) or _own_checkpoints(data_dir),
        leaves=asked.leaves,
        at_least=asked.at_least,
    )
    if target is None:
        with _store(asked.database_url, data_dir) as url:
            return verify_store(url, given, progress)
    if target.name.endswith(MANIFEST_SUFFIX) or _has_manifest(target) or target.suffix != ".jsonl":
        return verify_export(target, given.key, progress)
    return verify_history(target, given, progress)


def _has_manifest(path: Path) -> bool:
    return is_file(path.with_name(path.name + MANIFEST_SUFFIX))


def _own_checkpoints(data_dir: Path) -> tuple[Path, ...]:
    """The checkpoints of this installation's data folder, where it has any."""
    own = data_dir / FOLDER / CHECKPOINTS_FILE
    return (own,) if is_file(own) else ()


def _key(given: str | None, data_dir: Path) -> PublicKey:
    """The public key from the command line, a file, or the data folder."""
    if given is not None and "+" in given and not is_file(Path(given)):
        text, where = given, "--key"
    else:
        path = Path(given) if given is not None else data_dir / PUBLIC_KEY_FILE
        where = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CannotVerify(f"there is no public key in {path}; give it by --key") from error
    try:
        return PublicKey.parse(text)
    except KeyRefused as error:
        raise CannotVerify(f"{where} holds no public key: {error}") from error


@contextmanager
def _store(url: str | None, data_dir: Path) -> Iterator[str]:
    """The URL of the store: the one given, that of the settings, or the private PostgreSQL, started if need be."""
    try:
        with database_of(url or os.environ.get("DATABASE_URL") or None, data_dir) as found:
            yield found
    except CommandFailed as error:
        raise CannotVerify(f"{error} {error.remedy}".strip()) from error


def _say_unreadable(target: Path | None, error: CannotVerify, *, as_json: bool) -> None:
    what = str(target) if target is not None else "the log in the database"
    if as_json:
        _say(json.dumps({"ok": None, "exit_code": ExitCode.UNREADABLE, "what": what, "cause": str(error)}))
    else:
        print(f"CANNOT TELL: {what}\n  {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
