"""`hivesync-admin export`: any part of the history as a file, replayed from the log alone."""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from adapters.cli.console import CommandFailed, Output, add_common, parser_of
from adapters.cli.desk import Desk, at_the_desk
from adapters.cli.ending import Exit
from adapters.cli.progress import ProgressBar
from adapters.exports.attesting import attested, attestor
from adapters.exports.reading import open_reader
from adapters.proof.attest import Attestor
from adapters.proof.keeper import OtherKey
from adapters.proof.keys import KEY_FILE, SigningKeyProblem
from adapters.proof.tree_store import LogRewritten
from hivesync_core.exports.events import ExportFormat
from hivesync_core.exports.selection import Selection, checked
from hivesync_core.kernel.ids import SYSTEM_ACTOR
from projections.exports.manifest import MANIFEST_SUFFIX, Manifest
from projections.exports.whole_file import StillWritten
from projections.exports.writer import Progress, Writing, plan, write_export, write_stream

EXAMPLES = """\
hivesync-admin export --format csv --out history.csv
hivesync-admin export --format csv --project Garden --from 2025-01-01 --to 2025-02-01 --out january.csv
hivesync-admin export --format txt --type task.approved --type task.denied --out reviews.txt
hivesync-admin export --format jsonl --after 120000 --through 130000 --out part.jsonl
hivesync-admin export --format jsonl --stream 0195515c-0000-7000-8000-000000000001 --out - | jq .data
"""

