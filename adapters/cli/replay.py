"""`hivesync replay`: rebuilds, checks and audits read models, and takes up what they could not process."""

from __future__ import annotations

import argparse
import os
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from adapters.cli.console import CommandFailed, Output, add_common, parser_of
from adapters.cli.desk import Desk, at_the_desk
from adapters.cli.ending import Exit
from adapters.cli.progress import ProgressBar
from adapters.replay.service import NoMoment, Replay, time_of
from hivesync_core.eventstore.events import the_catalogue
from projections.registry import READ_MODELS
from shared.api.replay import MOMENT, Difference, Flaw, Mode, ParkedStream, Replayed, ReplayProgress, Retried

EXAMPLES = """\
hivesync replay board
hivesync replay --all --dry-run
hivesync replay board --to 2026-03-01T12:00:00Z
hivesync replay --check
hivesync replay --audit --json
hivesync replay parked
hivesync replay parked retry board 01954f2a-1c00-7000-8000-00000000000b
hivesync replay parked skip board 01954f2a-1c00-7000-8000-00000000000b --reason "Written by a broken import."
"""

DESCRIPTION = f"""\
Rebuilds read models from the event log, beside those that serve, and swaps each in one transaction when it has caught
up. Interrupted, even by kill -9, it goes on where it stood when it is given again. Nothing but tables is written: no
mail, no webhook, no job happens a second time.

The read models are {", ".join(model.name for model in READ_MODELS)}.
"""

PARKED_DESCRIPTION = """\
Lists the streams that read models wait with, because they could not process an event; tries one again; or goes on
without the event, now and in every rebuild. A skip is an event of the history, with its reason.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code is 1 where a check or an audit found something."""
    if arguments and arguments[0] == "parked":
        return _parked_main(arguments[1:])
    asked = _parser().parse_args(arguments)
    mode = _mode(asked)
    names = _names(asked, mode)
    output = Output(as_json=asked.json)
    return at_the_desk(asked, output, lambda desk: _replay(desk, output, asked, mode, names))


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("replay", DESCRIPTION, EXAMPLES)
    parser.add_argument("projections", nargs="*", metavar="PROJECTION", help="the read models; see above")
    parser.add_argument("--all", action="store_true", help="every read model")
    parser.add_argument(
        "--to",
        metavar="MOMENT",
        help="rebuild up to a position or time (RFC 3339), beside what serves, and leave it there",
    )
    parser.add_argument("--dry-run", action="store_true", help="rebuild, say what would change, and throw it away")
    parser.add_argument("--anew", action="store_true", help="do not go on with what an interrupted rebuild has left")
    parser.add_argument("--check", action="store_true", help="rebuild beside, and print every row that differs")
    parser.add_argument("--audit", action="store_true", help="prove that each event was given to the read model once")
    add_common(parser)
    return parser


def _mode(asked: argparse.Namespace) -> Mode:
    modes: list[tuple[bool, Mode]] = [
        (asked.dry_run, "dry_run"),
        (asked.check, "check"),
        (asked.audit, "audit"),
        (asked.to is not None, "rebuild"),
    ]
    if asked.to is not None and not _is_moment(asked.to):
        raise CommandFailed(f"{asked.to!r} is neither a position nor a time like 2026-03-01T12:00:00Z", "", Exit.USAGE)
    chosen: list[Mode] = [mode for given, mode in modes if given]
    if len(chosen) > 1:
        raise CommandFailed("give one of --to, --dry-run, --check and --audit", exit_code=Exit.USAGE)
    return chosen[0] if chosen else "rebuild"


def _is_moment(text: str) -> bool:
    """Whether it reads as a position, or as a time that there is."""
    if re.fullmatch(MOMENT, text) is None:
        return False
    with suppress(NoMoment):
        return text.isdigit() or time_of(text) is not None
    return False


def _names(asked: argparse.Namespace, mode: Mode) -> list[str]:
    known = [model.name for model in READ_MODELS]
    unknown = [name for name in asked.projections if name not in known]
    if unknown:
        raise CommandFailed(
            f"there is no read model {unknown[0]!r}", f"There are {', '.join(known)}.", exit_code=Exit.USAGE
        )
    if asked.all and asked.projections:
        raise CommandFailed("give names or --all, not both", exit_code=Exit.USAGE)
    if asked.projections:
        return list(dict.fromkeys(asked.projections))
    if asked.all or mode in ("check", "audit"):
        return known
    raise CommandFailed("name a read model, or give --all", f"There are {', '.join(known)}.", exit_code=Exit.USAGE)


async def _replay(desk: Desk, output: Output, asked: argparse.Namespace, mode: Mode, names: list[str]) -> int:
    replay = _service(desk)
    results: list[Replayed] = []
    for name in names:
        with ProgressBar(f"{mode.replace('_', ' ')} {name}", "events", shown=not output.as_json) as bar:

            def tell(progress: ReplayProgress, bar: ProgressBar = bar) -> None:
                fraction = progress.position / progress.target if progress.target else None
                bar.tell(progress.position, fraction, progress.events_per_s, progress.time_left_s)

            replayed = await replay.replay(mode, name, to=asked.to, anew=asked.anew, on_progress=tell)
        results.append(replayed)
        if not output.as_json:
            print("\n".join(_told(replayed)), flush=True)
    if output.as_json:
        output.answer({"results": results}, "")
    return Exit.DONE if mode == "dry_run" or all(each.is_sound for each in results) else Exit.FAILED


def _service(desk: Desk) -> Replay:
    owner = f"{socket.gethostname()}:{os.getpid()}:replay"
    return Replay(desk.database, desk.log, the_catalogue(), READ_MODELS, owner)


