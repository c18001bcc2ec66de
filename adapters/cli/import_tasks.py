"""`hivesync-admin import tasks`: tasks from GitHub issues or from CSV, as often as one likes."""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast, get_args

from adapters.cli.console import CommandFailed, Output, add_common, parser_of
from adapters.cli.desk import Desk, NoSuchProject, at_the_desk
from adapters.cli.ending import Exit, Interrupts
from adapters.cli.progress import ProgressBar
from adapters.identity.account_rows import PEOPLE_MAX, AccountRow
from adapters.ids import uuid7
from adapters.imports.importer import Destination, Importer, Wishes
from adapters.imports.people import accounts_by_name
from adapters.imports.rows import DELIMITERS
from adapters.imports.source import ReadOptions, Source
from adapters.imports.table import ENCODINGS, TableOptions
from hivesync_core.kernel.ids import AccountId, ProjectId
from hivesync_core.kernel.roles import Role
from hivesync_core.projects.commands import CreateProject
from hivesync_core.projects.decider import Project, project
from shared.api.imports import BadRow, ImportFormat, ImportProgress, ImportReport

EXAMPLES = """\
hivesync-admin import tasks issues.jsonl.gz --project Garden
gh api --paginate 'repos/OWNER/NAME/issues?state=all' | hivesync-admin import tasks - --project Garden --create
hivesync-admin import tasks jira.csv --project Garden --map title=Summary --map labels=Components --dry-run
hivesync-admin import tasks old.csv --project Garden --encoding windows-1252 --closed Shipped
hivesync-admin import tasks issues.json --project Garden --person octocat=ann@example.com --by ann@example.com
hivesync-admin import tasks issues.jsonl.gz --project Garden --from-line 812
"""