DESCRIPTION = """\
Writes the history, or the part of it that meets every option given, as CSV, as text for people, or as JSON Lines
(CloudEvents). The same range gives the same bytes. A manifest with count, hashes and proofs is written beside the file;
`hivesync verify FILE` checks both offline. --out - writes to standard output, without a manifest.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    asked = _parser().parse_args(arguments)
    output = Output(as_json=asked.json)
    path = Path(asked.out)
    if asked.out != "-" and path.exists() and not path.is_file():
        raise CommandFailed(
            f"{asked.out or repr('')} is no file that could be replaced", "Choose another name.", Exit.USAGE
        )
    if asked.out != "-" and path.exists() and not asked.force:
        there = f"{asked.out} is there already"
        raise CommandFailed(there, "Choose another name, or replace it by --force.", Exit.USAGE)
    return at_the_desk(asked, output, lambda desk: _export(desk, output, asked))


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("export", DESCRIPTION, EXAMPLES)
    parser.add_argument("--format", choices=[str(one) for one in ExportFormat], help="else by the ending of --out")
    parser.add_argument("--out", required=True, metavar="FILE", help="the file to write, - for standard output")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    part = parser.add_argument_group("which part of the history (all of it where nothing is said)")
    part.add_argument("--project", metavar="PROJECT", help="a project's name or id")
    part.add_argument("--actor", metavar="ACCOUNT", help=f"by whom: an e-mail address, an id, or {SYSTEM_ACTOR}")
    part.add_argument(
        "--type",
        action="append",
        default=[],
        metavar="TYPE",
        help="such as task.help_claimed.v1, or a beginning like task",
    )
    part.add_argument("--stream", type=UUID, metavar="ID", help="one task, project or account")
    part.add_argument("--from", dest="since", type=_time, metavar="TIME", help="recorded at this time or later (UTC)")
    part.add_argument("--to", dest="until", type=_time, metavar="TIME", help="recorded before this time (UTC)")
    part.add_argument("--after", type=_position, default=0, metavar="N", help="positions after this one")
    part.add_argument("--through", type=_position, metavar="N", help="positions up to this one")
    add_common(parser)
    return parser


async def _export(desk: Desk, output: Output, asked: argparse.Namespace) -> int:
    format_ = _format(asked)
    selection = checked(
        Selection(
            project_id=(await desk.project(asked.project))[0] if asked.project else None,
            actor=await _actor(desk, asked.actor),
            types=tuple(asked.type),
            stream_id=asked.stream,
            since=asked.since,
            until=asked.until,
            after=asked.after,
            through=asked.through,
        )
    )
    attests = None if asked.out == "-" else _attestor(desk, output)
    stopped = threading.Event()
    with ProgressBar("exporting", "events", shown=not output.as_json) as bar:

        def tell(progress: Progress) -> None:
            bar.tell(progress.rows, progress.fraction, progress.rows_per_s, progress.time_left_s)

        writing = Writing(on_progress=tell, is_cancelled=stopped.is_set)
        try:
            manifest = await asyncio.to_thread(_write, desk.url, asked.out, format_, selection, writing, attests)
        except asyncio.CancelledError:
            # The thread must not go on behind the back of whoever stopped the command.
            stopped.set()
            raise
        except BrokenPipeError:
            raise
        except OSError as error:
            if asked.out == "-":
                raise CommandFailed(f"standard output cannot be written: {error.strerror or error}") from error
            cause = f"{asked.out} cannot be written: {error.strerror or error}"
            raise CommandFailed(cause, "Nothing of it is left.") from error
        except StillWritten as error:
            raise CommandFailed(str(error), "Wait for the other export, or choose another name.") from error
        except (OtherKey, LogRewritten) as error:
            raise CommandFailed(f"it cannot be attested to: {error}", "Nothing of it is left.") from error
    if asked.out != "-":
        output.answer(manifest, _told(manifest, asked.out))
    return Exit.DONE


def _write(
    url: str, out: str, format_: ExportFormat, selection: Selection, writing: Writing, attests: Attestor | None
) -> Manifest:
    with closing(open_reader(url)) as reader:
        job = plan(reader, format_, selection)
        if out == "-":
            manifest = write_stream(reader, job, sys.stdout.buffer, "-", writing)
            sys.stdout.buffer.flush()
            return manifest
        path = Path(out)
        if attests is not None:
            writing = attested(attests, path, job, writing)
        return write_export(reader, job, path, writing)


def _attestor(desk: Desk, output: Output) -> Attestor | None:
    """What signs the export: the installation's key, where it is here. A new one would not be the installation's."""
    settings = desk.settings
    is_here = settings.signing_key or (Path(settings.data_dir) / KEY_FILE).exists() or settings.database_url is None
    if not is_here:
        output.note(
            "the export is not signed: the installation's key is not here. Set HIVESYNC_SIGNING_KEY, or give its data "
            "folder by --data-dir"
        )
        return None
    try:
        return attestor(desk.database, settings, Path(settings.data_dir), asyncio.get_running_loop())
    except SigningKeyProblem as error:
        raise CommandFailed(f"it cannot be signed: {error}") from error


async def _actor(desk: Desk, who: str | None) -> str | None:
    """The actor as events name it; an id is taken as it is, also that of an account that was erased."""
    if who is None or who == SYSTEM_ACTOR:
        return who
    try:
        return str(UUID(who))
    except ValueError:
        return str((await desk.person(who)).account_id)


def _format(asked: argparse.Namespace) -> ExportFormat:
    ending = asked.format or Path(asked.out).suffix.removeprefix(".")
    try:
        return ExportFormat(ending)
    except ValueError:
        raise CommandFailed(
            "it is not clear in which format", f"Say --format {', '.join(ExportFormat)}.", Exit.USAGE
        ) from None


def _told(manifest: Manifest, out: str) -> str:
    lines = [
        f"{manifest.rows:,} events (positions {manifest.first_position or '-'} to {manifest.last_position or '-'}) in {out}",
        f"SHA-256 {manifest.sha256}, manifest in {out}{MANIFEST_SUFFIX}",
    ]
    if manifest.defused.cells:
        lines.append(f"{manifest.defused.cells:,} cells that a spreadsheet could run were defused.")
    if manifest.erasures.accounts:
        lines.append(f"{manifest.erasures.accounts:,} erased accounts are shown as erased-<id>.")
    return "\n".join(lines)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2025-03-01 or 2025-03-01T12:00:00Z") from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _position(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no position")
    return int(text)