def _told(replayed: Replayed) -> Iterator[str]:
    """What a replay came to, for people."""
    name, events = replayed.projection, f"{replayed.events:,} events, {replayed.seconds:.1f} s"
    if replayed.parked:
        yield f"{name}: {replayed.parked} streams parked; `hivesync replay parked` lists them once it serves"
    match replayed.mode:
        case "rebuild":
            resumed = f", resumed at {replayed.resumed_at:,}" if replayed.resumed_at else ""
            if replayed.swapped:
                yield f"{name}: rebuilt and swapped at position {replayed.position:,} ({events}{resumed})"
            else:
                yield f"{name}: rebuilt up to position {replayed.position:,}, in the schema rebuild ({events}{resumed})"
        case "audit":
            yield from (_flaw(name, flaw) for flaw in replayed.flaws)
            if not replayed.flaws:
                yield f"{name}: each of {replayed.events:,} events once, up to position {replayed.position:,}"
        case _:
            yield from (_difference(each) for each in replayed.differences)
            if replayed.differing > len(replayed.differences):
                yield f"{name}: and {replayed.differing - len(replayed.differences):,} more"
            said = f"{replayed.differing:,} rows differ" if replayed.differing else "no row differs"
            yield f"{name}: {said} at position {replayed.position:,} ({events})"


def _flaw(name: str, flaw: Flaw) -> str:
    where = f"position {flaw.position:,}" if flaw.position is not None else "several events"
    kind = "skipped or doubled" if flaw.kind == "unclear" else flaw.kind
    return f"{name}: {where} {kind}, between {flaw.after:,} and {flaw.up_to:,}"


def _difference(difference: Difference) -> str:
    """A row that differs, and in what."""
    row = f"{difference.table} {difference.key}"
    if difference.live is None:
        return f"{row}: missing in the live read model"
    if difference.rebuilt is None:
        return f"{row}: not in the rebuilt one"
    live, rebuilt = _flat(difference.live), _flat(difference.rebuilt)
    changed = [key for key in {**live, **rebuilt} if live.get(key) != rebuilt.get(key)]
    return f"{row}: " + "; ".join(f"{key} is {live.get(key)!r}, rebuilt {rebuilt.get(key)!r}" for key in changed)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row's columns and the fields of its document."""
    document = row.get("doc")
    fields = {f"doc.{key}": value for key, value in document.items()} if isinstance(document, dict) else {}
    return {key: value for key, value in row.items() if key != "doc"} | fields


def _parked_main(arguments: Sequence[str]) -> int:
    parser = parser_of("replay parked", PARKED_DESCRIPTION, EXAMPLES)
    parser.add_argument("what", nargs="?", choices=["list", "retry", "skip"], default="list")
    parser.add_argument("projection", nargs="?", metavar="PROJECTION")
    parser.add_argument("stream", nargs="?", metavar="STREAM", help="the id of the task or project")
    parser.add_argument("--all", action="store_true", help="retry every parked stream")
    parser.add_argument("--reason", help="why the event is left out")
    add_common(parser)
    asked = parser.parse_args(arguments)
    output = Output(as_json=asked.json)
    stream = _stream(asked)
    if asked.projection is not None:
        asked.projections = [asked.projection]
        _names(argparse.Namespace(projections=[asked.projection], all=False), "check")
    return at_the_desk(asked, output, lambda desk: _parked(desk, output, asked, stream))


def _stream(asked: argparse.Namespace) -> UUID | None:
    """The stream that is meant; raises ``CommandFailed`` where what is given does not fit."""
    named = asked.projection is not None and asked.stream is not None
    if asked.what == "skip" and not (named and (asked.reason or "").strip()):
        raise CommandFailed("skip needs PROJECTION STREAM --reason TEXT", exit_code=Exit.USAGE)
    if asked.what == "retry" and named == asked.all:
        raise CommandFailed("retry needs PROJECTION STREAM, or --all", exit_code=Exit.USAGE)
    if asked.stream is None:
        return None
    try:
        return UUID(asked.stream)
    except ValueError as error:
        raise CommandFailed(f"{asked.stream!r} is no id of a stream", exit_code=Exit.USAGE) from error


async def _parked(desk: Desk, output: Output, asked: argparse.Namespace, stream: UUID | None) -> int:
    replay = _service(desk)
    names = [asked.projection] if asked.projection else replay.names
    if asked.what == "list":
        parked = await replay.parked(names)
        output.answer({"parked": parked}, "\n".join(map(_listed, parked)) or "nothing is parked")
        return Exit.DONE
    if asked.what == "skip":
        assert stream is not None
        results = [await replay.skip(asked.projection, stream, asked.reason, desk.context(), None)]
    elif stream is not None:
        results = [await replay.retry(asked.projection, stream)]
    else:
        results = [await replay.retry(each.projection, each.stream_id) for each in await replay.parked(names)]
    output.answer({"results": results}, "\n".join(map(_retried, results)) or "nothing is parked")
    return Exit.DONE if all(each.position is None for each in results) else Exit.FAILED


def _listed(parked: ParkedStream) -> str:
    return (
        f"{parked.projection} {parked.stream_id} at position {parked.position:,} ({parked.topic}) "
        f"since {parked.parked_at:%Y-%m-%d %H:%M:%S}Z\n    {parked.cause}"
    )


def _retried(retried: Retried) -> str:
    stream = f"{retried.projection} {retried.stream_id}"
    if retried.position is None:
        return f"{stream}: {retried.processed:,} events processed, parked no more"
    return f"{stream}: {retried.processed:,} events processed, parked at position {retried.position:,}\n    {retried.cause}"
