"""What every command of `hivesync-admin` shares: errors with their remedy, and answers for people and programs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from adapters.cli.ending import Exit
from adapters.observability.logs import hide_secrets

EXIT_CODES = """\
exit codes:
  0  done
  1  refused or failed; nothing was changed that is not said
  2  the command line or a setting is wrong
  3  done in part: some rows were bad, or a file was not whole
  4  the database cannot be reached
"""


CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"), Path("/var/run/secrets/kubernetes.io"))
"""What Docker, Podman and Kubernetes leave in a container's file system."""


class CommandFailed(Exception):
    """A command cannot do what was asked; the message says why, ``remedy`` what to do."""

    def __init__(self, message: str, remedy: str = "", exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.remedy, self.exit_code = remedy, exit_code


class Output:
    """Where answers go: as text for people, or as one JSON object on standard output."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def answer(self, facts: Any, text: str) -> None:
        """Answer with ``facts`` where JSON is wanted, else with ``text``."""
        print(_as_json(facts) if self.as_json else text, flush=True)

    def note(self, text: str) -> None:
        """Tell a person something that is no answer."""
        print(f"hivesync-admin: {text}", file=sys.stderr, flush=True)

    def failed(self, error: CommandFailed) -> int:
        """Say why a command failed and what to do; the exit code."""
        message = hide_secrets(str(error))
        if self.as_json:
            facts = {"error": message, "remedy": error.remedy or None, "exit_code": int(error.exit_code)}
            print(_as_json(facts), flush=True)
        else:
            self.note(message + (f"\n{error.remedy}" if error.remedy else ""))
        return error.exit_code


def parser_of(name: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser whose help ends with examples and the exit codes."""
    return argparse.ArgumentParser(
        prog=f"hivesync-admin {name}".strip(),
        description=description,
        epilog=f"examples:\n{_indented(examples)}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options that every command has."""
    where = parser.add_argument_group("where the installation is")
    where.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="its data folder (else HIVESYNC_DATA_DIR, else ./data)"
    )
    where.add_argument("--database-url", metavar="URL", help="its PostgreSQL (else DATABASE_URL, else the private one)")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")


def is_container() -> bool:
    """Whether this process runs in a container."""
    return any(mark.exists() for mark in CONTAINER_MARKS)


def _as_json(facts: Any) -> str:
    """The facts as JSON; names of files and arguments may hold bytes that are no UTF-8."""
    try:
        return msgspec.json.encode(facts, enc_hook=str).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(facts, enc_hook=str))


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.strip().splitlines())
