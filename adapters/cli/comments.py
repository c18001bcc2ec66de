"""`hivesync comments check`: judges comments for a file, or a whole corpus of cases, offline."""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from adapters.cli.console import CommandFailed
from adapters.cli.ending import Exit
from adapters.safety import SafetyChecker, SafetyError
from hivesync_core.comments import FileRefused, Report, language_of, unified_diff

DESCRIPTION = """\
Says which comments may be put into a file, why the others may not, and shows the diff. With --cases, judges every case of a
file of cases (JSON Lines: id, language, source or source_b64, comment, verdict) and prints each that it disagrees with; a line
that is no case is named and passed over. Nothing is written, and no server is asked. The check runs in a process of its own: what
hangs or crashes a grammar is refused, like everything without a verdict.
"""
EPILOG = """\
examples:
  hivesync comments check app.py --comments comments.json
  hivesync comments check app.py --comments - --json < comments.json
  hivesync comments check --cases cases.jsonl

COMMENTS is a JSON list of {"type": "inline" or "header", "target": {"line": 3}, "content": "…"}.

exit codes: 0 all comments are accepted, or no case is judged otherwise; 1 some are refused, or some are; 2 the command line or
a file is wrong, or a line of the cases is none
"""

_NO_VERDICT = "check.no_verdict"
_DIGITS_MAX = 4_000


class _NoCase(Exception):
    """A line of a file of cases is no case; the text says where and why."""