DESCRIPTION = """\
Imports tasks into a project from a file of GitHub issues (a JSON array or JSON Lines, as the REST API or gh give them)
or from CSV, plain or packed with gzip; - is standard input. Closed ones arrive completed and approved, with their own
times. Importing a file again adds what is missing and changes nothing else. Pull requests in GitHub's files are imported
as tasks with the label "pull request"; --no-pull-requests leaves them out.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    asked = _parser().parse_args(arguments)
    output = Output(as_json=asked.json)
    options = _options(asked)
    return at_the_desk(asked, output, lambda desk: _import(desk, output, asked, options))


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("import", DESCRIPTION, EXAMPLES)
    parser.add_argument("what", choices=["tasks"], help="what to import")
    parser.add_argument("file", metavar="FILE", help="the file, - for standard input")
    parser.add_argument("--project", required=True, metavar="PROJECT", help="its name or id")
    parser.add_argument("--create", action="store_true", help="make the project where there is none of that name")
    parser.add_argument("--by", metavar="ACCOUNT", help="in whose name (else the project's only owner's)")
    parser.add_argument("--format", choices=get_args(ImportFormat), help="else by the file's name: csv, or github")
    parser.add_argument("--dry-run", action="store_true", help="store nothing; name every bad row")
    parser.add_argument(
        "--from-line", type=_positive, default=1, metavar="N", help="pass over what is before this line"
    )
    parser.add_argument("--person", action="append", default=[], metavar="NAME=ACCOUNT", help="who an assignee is here")
    parser.add_argument("--people", type=Path, metavar="FILE", help="a CSV file of lines NAME,ACCOUNT")
    parser.add_argument("--no-pull-requests", action="store_true", help="leave pull requests out (GitHub)")
    table = parser.add_argument_group("CSV")
    table.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="which column is which field")
    table.add_argument("--delimiter", choices=[*DELIMITERS, "tab"], help="else it is found out")
    table.add_argument("--encoding", choices=ENCODINGS, default="utf-8")
    table.add_argument("--open", action="append", default=[], metavar="WORD", help="a state that means open")
    table.add_argument("--closed", action="append", default=[], metavar="WORD", help="a state that means closed")
    add_common(parser)
    return parser


def _options(asked: argparse.Namespace) -> ReadOptions:
    name = asked.file.lower().removesuffix(".gz")
    format_: ImportFormat = asked.format or ("csv" if name.endswith((".csv", ".tsv")) else "github")
    table = TableOptions(
        columns=_pairs(asked.map, "--map FIELD=COLUMN"),
        delimiter="\t" if asked.delimiter == "tab" else asked.delimiter,
        encoding=asked.encoding,
        open_words=tuple(asked.open),
        closed_words=tuple(asked.closed),
    )
    return ReadOptions(format=format_, pull_requests=not asked.no_pull_requests, table=table)


async def _import(desk: Desk, output: Output, asked: argparse.Namespace, options: ReadOptions) -> int:
    project_id, state, create = await _project(desk, asked)
    by, role = await _importer_of(desk, state, asked.by)
    accounts = await accounts_by_name(desk.identity.rows, state.members, _people(asked))
    target = Destination(project_id, by, role, accounts)
    what = "checking" if asked.dry_run else "importing"
    with _opened(asked.file) as stream, ProgressBar(what, "tasks", shown=not output.as_json) as bar:

        def tell(progress: ImportProgress) -> None:
            bar.tell(progress.read, progress.fraction, progress.tasks_per_s, progress.time_left_s)

        def name(row: BadRow) -> None:
            if not output.as_json:
                bar.say(f"line {row.line}{f', {row.field}' if row.field else ''}: {row.cause}")

        wishes = Wishes(asked.dry_run, asked.from_line, tell, name)
        importer = Importer(desk.log, target, Source(stream), options, wishes)
        importer.begin()
        if create is not None and not asked.dry_run:
            await desk.log.execute(project, project_id, create, desk.context(str(create.by)))
        try:
            report = await importer.run()
        except (asyncio.CancelledError, KeyboardInterrupt):
            if not asked.dry_run:
                output.note("What was imported stays. Import the file again: it adds the rest and doubles nothing.")
            raise
    output.answer(report, _told(report, state.name, asked))
    return Exit.DONE if report.complete and not report.bad else Exit.PARTLY


async def _project(desk: Desk, asked: argparse.Namespace) -> tuple[ProjectId, Project, CreateProject | None]:
    """The project; where there is none and it may be made, as it would be, and the command that makes it."""
    try:
        return *await desk.project(asked.project), None
    except NoSuchProject as error:
        if not asked.create:
            raise NoSuchProject(str(error), f"{error.remedy}; --create makes it.") from error
    owner = await desk.person(asked.by) if asked.by else await _only_admin(desk)
    project_id = ProjectId(uuid7())
    create = CreateProject(project_id=project_id, by=owner.account_id, name=asked.project)
    return project_id, project.fold(project.decide(project.initial, create)), create


async def _only_admin(desk: Desk) -> AccountRow:
    admins = [row for row in await desk.identity.rows.page(None, PEOPLE_MAX) if row.is_admin and not row.disabled]
    if len(admins) != 1:
        raise CommandFailed("it is not clear who is to own the project", "Say --by ACCOUNT.", Exit.USAGE)
    return admins[0]


async def _importer_of(desk: Desk, state: Project, who: str | None) -> tuple[AccountId, Role]:
    """In whose name the tasks are imported; raises ``CommandFailed`` where that may not work in the project."""
    if who is None:
        owners = [account_id for account_id, role in state.members.items() if role is Role.OWNER]
        if len(owners) != 1:
            raise CommandFailed(f"{state.name} has {len(owners)} owners", "Say --by ACCOUNT.", Exit.USAGE)
        return owners[0], Role.OWNER
    person = await desk.person(who)
    role = state.members.get(person.account_id)
    if role is None or not role.writes:
        raise CommandFailed(f"{who} is no member who may work in {state.name}", "Name a member or an owner by --by.")
    return person.account_id, role


def _people(asked: argparse.Namespace) -> dict[str, str]:
    people = _pairs(asked.person, "--person NAME=ACCOUNT")
    if asked.people is not None:
        try:
            with asked.people.open(encoding="utf-8-sig", newline="") as file:
                people |= {row[0].strip(): row[1].strip() for row in csv.reader(file) if len(row) > 1}
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise CommandFailed(f"{asked.people} cannot be read: {error}", exit_code=Exit.USAGE) from error
    return people


def _pairs(given: Sequence[str], form: str) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise CommandFailed(f"{text!r} does not have the form {form}", exit_code=Exit.USAGE)
        pairs[name.strip()] = value.strip()
    return pairs


class _Waiting(RawIOBase):
    """A stream that may keep one waiting, as a terminal or a pipe does, until Ctrl-C."""

    def __init__(self, stream: BufferedReader, interrupts: Interrupts) -> None:
        self._stream, self._interrupts = stream, interrupts

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes as soon as there are any, none at the end."""
        with self._interrupts.waiting():
            return self._stream.read1(size)

    def fileno(self) -> int:
        """That of the stream; raises ``OSError`` where it has none."""
        return self._stream.fileno()


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    with Interrupts() as interrupts, ExitStack() as opened:
        if file != "-":
            try:
                with interrupts.waiting():
                    stream = opened.enter_context(open(file, "rb"))
            except (OSError, ValueError) as error:
                cause = getattr(error, "strerror", None) or error
                raise CommandFailed(f"{file or repr(file)} cannot be read: {cause}", exit_code=Exit.USAGE) from error
        elif not sys.stdin.readable():
            raise CommandFailed("standard input is closed", exit_code=Exit.USAGE)
        else:
            stream = cast(BufferedReader, sys.stdin.buffer)
        yield cast(BinaryIO, _Waiting(stream, interrupts))


def _told(report: ImportReport, project_name: str, asked: argparse.Namespace) -> str:
    """The report for people: what was done, what was not, and how to go on."""
    verb = "would be created" if report.dry_run else "created"
    lines = [
        f"{report.read:,} tasks read for {project_name} in {report.elapsed_s:.1f} s ({report.tasks_per_s:,.0f} a second): "
        f"{report.created:,} {verb}, {report.existing:,} were there."
    ]
    if not (report.read or report.bad or report.skipped):
        lines.append("There is nothing in the file.")
    if report.skipped:
        lines.append(f"{report.skipped:,} pull requests left out.")
    if report.shortened:
        lines.append(f"{report.shortened:,} had a text that did not fit and was shortened.")
    if report.unknown_people:
        shown = ", ".join(report.unknown_people[:10]) + (" …" if len(report.unknown_people) > 10 else "")
        lines.append(
            f"Assignees who are no members here, kept by name: {shown}. --person NAME=ACCOUNT says who is who."
        )
    if report.bad:
        lines.append(
            f"{report.bad:,} bad rows, named above. The others stand; correct these and import the file again."
        )
    if not report.complete:
        lines.append(f"It stopped at line {report.go_on_from_line}: {report.stopped_by}.")
        lines.append(
            f"What was whole is kept. With a whole file go on by --from-line {report.go_on_from_line}, or import all of "
            "it again: nothing is doubled."
        )
    return "\n".join(lines)


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no line number")
    return int(text)