class _Judged(NamedTuple):
    """One case and what was found."""

    id: str
    language: str
    wanted: str
    verdict: str
    code: str
    reason: str


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code is 0, 1 or 2."""
    parser = argparse.ArgumentParser(
        prog="hivesync comments",
        description="Comments that provably change nothing but comments.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="check")
    _configure(commands.add_parser("check", formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False))
    asked = parser.parse_args(arguments)
    try:
        if asked.cases is not None:
            return asyncio.run(_judge_cases(asked.cases, as_json=asked.json))
        if asked.file is None or asked.comments is None:
            raise CommandFailed("FILE with --comments COMMENTS is wanted, or --cases CASES.", exit_code=Exit.USAGE)
        return _check_file(asked)
    except CommandFailed as error:
        print(json.dumps({"error": str(error)}) if asked.json else f"hivesync comments: {error}", file=sys.stderr)
        return error.exit_code


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the source file")
    parser.add_argument("--comments", metavar="COMMENTS", help="the JSON file with the comments; - for standard input")
    parser.add_argument("--language", metavar="NAME", help="the language, where the file's name does not say it")
    parser.add_argument("--cases", type=Path, metavar="CASES", help="judge a corpus instead (JSON Lines)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def _check_file(asked: argparse.Namespace) -> int:
    source = _read(asked.file)
    comments = _parsed(
        sys.stdin.read() if asked.comments == "-" else _read(Path(asked.comments)).decode("utf-8", "replace")
    )
    language = asked.language or language_of(str(asked.file), source)
    if language is None:
        raise CommandFailed(
            f"The language of {asked.file} is not supported, and a language is never guessed. Give it by --language.",
            exit_code=Exit.USAGE,
        )
    try:
        report = asyncio.run(_checked(source, language, comments))
    except (FileRefused, SafetyError) as refusal:
        cause = refusal.cause if isinstance(refusal, FileRefused) else _NO_VERDICT
        if asked.json:
            print(json.dumps({"file_refused": cause, "reason": str(refusal)}))
        else:
            print(f"refused: {refusal} ({cause})")
        return Exit.FAILED
    print(_as_json(asked.file, source, report) if asked.json else _as_text(asked.file, source, report, len(comments)))
    return Exit.FAILED if report.refused else Exit.DONE


def _as_json(path: Path, source: bytes, report: Report) -> str:
    proof = msgspec.to_builtins(report.proof) if report.proof else None
    for insertion in proof["insertions"] if proof else ():
        insertion["text"] = base64.b64decode(insertion["text"]).decode()
    return json.dumps(
        {
            "accepted": [insertion.index for insertion in report.accepted],
            "refused": msgspec.to_builtins(report.refused),
            "proof": proof,
            "diff": unified_diff(_shown(path), source, report.after).decode("utf-8", "replace"),
        }
    )


def _as_text(path: Path, source: bytes, report: Report, given: int) -> str:
    lines = [f"{len(report.accepted)} of {given} comments accepted"]
    lines += [f"  refused {one.index}: {one.reason} ({one.code})" for one in report.refused]
    if report.proof:
        natives = "".join(f", {name}" for name in report.proof.natives)
        lines += [
            f"proven by {report.proof.grammar}{natives}: {report.proof.tokens} tokens, before and after",
            f"  {report.proof.tokens_sha256_before}",
            "",
            unified_diff(_shown(path), source, report.after).decode("utf-8", "replace").rstrip("\n"),
        ]
    return "\n".join(lines)


def _shown(path: Path) -> str:
    return path.name if path.is_absolute() else path.as_posix()


async def _judge_cases(path: Path, *, as_json: bool) -> int:
    judged: list[_Judged] = []
    unreadable: list[str] = []
    async for one in _judged(path):
        if isinstance(one, _Judged):
            judged.append(one)
        else:
            unreadable.append(str(one))
    wrong = [one for one in judged if one.wanted != one.verdict]
    counts = Counter((one.wanted, one.verdict) for one in judged)
    false_accepts, false_rejects = counts["reject", "accept"], counts["accept", "reject"]
    if as_json:
        facts = {"cases": len(judged), "false_accepts": false_accepts, "false_rejects": false_rejects}
        print(json.dumps({**facts, "unreadable": unreadable, "disagreements": [one._asdict() for one in wrong]}))
    else:
        for said in unreadable:
            print(f"hivesync comments: {said}", file=sys.stderr)
        for one in wrong:
            # Ids and languages are whatever the file says, which not every terminal can write.
            line = f"{one.id} ({one.language}): {one.verdict}, wanted {one.wanted} {one.code} {one.reason}".rstrip()
            print(line.encode("utf-8", "backslashreplace").decode())
        print(f"{len(judged)} cases: {false_accepts} false accepts, {false_rejects} false rejects")
    return Exit.USAGE if unreadable else Exit.FAILED if wrong else Exit.DONE


async def _judged(path: Path) -> AsyncIterator[_Judged | _NoCase]:
    """Every line: what was found, or that it is no case."""
    async with SafetyChecker(workers=1) as checker:
        for number, line in enumerate(_read(path).splitlines(), start=1):
            if not line.strip():
                continue
            try:
                case = _case(line, f"line {number} of {path}")
            except _NoCase as error:
                yield error
                continue
            code, reason = await _refusal(checker, case)
            verdict = "reject" if code else "accept"
            yield _Judged(str(case.get("id", number)), str(case["language"]), case["verdict"], verdict, code, reason)


async def _refusal(checker: SafetyChecker, case: dict[str, Any]) -> tuple[str, str]:
    """Code and reason of the refusal; both empty where the comment is accepted."""
    language = case["language"]
    if not isinstance(language, str):
        return "file.language_unknown", "The language is no text."
    try:
        report = await checker.check(case["bytes"], language, [case["comment"]])
    except FileRefused as refusal:
        return refusal.cause, refusal.reason
    except SafetyError as error:
        return _NO_VERDICT, str(error)
    return (report.refused[0].code, report.refused[0].reason) if report.refused else ("", "")


async def _checked(source: bytes, language: str, comments: Sequence[object]) -> Report:
    async with SafetyChecker(workers=1) as checker:
        return await checker.check(source, language, comments)


def _case(line: bytes, where: str) -> dict[str, Any]:
    try:
        case = json.loads(line, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise _NoCase(f"{where} is no JSON: {error}") from None
    if not isinstance(case, dict):
        raise _NoCase(f"{where} is no JSON object.")
    if missing := {"language", "comment", "verdict"} - case.keys():
        raise _NoCase(f"{where} has no {', '.join(sorted(missing))}.")
    if case["verdict"] not in ("accept", "reject"):
        raise _NoCase(f'{where}: the verdict is "accept" or "reject".')
    encoded, source = case.get("source_b64"), case.get("source")
    try:
        if isinstance(encoded, str):
            case["bytes"] = base64.b64decode(encoded, validate=True)
        elif isinstance(source, str):
            case["bytes"] = source.encode("utf-8", "surrogatepass")
        else:
            raise _NoCase(f"{where} has neither a source nor a source_b64.")
    except (ValueError, binascii.Error):
        raise _NoCase(f"{where}: source_b64 is no Base64.") from None
    return case


def _whole(digits: str) -> int | float:
    """A whole number of JSON; one of more digits than Python reads is no line number, whatever it is."""
    return int(digits) if len(digits) <= _DIGITS_MAX else float("inf")


def _parsed(text: str) -> list[object]:
    try:
        comments = json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise CommandFailed(f"The comments are no JSON: {error}", exit_code=Exit.USAGE) from None
    if isinstance(comments, dict) and isinstance(comments.get("comments"), list):
        comments = comments["comments"]
    if not isinstance(comments, list):
        raise CommandFailed("The comments are a JSON list.", exit_code=Exit.USAGE)
    return comments


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror or error}", exit_code=Exit.USAGE) from None
